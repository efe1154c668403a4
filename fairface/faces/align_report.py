"""What became of a folder of photographs: the counts, and the lists that are written beside the crops."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from fairface.faces.landmarks import Landmarks
from fairface.files import atomic_write

NO_FACE, UNREADABLE, FAILURES = "no_face.txt", "unreadable.txt", "failures.txt"


@dataclass(frozen=True)
class AlignReport:
    """What became of the ``photographs``: aligned now, ``finished`` before (resume), without a face, not readable.

    ``unreadable`` holds (name, reason); ``ignored`` names files that are no photographs or of kinds that cannot be
    read, ``unused`` counts given landmarks whose photograph is not there. ``forced``, ``rotated`` and ``cropped`` name
    what :mod:`fairface.faces.rescue` saved,
    now or before; the first two are among the aligned ones, ``cropped`` has a crop but no face.
    """

    photographs: int
    aligned: int
    finished: int
    no_face: tuple[str, ...]
    unreadable: tuple[tuple[str, str], ...]
    ignored: tuple[str, ...]
    unused: int
    forced: tuple[str, ...] = ()
    rotated: tuple[str, ...] = ()
    cropped: tuple[str, ...] = ()

    @property
    def failed(self) -> tuple[str, ...]:
        """The readable photographs whose face was not found in the normal way, in the order of their names."""
        return tuple(sorted((*self.forced, *self.rotated, *self.cropped, *self.no_face)))


def names_by_way(rows: Mapping[str, Landmarks]) -> dict[str, tuple[str, ...]]:
    """Sorted names of the photographs by what ``how`` of their rows says."""
    found: dict[str, list[str]] = {}
    for name, row in rows.items():
        found.setdefault(row.how, []).append(name)
    return {how: tuple(sorted(names)) for how, names in found.items()}


def write_lists(folder: Path, report: AlignReport, rescue: bool) -> None:
    """Write no_face.txt, with ``rescue`` failures.txt, and unreadable.txt where there are any.

    Lists of an earlier run that do not hold any more are removed.

    Raises:
        DataError: a list cannot be written.
    """
    _write(folder / NO_FACE, report.no_face)
    _write(folder / FAILURES, report.failed if rescue else None)
    _write(folder / UNREADABLE, [f"{name}\t{problem}" for name, problem in report.unreadable] or None)


def _write(path: Path, lines: Iterable[str] | None) -> None:
    if lines is None:
        with suppress(FileNotFoundError):
            path.unlink()
        return
    with atomic_write(path, "w", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in lines)
