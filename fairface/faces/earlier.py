"""What an output folder of alignment holds of other photographs: refused, or kept where that is asked for."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from fairface.data.image_kinds import readable_suffixes, suffix_of
from fairface.errors import DataError
from fairface.faces.align_report import UNREADABLE, AlignReport, names_by_way
from fairface.faces.landmarks import Landmarks, read_landmarks
from fairface.faces.photographs import walk
from fairface.quantity import quantity


def check_earlier(out: Path, base: Path, there: Collection[str], table: str, add: bool) -> None:
    """Refuse an ``out`` with images or rows of ``table`` that are of no photograph below ``base``, unless ``add``.

    Raises:
        DataError: it has some; people of two sets would be mixed, and the rows of one would be lost.
    """
    if add or not out.is_dir():
        return
    strangers = sorted((_images(out) | _rows(out / table).keys()) - {_stem(name) for name in there})
    if strangers:
        raise DataError(
            f"{out}: holds {quantity(len(strangers), 'image')} of other photographs than those of {base} "
            f"({strangers[0]} first); choose an empty folder, or --add to keep them and add these"
        )


def check_added(out: Path, chosen: Sequence[str], rows: Mapping[str, Landmarks], table: str) -> None:
    """Refuse to add photographs that ``out`` or its ``rows`` have already.

    Raises:
        DataError: the first one is named.
    """
    taken = _images(out) | {_stem(name) for name in rows} if out.is_dir() else set()
    again = [name for name in chosen if _stem(name) in taken]
    if again:
        raise DataError(
            f"{out}: {again[0]} is there already ({quantity(len(again), 'such photograph')}); rename them, or go on "
            f"with --resume if they are of a run with --add that was stopped (rows: {table})"
        )


def with_earlier(report: AlignReport, out: Path, rows: Mapping[str, Landmarks]) -> AlignReport:
    """``report`` with everything that ``out`` lists of earlier runs: all ``rows``, and what could not be read."""
    ways = names_by_way(rows)
    again = {name for name, _ in report.unreadable} | rows.keys()
    before = [line.partition("\t") for line in _lines(out / UNREADABLE)]
    unreadable = [*report.unreadable, *((name, problem) for name, _, problem in before if name not in again)]
    return replace(
        report, no_face=ways.get("none", ()), forced=ways.get("forced", ()), rotated=ways.get("rotated", ()),
        cropped=ways.get("cropped", ()), unreadable=tuple(sorted(unreadable)),
    )  # fmt: skip


def _stem(name: str) -> str:
    return str(PurePosixPath(name).with_suffix(""))


def _images(folder: Path) -> set[str]:
    readable = readable_suffixes()
    return {
        _stem((inner / file).relative_to(folder).as_posix())
        for inner, files in walk(folder)
        for file in files
        if not file.startswith(".") and suffix_of(file) in readable
    }


def _rows(path: Path) -> dict[str, Landmarks]:
    return {_stem(name): row for name, row in read_landmarks(path).items()} if path.exists() else {}


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []
