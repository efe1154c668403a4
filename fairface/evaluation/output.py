"""What a final evaluation writes into its folder, and how what an earlier one left there is taken away. No MXNet.

A hidden file in the folder (:data:`MARKER`) lists what evaluations wrote there; nothing else is ever removed.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from fairface.errors import ConfigError, DataError, FairfaceError
from fairface.evaluation.layout import (
    ALIGNED,
    CALIBRATION,
    FAIRNESS,
    FILES,
    HARD_FILE,
    MARKER,
    PREDICTIONS,
    REPORT,
    THREE_STEP_FILE,
    TRUTH,
    Parts,
    files_read,
    first_files,
    mark,
    marked,
    name_in,
    places,
    within,
)
from fairface.faces.align_report import FAILURES, NO_FACE, UNREADABLE
from fairface.faces.align_settings import SETTINGS
from fairface.faces.folder import LANDMARKS
from fairface.faces.folder_worker import AlignConfig, output_name
from fairface.faces.journal import Journal

_LISTS = (NO_FACE, FAILURES, UNREADABLE, SETTINGS)


def check_output(output: Path, parts: Parts) -> None:
    """Refuse a folder in which an evaluation of ``parts`` would remove or overwrite what no evaluation wrote.

    Raises:
        ConfigError: that, or it would overwrite what it reads itself.
    """
    read = set(files_read(parts))
    for place, (_, truth) in zip(places(output), parts, strict=False):
        for name in FILES:
            path = place / name
            if path.resolve() in read and not (name == TRUTH and (truth.truth or not truth.known)):
                raise ConfigError(f"{path}: is read by this run and would be overwritten; choose another --output")
    found = next(_foreign(output, parts, read), None)
    if found is not None:
        raise ConfigError(
            f"{output}: holds {found.relative_to(output)}, which no run is known to have written and this one would "
            "replace; choose another --output"
        )


def _foreign(output: Path, parts: Parts, read: Collection[Path]) -> Iterator[Path]:
    """Files that have the names of an evaluation's, but are not marked; those that are only read do not count."""
    ours = marked(output)
    for number, place in enumerate(places(output)):
        written = number < len(parts)
        if not written and not within(place, output):
            continue
        for name in FILES:
            path = place / name
            if os.path.lexists(path) and path.resolve() not in read and name_in(path, output) not in ours:
                yield path
        crops = place / ALIGNED
        if name_in(crops, output) not in ours:
            if written and parts[number][0].photos:
                yield from first_files(crops)
            elif _cleared(crops, output, parts) and _is_ours(crops):
                yield crops / SETTINGS


def _cleared(crops: Path, output: Path, parts: Parts) -> bool:
    """Whether crops there may go: they lie below ``output``, and the run reads no image from there."""
    folders = [Path(source.folder).resolve() for source, _ in parts]
    return within(crops, output) and not any(within(crops, one) or within(one, crops) for one in folders)


@contextmanager
def fresh_output(output: Path, parts: Parts, hard: bool) -> Iterator[None]:
    """Clear the folder, mark what an evaluation (with a ``hard``-sample model?) writes there, and clear it again when
    the block does not end well.

    Raises:
        DataError: the list of earlier crops is damaged, or the folder cannot be written to.
    """
    existed = output.exists()
    clear_output(output, parts)
    try:
        mark(output, _written(parts, hard))
        yield
    except BaseException:
        with suppress(FairfaceError, OSError):
            clear_output(output, parts)
            if not existed:
                output.rmdir()
        raise


def _written(parts: Parts, hard: bool) -> Iterator[str]:
    for prefix, (source, truth) in zip(("", f"{CALIBRATION}/"), parts, strict=False):
        names = [PREDICTIONS, THREE_STEP_FILE, *([HARD_FILE] if hard else []), *([] if prefix else [FAIRNESS, REPORT])]
        names += [TRUTH] if truth.known and not truth.truth else []
        names += [ALIGNED] if source.photos else []
        yield from (prefix + name for name in names)


def clear_output(output: Path, parts: Parts) -> None:
    """Remove from ``output`` what is marked as an earlier evaluation's, so that all that lies there is of one run.

    What a new evaluation of ``parts`` reads stays, and so does everything that a link puts elsewhere.

    Raises:
        DataError: the list of the earlier crops is damaged.
    """
    read, ours = set(files_read(parts)), marked(output)
    if not ours:
        return
    for place in places(output):
        if not within(place, output):
            continue
        for name in FILES:
            path = place / name
            if name_in(path, output) in ours and path.resolve() not in read:
                path.unlink(missing_ok=True)
        crops = place / ALIGNED
        if name_in(crops, output) in ours and _cleared(crops, output, parts):
            _clear_crops(crops, read)
    with suppress(OSError):  # it is not there, or holds something else
        places(output)[1].rmdir()
    left = [name for name in ours if name and os.path.lexists(output / name)]
    (output / MARKER).unlink(missing_ok=True)
    if left:
        mark(output, left)


def _clear_crops(folder: Path, read: Collection[Path]) -> None:
    """Remove the crops that the table of landmarks names, then the lists, then folders that became empty."""
    if not _is_ours(folder):
        return
    try:
        journal = Journal(folder, LANDMARKS, True)
    except DataError as error:
        raise DataError(f"{error} (which of the crops there are old cannot be told; or remove {folder})") from error
    config = AlignConfig(format="png")
    crops = [folder / output_name(name, config) for name in journal.rows]
    for path in crops:
        if within(path, folder) and path.resolve() not in read:
            path.unlink(missing_ok=True)
    journal.remove()
    for name in (LANDMARKS, *_LISTS):
        if (folder / name).resolve() not in read:
            (folder / name).unlink(missing_ok=True)
    emptied = {folder} | {parent for path in crops for parent in path.parents if parent.is_relative_to(folder)}
    for parent in sorted(emptied, reverse=True):  # the deepest first
        with suppress(OSError):  # it holds something else, or leads elsewhere
            parent.rmdir()


def _is_ours(folder: Path) -> bool:
    """Whether the settings there are those of an evaluation's crops; another program's are left alone."""
    try:
        settings = json.loads((folder / SETTINGS).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(settings, dict) and settings.get("format") == "png" and settings.get("rescue") is True
