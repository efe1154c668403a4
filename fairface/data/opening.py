"""From what a user names to a data set: a path of any known format, or a card's name."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from fairface.data.cards import SEARCH, Card, find_card, load_card, search_folders
from fairface.data.formats import OPENERS, OpenOptions, format_of
from fairface.data.pairsets.memory_set import is_memory_set
from fairface.data.unlabeled import ZeroUnlabeled
from fairface.data.view import IndexedDataset
from fairface.errors import DataError

_AS_THEY_ARE = OpenOptions()


def open_dataset(
    path_or_card_name: str | os.PathLike[str],
    root_dirs: Sequence[str | Path] = SEARCH,
    options: OpenOptions = _AS_THEY_ARE,
) -> IndexedDataset:
    """Open a data set of any format.

    A folder with a ``.rec`` file and a ``.rec`` file are RecordIO; a folder with ``.tfrecord`` files and an index file
    of three or four columns are TFRecords; a folder with ``memfile`` in it holds memory files; another folder holds one
    folder per person; a ``.bin`` file is a verification set, whose images have no labels; another ``.txt``,
    ``.list`` or ``.index`` file holds lines ``path label``. What is no path is looked for below ``root_dirs``, then
    among the cards there.

    Raises:
        DataError: not found, no known format, or damaged.
    """
    path, kind = locate(path_or_card_name, root_dirs)
    dataset = OPENERS[kind](path, options)
    return ZeroUnlabeled(dataset) if options.zero_is_unlabeled else dataset


def locate(path_or_card_name: str | os.PathLike[str], root_dirs: Sequence[str | Path] = SEARCH) -> tuple[Path, str]:
    """Where the data are and which of :data:`fairface.data.formats.OPENERS` fits.

    Raises:
        DataError: not found, or no known format.
    """
    name = os.fspath(path_or_card_name)
    path = Path(name)
    if path.exists():
        return path, format_of(path)
    card = find_card(name, root_dirs)
    if card is not None:
        return _locate_card(card, root_dirs)
    below = _below(name, root_dirs)
    if below is not None:
        return below, format_of(below)
    if path.parent != Path(".") or path.suffix:
        raise DataError(
            f"{name}: there is no such file or folder, nor one below {' or '.join(map(str, root_dirs))}; "
            f"correct the path"
        )
    return _locate_card(load_card(name, root_dirs), root_dirs)


def verification_sets(folder: str | os.PathLike[str]) -> dict[str, Path]:
    """The verification sets in a folder (or beside a ``.rec`` file) by name, in alphabetical order: ``.bin`` files, and
    memory files where the ``.bin`` is not there."""
    path = Path(folder)
    base = path if path.is_dir() else path.parent
    found = {file.stem: file for file in base.glob("*.bin") if file.is_file()}
    for place in base.iterdir() if base.is_dir() else ():
        if place.name not in found and is_memory_set(place):
            found[place.name] = place
    return {name: found[name] for name in sorted(found)}


def _locate_card(card: Card, root_dirs: Sequence[str | Path]) -> tuple[Path, str]:
    if card.format not in OPENERS:
        raise DataError(
            f"{card.name}: {card.title} is a test set ({card.format}), not training data; "
            f"score it with the programs in test/"
        )
    path = Path(card.path) if Path(card.path).is_absolute() else _below(card.path, root_dirs)
    if path is None or (card.format == "rec" and path.is_dir() and not any(path.glob("*.rec"))):
        raise DataError(
            f"{card.name}: there are no data at {card.path} below {' or '.join(map(str, root_dirs))}; "
            f"to get them: {' '.join(card.where.split())}"
        )
    return path, card.format


def _below(name: str, root_dirs: Sequence[str | Path]) -> Path | None:
    folders = search_folders(root_dirs)
    return next((folder / name for folder in folders if (folder / name).exists()), None)
