"""Every format a data set may lie in, how to recognise it and how to open it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from fairface.data.folder import FolderDataset
from fairface.data.listfile import ListDataset
from fairface.data.missing import STOP
from fairface.data.pairsets.bin_dataset import BinDataset
from fairface.data.pairsets.memory_set import MemoryDataset, is_memory_set
from fairface.data.recordio.dataset import RecordDataset
from fairface.data.tfrecord.dataset import IndexTFRDataset
from fairface.data.tfrecord.index import IMAGE_COLUMNS, columns
from fairface.data.view import IndexedDataset
from fairface.errors import DataError

_SNIFFED = 1 << 16
_TEXT_SUFFIXES = (".txt", ".list", ".index")
_HINTS = {
    ".tfrecord": "records without labels: name their index file (.index or .txt) instead, or their folder",
    ".lst": "a list of im2rec or insightface: pack it with data_process/face2rec2.py",
    ".csv": "a table: pack it with data_process/face2rec2.py",
}


@dataclass(frozen=True)
class OpenOptions:
    """How to open a data set.

    Attributes:
        root: the folder that the paths of a list, or the TFRecords of an index, are below; empty: the file's own.
        checksums: compare checksums when reading, where the format has them.
        on_missing: ``stop`` or ``skip``: what a file that is not there does.
        zero_is_unlabeled: label 0 means that the identity is unknown (see :mod:`fairface.data.unlabeled`).
    """

    root: str = ""
    checksums: bool = True
    on_missing: str = STOP
    zero_is_unlabeled: bool = False


OPENERS: dict[str, Callable[[Path, OpenOptions], IndexedDataset]] = {
    "rec": lambda path, options: RecordDataset(
        path.with_suffix(".rec") if path.suffix.lower() == ".idx" else path, options.on_missing
    ),
    "folder": lambda path, options: FolderDataset(path, options.on_missing),
    "list": lambda path, options: ListDataset(path, options.root or None, options.on_missing),
    "tfrecord": lambda path, options: IndexTFRDataset(
        find_index(path), options.root or None, options.checksums, options.on_missing
    ),
    "bin": lambda path, options: BinDataset(path),
    "memory": lambda path, options: MemoryDataset(path, options.checksums),
}


def format_of(path: Path) -> str:
    """Which of ``OPENERS`` fits a path that is there.

    Raises:
        DataError: none does.
    """
    if path.is_dir():
        if any(path.glob("*.rec")):
            return "rec"
        if is_memory_set(path):
            return "memory"
        return "tfrecord" if any(path.glob("*.tfrecord")) else "folder"
    suffix = path.suffix.lower()
    if suffix in (".rec", ".idx"):
        return "rec"
    if suffix == ".bin":
        return "bin"
    if suffix in _TEXT_SUFFIXES:
        return "list" if columns(_first_line(path)) == IMAGE_COLUMNS else "tfrecord"
    known = "(.rec, folder of identities, .txt list of `path label`, TFRecord index, .bin, memory files)"
    raise DataError(f"{path}: is {_HINTS.get(suffix, f'no data of a known format {known}')}")


def find_index(path: Path) -> Path:
    """The index that ``path``, a file or a folder of TFRecords, means.

    Raises:
        DataError: the folder holds no index, or several of which none bears the folder's name.
    """
    if not path.is_dir():
        return path
    own = path / f"{path.resolve().name}.index"
    if own.is_file():
        return own
    found = [file for file in sorted(path.iterdir()) if file.suffix.lower() in _TEXT_SUFFIXES and _is_index(file)]
    if len(found) == 1:
        return found[0]
    what = "no index file" if not found else f"{len(found)} index files and none is {own.name}"
    raise DataError(f"{path}: holds TFRecords and {what}; name the index file instead of the folder")


def _is_index(path: Path) -> bool:
    return path.is_file() and columns(_first_line(path)) != IMAGE_COLUMNS


def _first_line(path: Path) -> str:
    try:
        with path.open("rb") as file:
            text = file.read(_SNIFFED).decode("utf-8-sig", "replace")
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); correct the path") from error
    return next((line.strip() for line in text.split("\n") if line.strip()), "")
