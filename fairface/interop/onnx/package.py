"""An exported network's folder: the file, insightface's manifest (version 2), licence, self-check, model card."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from fairface.errors import DataError
from fairface.faces.layouts import ARCFACE
from fairface.files import atomic_write, sha256, write_json
from fairface.interop.onnx.self_check import write_self_check
from fairface.interop.onnx.session import OnnxNet
from fairface.parsing import parse_json

FILE, MANIFEST, LICENCE, CARD = "model.onnx", "manifest.json", "MODEL.LICENSE", "MODEL_CARD.md"
_VERSION = 2  # of insightface's manifest
_NO_LICENCE = "The licence of this model is not stated. Ask whoever trained it before you use or share it.\n"
_NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9._-]+")
_LONGEST_NAME = 128


def write_manifest(folder: Path, name: str, image_size: int, dimensions: int) -> None:
    """Describe ``model.onnx`` to insightface 2.0 and later (``get_model(folder, model_task="recognition")``).

    Args:
        folder: holds the file.
        name: of the package; what insightface's rules do not allow in it becomes a hyphen.
        image_size: H = W in pixels.
        dimensions: length of an embedding.
    """
    recognition = {
        "file": FILE, "sha256": sha256(folder / FILE), "preprocessing": "embedded",
        "input_size": [image_size, image_size], "embedding_dimension": dimensions,
    }  # fmt: skip
    model_id = _NOT_IN_A_NAME.sub("-", name).strip("-._")[:_LONGEST_NAME] or "model"
    content = {
        "manifest_version": _VERSION, "model_id": model_id, "license": LICENCE, "tasks": {"recognition": recognition}
    }  # fmt: skip
    write_json(folder / MANIFEST, content)


def write_licence(folder: Path, source: str, known: str = "") -> None:
    """Copy the licence ``source``; with none named, write the ``known`` one, or else that none is stated.

    Raises:
        DataError: ``source`` cannot be read as text.
    """
    try:
        text = Path(source).read_text(encoding="utf-8") if source else known or _NO_LICENCE
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{source}: cannot be read as text ({error}); name the file of the model's licence") from error
    with atomic_write(folder / LICENCE, "w", encoding="utf-8") as file:
        file.write(text)


def refuse_other_folder(folder: Path) -> None:
    """Refuse a folder with another manifest, such as a run's, which would be overwritten.

    Raises:
        DataError: it holds one, or is a file.
    """
    if folder.exists() and not folder.is_dir():
        raise DataError(f"{folder}: is a file; name a folder to write to")
    path = folder / MANIFEST
    if path.exists() and not _is_ours(path):
        raise DataError(f"{path}: is no exported network's and would be overwritten; name a new folder to write to")


def _is_ours(path: Path) -> bool:
    try:
        content: Any = parse_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(content, dict) and content.get("manifest_version") == _VERSION


def write_package(
    folder: Path, name: str, content: bytes, net: OnnxNet, card: str, licence: str = "", known_licence: str = ""
) -> None:
    """Write an exported network and all that belongs to it into an empty folder.

    There is no manifest for insightface where the network takes faces of another layout than ArcFace's: insightface
    knows no other alignment, and would score without a word.

    Args:
        folder: to write to.
        name: of the package.
        content: of the ONNX file.
        net: the same, as ONNX Runtime runs it.
        card: the model card's text.
        licence: file with the model's licence; empty: see ``known_licence``.
        known_licence: its text where it is known; empty: none is stated.

    Raises:
        DataError: the licence cannot be read, or a file cannot be written.
    """
    with atomic_write(folder / FILE) as file:
        file.write(content)
    if net.layout == ARCFACE:
        write_manifest(folder, name, net.image_size, net.dimensions)
    write_licence(folder, licence, known_licence)
    write_self_check(folder, net)
    with atomic_write(folder / CARD, "w", encoding="utf-8") as file:
        file.write(card)
