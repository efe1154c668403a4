"""Data set cards: what is known of a data set, in ``datasets/<name>.yaml``."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import yaml

from fairface.errors import DataError
from fairface.parsing import parse_yaml

FORMATS = ("rec", "tfrecord", "folder", "list", "bin", "memory", "rfw", "bfw", "ijb", "query_gallery")
SEARCH = ("datasets", "train/datasets")
_REQUIRED = ("name", "title", "format", "path", "where", "licence")


@dataclass(frozen=True)
class Card:
    """One data set.

    Attributes:
        name: what it is called on a command line; ``aliases`` are other names for it.
        title: its full name.
        format: one of ``FORMATS``.
        path: where it lies below one of the folders that are searched.
        where: how to get it, in words.
        licence: terms of use.
        classes, images: counts, ``None`` where not known for certain.
        attributes: names of attributes that it comes with.
        notes: what else a user should know.
    """

    name: str
    title: str
    format: str
    path: str
    where: str
    licence: str
    classes: int | None = None
    images: int | None = None
    attributes: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    notes: str = ""


def load_card(name_or_path: str | Path, folders: Sequence[str | Path] = SEARCH) -> Card:
    """The card of this name (or alias), or in this YAML file.

    Raises:
        DataError: there is none, or it is damaged; near names are given.
    """
    path = Path(name_or_path)
    if path.suffix in (".yaml", ".yml"):
        return _read(path)
    card = find_card(str(name_or_path), folders)
    if card is None:
        names = sorted({name for known in all_cards(folders) for name in (known.name, *known.aliases)})
        near = difflib.get_close_matches(str(name_or_path), names, 3, 0.5)
        raise DataError(
            f"{name_or_path}: no such file or folder, and no data set of this name; "
            + (f"near: {', '.join(near)}" if near else f"known: {', '.join(names) or 'none'}")
        )
    return card


def find_card(name: str, folders: Sequence[str | Path] = SEARCH) -> Card | None:
    """The card with this name or alias, or ``None``."""
    return next((card for card in all_cards(folders) if name in (card.name, *card.aliases)), None)


def all_cards(folders: Sequence[str | Path] = SEARCH) -> list[Card]:
    """All cards of the folders, by name; the first folder wins where two have the same one.

    Raises:
        DataError: a card is damaged.
    """
    cards: dict[str, Card] = {}
    for folder in search_folders(folders):
        for path in sorted(folder.glob("*.yaml")):
            card = _read(path)
            cards.setdefault(card.name, card)
    return [cards[name] for name in sorted(cards)]


def search_folders(folders: Sequence[str | Path] = SEARCH) -> list[Path]:
    """The folders below the working directory, then below the checkout that this package lies in; those that exist."""
    checkout = Path(__file__).resolve().parents[2]
    candidates = [Path(folder) for folder in folders] + [checkout / folder for folder in folders]
    found: list[Path] = []
    for candidate in candidates:
        if candidate.is_dir() and not any(candidate.samefile(other) for other in found):
            found.append(candidate)
    return found


def _read(path: Path) -> Card:
    try:
        content: Any = parse_yaml(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise DataError(f"{path}: cannot be read as a card ({reason}); correct it") from error
    known = [item.name for item in fields(Card)]
    if not isinstance(content, dict) or not set(_REQUIRED) <= set(content) <= set(known):
        keys = content if isinstance(content, dict) else ()
        missing, unknown = sorted(set(_REQUIRED) - set(keys)), sorted(set(map(str, keys)) - set(known))
        raise DataError(f"{path}: is no card: missing keys {missing}, unknown keys {unknown}; correct it")
    if content["format"] not in FORMATS:
        raise DataError(f"{path}: format is {content['format']!r}; it must be one of {', '.join(FORMATS)}")
    for key in ("attributes", "aliases"):
        content[key] = tuple(str(item) for item in content.get(key) or ())
    for key in ("classes", "images"):
        if not isinstance(content.get(key), (int, type(None))):
            raise DataError(f"{path}: {key} is {content[key]!r}; it must be a whole number, or null where not known")
    return Card(**content)
