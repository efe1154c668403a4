"""What became of every image that was to be masked, from which the same masks can be made again.

JSON lines. The first tells versions and the sums of the textures; each other line is one image: ``image``, ``sha256``
of its file, ``outcome`` (masked, unmasked, refused, unreadable), ``output``, ``seed``, ``points``, ``nose_height``,
``parameters``, and the ``reason`` and ``message`` of what was refused or could not be read.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from fairface.errors import DataError
from fairface.faces.masks.parameters import MaskParameters, from_dict, to_dict
from fairface.faces.masks.textures import Textures
from fairface.files import atomic_write
from fairface.parsing import parse_json

LOG = "masks.jsonl"
MASKED, UNMASKED, REFUSED, UNREADABLE = "masked", "unmasked", "refused", "unreadable"
_FORMAT = "fairface masks 1"
_REMEDY = "use a log as add_masks.py wrote it"


@dataclass(frozen=True)
class MaskRow:
    """One image; fields that do not apply are empty or ``None``."""

    image: str
    outcome: str
    sha256: str = ""
    output: str = ""
    seed: int = 0
    points: tuple[tuple[float, float], ...] | None = None
    nose_height: float | None = None
    parameters: MaskParameters | None = None
    reason: str = ""
    message: str = ""

    def to_dict(self) -> dict[str, Any]:
        """As JSON holds it."""
        values = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        if self.parameters is not None:
            values["parameters"] = to_dict(self.parameters)
        return values


def texture_sums(textures: Textures) -> dict[str, str]:
    """A sum of each texture's pixels by its name."""
    return {name: hashlib.sha256(textures.pictures[name].tobytes()).hexdigest() for name in textures.names}


def write_log(path: str | os.PathLike[str], rows: Iterable[MaskRow], textures: Textures) -> None:
    """Write the rows, whole or not at all, for the owner only: they hold landmarks.

    Raises:
        DataError: the file cannot be written.
    """
    head = {"format": _FORMAT, "numpy": np.__version__, "opencv": cv2.__version__, "textures": texture_sums(textures)}
    with atomic_write(path, "w", personal=True, encoding="utf-8") as file:
        for line in (head, *(row.to_dict() for row in rows)):
            file.write(json.dumps(line, ensure_ascii=False) + "\n")


def is_log(first_line: str) -> bool:
    """Whether a file that begins so is a log of masks."""
    return first_line.startswith(json.dumps({"format": _FORMAT})[:-1])


def read_log(path: str | os.PathLike[str], textures: Textures | None = None) -> list[MaskRow]:
    """The rows of a log; with ``textures`` these must be the ones that it was made with.

    Raises:
        DataError: missing, damaged or no such log (file and line are named), or other textures.
    """
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read ({getattr(error, 'strerror', None) or error}); {_REMEDY}") from error
    head = _parsed(lines[0] if lines else "", f"{path}, line 1")
    if head.get("format") != _FORMAT or not isinstance(head.get("textures"), dict):
        raise DataError(f"{path}: is no log of masks; {_REMEDY}")
    if textures is not None and head["textures"] != texture_sums(textures):
        named = ", ".join(head["textures"]) or "none"
        raise DataError(f"{path}: was made with other textures ({named}); name the folder that holds these very files")
    rows = [_row(_parsed(line, place), place) for line, place in _numbered(path, lines[1:])]
    if len({row.image for row in rows}) < len(rows):
        raise DataError(f"{path}: names an image twice; {_REMEDY}")
    return rows


def _numbered(path: str | os.PathLike[str], lines: list[str]) -> Iterable[tuple[str, str]]:
    return ((line, f"{path}, line {number}") for number, line in enumerate(lines, 2))


def _parsed(line: str, place: str) -> dict[str, Any]:
    try:
        value = parse_json(line)
    except ValueError as error:
        raise DataError(f"{place}: is not whole JSON; {_REMEDY}") from error
    if not isinstance(value, dict):
        raise DataError(f"{place}: is no JSON object; {_REMEDY}")
    return value


def _row(values: Mapping[str, Any], place: str) -> MaskRow:
    names = {field.name for field in dataclasses.fields(MaskRow)}
    texts = ("image", "outcome", "sha256", "output", "reason", "message")
    if set(values) != names or not all(isinstance(values[name], str) for name in texts) or not values["image"]:
        raise DataError(f"{place}: is no line of such a log; {_REMEDY}")
    outcome, points, parameters = values["outcome"], values["points"], values["parameters"]
    if outcome not in (MASKED, UNMASKED, REFUSED, UNREADABLE) or (outcome == MASKED) != (parameters is not None):
        raise DataError(f"{place}: outcome {outcome!r} does not fit its parameters; {_REMEDY}")
    if outcome == MASKED and (not values["output"] or not _are_points(points)):
        raise DataError(f"{place}: {values['image']} has a mask, but no points or no output; {_REMEDY}")
    return MaskRow(**{
        **values,
        "points": None if points is None else tuple((float(x), float(y)) for x, y in points),
        "parameters": None if parameters is None else from_dict(parameters, place),
    })  # fmt: skip


def _are_points(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) in (5, 68)
        and all(
            isinstance(pair, list) and len(pair) == 2 and all(isinstance(number, (int, float)) for number in pair)
            for pair in value
        )
    )
