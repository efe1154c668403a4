"""One folder of identities out of several, by links or copies: identities of the same name are the same identity."""

from __future__ import annotations

import filecmp
import os
import shutil
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from fairface.data.folder import FolderDataset
from fairface.data.missing import STOP
from fairface.errors import DataError
from fairface.quantity import quantity

Watch = Callable[[Iterable[tuple[str, str]]], Iterable[tuple[str, str]]]
_SHOWN = 5
_PART = ".part"


@dataclass(frozen=True)
class Compounded:
    """What :func:`compound` did.

    Attributes:
        sources: (folder, identities, images) of each data set.
        identities: different identities in all of them together.
        shared: identities that are in more than one.
        images: files in the output.
        made: those of them that were not there before.
        notes: what the user should know.
    """

    sources: tuple[tuple[str, int, int], ...]
    identities: int
    shared: int
    images: int
    made: int
    notes: tuple[str, ...]


def compound(
    folders: Sequence[str | os.PathLike[str]],
    output: str | os.PathLike[str],
    copy: bool = False,
    on_missing: str = STOP,
    watch: Watch = iter,
) -> Compounded:
    """Link (or copy) ``<folder i>/<identity>/<photo>`` to ``<output>/<identity>/d<i>_<photo>``, i from 1.

    Links lead to absolute paths, so the folders may be given relative to the working directory. Called again, it makes
    what is missing and leaves the rest alone; images that the folders no longer have stop it.

    Args:
        folders: data sets, each ``<folder>[/imgs]/<identity>/<photo>``.
        output: the folder to write to.
        copy: copy instead of linking.
        on_missing: ``stop`` or ``skip``: what a link to nothing in one of the folders does.
        watch: wraps the iteration over (target, source), to show progress.

    Raises:
        DataError: a folder cannot be used, the output lies in one of them or holds other files, or cannot be written.
    """
    sets = [FolderDataset(folder, on_missing) for folder in folders]
    target = Path(output).resolve()
    plan: dict[str, str] = {}
    for number, data in enumerate(sets, 1):
        _check_apart(target, data.root.resolve())
        plan.update(_planned(data, number))
    _check_stale(target, set(plan))
    put = _copy if copy else _link
    made = 0
    try:
        for folder in sorted({name.rpartition("/")[0] for name in plan}):
            (target / folder).mkdir(parents=True, exist_ok=True)
        for name, source in watch(plan.items()):
            made += put(os.path.join(target, name), source)
    except OSError as error:
        raise DataError(
            f"{error.filename or target}: cannot be written ({error.strerror}); free space or choose another folder"
        ) from error
    names = [set(data.identities) for data in sets]
    everybody = set().union(*names)
    shared = sum(sum(identity in some for some in names) > 1 for identity in everybody)
    notes = [note for data in sets for note in data.notes]
    if len(sets) > 1 and not shared:
        notes.append("warning: nobody is in more than one of the sets; an identity has the same folder name in all")
    sources = tuple((str(data.root), len(data.identities), len(data)) for data in sets)
    return Compounded(sources, len(everybody), shared, len(plan), made, tuple(notes))


def _planned(data: FolderDataset, number: int) -> Iterable[tuple[str, str]]:
    root = data.root.resolve()
    for index, label in enumerate(data.labels.tolist()):
        photo = data.path(index).name
        identity = data.identities[label]
        yield f"{identity}/d{number}_{photo}", str(root / identity / photo)


def _check_apart(output: Path, source: Path) -> None:
    if output == source or output in source.parents or source in output.parents:
        raise DataError(f"{output}: lies in the data set {source} or around it; choose another output folder")


def _check_stale(output: Path, planned: set[str]) -> None:
    """Files of an earlier call with other data sets would be counted and trained on as if they belonged there."""
    found = {
        f"{identity.name}/{photo.name}" if photo else identity.name
        for identity in (output.iterdir() if output.is_dir() else ())
        for photo in (identity.iterdir() if identity.is_dir() else (None,))
    }
    stale = sorted(name for name in found - planned if not name.endswith(_PART))
    if stale:
        raise DataError(
            f"{output}: {quantity(len(stale), 'file there is', 'files there are')} in none of the data sets: "
            f"{', '.join(stale[:_SHOWN])}{' …' if len(stale) > _SHOWN else ''}; remove them or choose another folder"
        )


def _link(target: str, source: str) -> bool:
    if os.path.islink(target):
        if os.readlink(target) == source:
            return False
    elif os.path.exists(target):
        if not filecmp.cmp(target, source, shallow=False):
            raise DataError(f"{target}: is there and differs from {source}; remove it or choose another folder")
        return False
    with suppress(FileNotFoundError):
        os.unlink(target + _PART)  # of a run that was killed
    os.symlink(source, target + _PART)
    os.replace(target + _PART, target)
    return True


def _copy(target: str, source: str) -> bool:
    if os.path.exists(target) and not os.path.islink(target):
        if not filecmp.cmp(target, source, shallow=True):
            raise DataError(f"{target}: is there and differs from {source}; remove it or choose another folder")
        return False
    shutil.copy2(source, target + _PART)
    os.replace(target + _PART, target)
    return True
