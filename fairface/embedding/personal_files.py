"""The files with embeddings and landmarks below a folder, told by what they hold, and their removal."""

from __future__ import annotations

import os
import re
import stat
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from fairface.errors import ConfigError, DataError
from fairface.faces.landmarks import COLUMNS
from fairface.faces.masks.log import is_log
from fairface.faces.point_list import is_point_list
from fairface.files import OWNER_ONLY
from fairface.quantity import agree, quantity
from fairface.scoring.normalisation.stored import FORMAT

EMBEDDINGS, LANDMARKS, POINTS, MASKS = "embeddings", "landmarks", "landmark list", "landmarks in a log of masks"
PARTIAL = "left by a killed run"
_JOURNAL = re.compile(r"\..+\.journal")
_PART = re.compile(r"\..+\.(?:npz|csv|txt|jsonl)\..+\.part")
_PUBLISHED = re.compile(r"ijb[bc]_name_5pts_score\.txt")  # IJB's own list, of the same form as ours
_HEADER = ",".join(COLUMNS)
_START = 4096  # bytes in which a header or a first line ends


@dataclass(frozen=True)
class PersonalFile:
    """A file with embeddings or landmarks: where, what it holds, bytes."""

    path: str
    kind: str
    size: int


@dataclass(frozen=True)
class Found:
    """The personal files below folders, and the links that were not followed."""

    files: tuple[PersonalFile, ...]
    links: tuple[str, ...]


def find_personal(folders: list[str]) -> Found:
    """Personal files at any depth below ``folders``, by path; folders that are not there are passed over.

    No link is followed, neither to a file nor to a folder: what is found lies below the folder itself.

    Raises:
        ConfigError: a folder that holds the current one, so that more than output lies below it.
        DataError: a folder that cannot be looked into.
    """
    files: dict[str, PersonalFile] = {}
    links: list[str] = []
    here = Path.cwd().resolve()
    for folder in folders:
        root = Path(folder)
        if root.resolve() in (here, *here.parents):
            raise ConfigError(f"{folder}: holds the current folder, and more than output; name a folder below it")
        if root.is_symlink():
            links.append(str(root))
        elif root.is_dir():
            for path in _regular_files(root, links):
                kind = kind_of(path)
                if kind:
                    files[str(path)] = PersonalFile(str(path), kind, path.stat().st_size)
    return Found(tuple(files[path] for path in sorted(files)), tuple(sorted(links)))


def _regular_files(root: Path, links: list[str]) -> Iterator[Path]:
    def refuse(error: OSError) -> None:
        raise DataError(f"{error.filename}: cannot be looked into ({error.strerror}); correct its permissions")

    for place, folders, names in os.walk(root, onerror=refuse):  # followlinks is False
        links += [os.path.join(place, name) for name in folders if os.path.islink(os.path.join(place, name))]
        for name in names:
            path = Path(place, name)
            if path.is_symlink():
                links.append(str(path))
            elif stat.S_ISREG(path.lstat().st_mode):
                yield path


def kind_of(path: Path) -> str:
    """What personal data the file holds, or ""; it is read, not followed.

    An ``.npz`` holds embeddings by name; a landmarks table, its journal and a log of masks have our header, and a
    saved normalisation its format, as it may hold a cohort's embeddings. A list of
    points looks the same whoever made it, so only one that its owner alone can read, as ours are, counts. What a killed
    run left counts by its name: it cannot be read.
    """
    if _PART.fullmatch(path.name):
        return PARTIAL
    if path.suffix.lower() == ".npz":
        return EMBEDDINGS if _holds_embeddings(path) else ""
    if path.suffix.lower() == ".csv" or _JOURNAL.fullmatch(path.name):
        return LANDMARKS if _first_line(path) == _HEADER else ""
    if path.suffix.lower() == ".json":
        return EMBEDDINGS if _holds_cohort(path) else ""
    if path.suffix.lower() == ".jsonl":
        return MASKS if is_log(_first_line(path)) else ""
    ours = stat.S_IMODE(path.lstat().st_mode) == OWNER_ONLY and not _PUBLISHED.fullmatch(path.name)
    return POINTS if ours and is_point_list(_first_line(path)) else ""


def _holds_embeddings(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            return {"embeddings.npy", "names.npy"} <= set(archive.namelist())
    except (OSError, zipfile.BadZipFile):
        return False


def _holds_cohort(path: Path) -> bool:
    """Whether it is a saved normalisation, whose cohort is embeddings; the first value says so."""
    return f'"{FORMAT}"' in _start(path).partition(",")[0]


def _first_line(path: Path) -> str:
    return _start(path).split("\n")[0].rstrip("\r")


def _start(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(_START).decode("utf-8", "replace").removeprefix("\ufeff")
    except OSError:
        return ""


def remove_personal(found: Found) -> None:
    """Remove the files; what cannot be removed stops nothing, and is told at the end.

    Raises:
        DataError: files that are still there, counted, the first one named.
    """
    failed: list[tuple[str, OSError]] = []
    for file in found.files:
        try:
            os.unlink(file.path)
        except FileNotFoundError:
            continue
        except OSError as error:
            failed.append((file.path, error))
    if failed:
        path, why = failed[0]
        raise DataError(
            f"{path}: cannot be removed ({why.strerror}), {len(failed)} of {quantity(len(found.files), 'file')} "
            f"{agree(len(failed), 'is', 'are')} still there; correct the permissions of their folders and purge again"
        )
