"""From what a user names to a data set: a path of any known format, or a card's name."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from fairface.data.cards import SEARCH, Card, find_card, load_card, search_folders
from fairface.data.folder import FolderDataset
from fairface.data.listfile import ListDataset
from fairface.data.rec_dataset import RecordDataset
from fairface.data.view import IndexedDataset
from fairface.errors import DataError

_TRAINING_FORMATS: dict[str, Callable[[Path], IndexedDataset]] = {
    "rec": RecordDataset,
    "folder": FolderDataset,
    "list": ListDataset,
}


def open_dataset(path_or_card_name: str | os.PathLike[str], root_dirs: Sequence[str | Path] = SEARCH) -> IndexedDataset:
    """Open a data set of any training format.

    A folder with a ``.rec`` file and a ``.rec`` file are RecordIO; another folder holds one folder an identity; a
    ``.txt`` or ``.list`` file holds lines ``path label``. What is no path is looked for below ``root_dirs``, then
    among the cards there.

    Raises:
        DataError: not found, no known format, or damaged.
    """
    name = os.fspath(path_or_card_name)
    path = Path(name)
    if path.exists():
        return _open_path(path)
    card = find_card(name, root_dirs)
    if card is not None:
        return _open_card(card, root_dirs)
    below = _below(name, root_dirs)
    if below is not None:
        return _open_path(below)
    if path.parent != Path(".") or path.suffix:
        raise DataError(
            f"{name}: there is no such file or folder, nor one below {' or '.join(map(str, root_dirs))}; "
            f"correct the path"
        )
    return _open_card(load_card(name, root_dirs), root_dirs)


def verification_sets(folder: str | os.PathLike[str]) -> dict[str, Path]:
    """The ``.bin`` verification sets in a folder (or beside a ``.rec`` file), by name, in alphabetical order."""
    path = Path(folder)
    base = path if path.is_dir() else path.parent
    return {file.stem: file for file in sorted(base.glob("*.bin")) if file.is_file()}


def _open_path(path: Path) -> IndexedDataset:
    if path.is_dir():
        return RecordDataset(path) if any(path.glob("*.rec")) else FolderDataset(path)
    suffix = path.suffix.lower()
    if suffix == ".idx":
        return RecordDataset(path.with_suffix(".rec"))
    if suffix == ".rec":
        return RecordDataset(path)
    if suffix in (".txt", ".list"):
        return ListDataset(path)
    hint = {
        ".bin": "a verification set: name it in verify.sets, or score it with test/verification.py",
        ".lst": "insightface's list: pack it with data_process/face2rec2.py",
        ".csv": "a table: pack it with data_process/face2rec2.py",
    }.get(suffix, "no training data of a known format (.rec, folder of identities, .txt list of `path label`)")
    raise DataError(f"{path}: is {hint}")


def _open_card(card: Card, root_dirs: Sequence[str | Path]) -> IndexedDataset:
    if card.format not in _TRAINING_FORMATS:
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
    return _TRAINING_FORMATS[card.format](path)


def _below(name: str, root_dirs: Sequence[str | Path]) -> Path | None:
    folders = search_folders(root_dirs)
    return next((folder / name for folder in folders if (folder / name).exists()), None)
