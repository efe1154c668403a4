"""The small files beside ``train.rec``: ``property`` and ``attributes.json``."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fairface.errors import DataError
from fairface.parsing import parse_json
from fairface.quantity import quantity

PROPERTY = "property"
IDENTITIES = "identities.txt"
ATTRIBUTES = "attributes.json"


@dataclass(frozen=True)
class Property:
    """``classes`` identities, images of ``height`` x ``width`` pixels."""

    classes: int
    height: int
    width: int


def read_property(folder: Path) -> Property | None:
    """The file ``property`` (``classes,height,width``), or ``None`` where there is none.

    Raises:
        DataError: the file does not hold three whole numbers.
    """
    path = folder / PROPERTY
    if not path.is_file():
        return None
    text = path.read_text(encoding="utf-8", errors="replace")
    try:
        classes, height, width = (int(value) for value in text.splitlines()[0].split(","))
        if min(classes, height, width) < 1:
            raise ValueError
    except (ValueError, IndexError) as error:
        raise DataError(
            f"{path}: begins with {text[:40]!r}, not with classes,height,width such as 10,112,112; "
            f"correct it or pack the data again"
        ) from error
    return Property(classes, height, width)


def read_identities(folder: Path, classes: int) -> tuple[str, ...]:
    """The names of the classes in ``identities.txt``, a line each; none where there is no such file.

    Raises:
        DataError: the file is no text, or names another number of identities than there are ``classes``.
    """
    path = folder / IDENTITIES
    if not path.is_file():
        return ()
    try:
        names = tuple(path.read_text(encoding="utf-8").split("\n")[:-1])
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: is no text in UTF-8 (byte {error.start}); remove it or pack again") from error
    if len(names) != classes:
        raise DataError(
            f"{path}: names {quantity(len(names), 'identity')}, but the data have {classes}; remove it or pack the "
            "data again"
        )
    return names


@dataclass(frozen=True)
class AttributeNotes:
    """Names of the attributes and, for each, the values that its codes 0, 1, … stand for (empty: not known)."""

    names: tuple[str, ...] = ()
    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def to_json(self) -> str:
        """The text of ``attributes.json``."""
        content = {"names": list(self.names), "values": {name: list(self.values[name]) for name in self.values}}
        return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def read_attribute_notes(folder: Path) -> AttributeNotes | None:
    """The file ``attributes.json``, or ``None`` where there is none.

    Raises:
        DataError: the file is no JSON of that form.
    """
    path = folder / ATTRIBUTES
    if not path.is_file():
        return None
    try:
        content = parse_json(path.read_text(encoding="utf-8"))
        names = _strings(content["names"])
        values = {str(name): _strings(items) for name, items in content.get("values", {}).items()}
    except (ValueError, KeyError, TypeError, AttributeError, UnicodeDecodeError) as error:
        raise DataError(
            f'{path}: is not of the form {{"names": ["sex"], "values": {{"sex": ["f", "m"]}}}}; '
            f"correct it or pack the data again"
        ) from error
    return AttributeNotes(names, values)


def _strings(items: Sequence[str]) -> tuple[str, ...]:
    if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
        raise TypeError("a list of strings is needed")
    return tuple(items)
