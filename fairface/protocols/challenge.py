"""The files of the ECCV 2020 ChaLearn fair-face challenge: pairs of image ids and scores as ``ID1,ID2,SCORE``.

The first line is the header; ``TEMPLATE_ID1`` and ``TEMPLATE_ID2`` are read too. In a template the scores are
placeholders. How the organisers write the truth is not published with the data set's description, so any CSV with the
two ids and a column of 1 (same) or 0 is read.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fairface.data.images import IMAGE_SUFFIXES
from fairface.errors import DataError
from fairface.files import atomic_write
from fairface.protocols.build import PairRows, comparisons_of_rows
from fairface.protocols.comparisons import Comparisons
from fairface.protocols.csv_table import CsvTable, read_csv_table, truths
from fairface.protocols.plain_csv import TRUTH

HEADER = ("ID1", "ID2", "SCORE")
FIRST, SECOND = ("ID1", "TEMPLATE_ID1"), ("ID2", "TEMPLATE_ID2")


@dataclass(frozen=True)
class Template:
    """The pairs to be scored: two ids each, in the order of the file ``source``, whose first line is ``header``."""

    source: str
    first: tuple[str, ...]
    second: tuple[str, ...]
    header: tuple[str, ...] = HEADER

    @property
    def ids(self) -> tuple[str, ...]:
        """Every id once, in the order of first mention."""
        return tuple(dict.fromkeys([*self.first, *self.second]))


def read_template(path: str | os.PathLike[str]) -> Template:
    """The pairs of a template or of predictions.

    Raises:
        DataError: a missing column or id, or a pair that is named twice (in either order).
    """
    table = read_csv_table(path)
    table.column(HEADER[2])
    first, second = table.filled(*FIRST), table.filled(*SECOND)
    seen: dict[tuple[str, str], int] = {}
    for row, pair in enumerate(zip(first, second, strict=True)):
        before = seen.setdefault((min(pair), max(pair)), row)
        if before != row:
            raise DataError(
                f"{table.where(row)}: the pair {pair[0]} and {pair[1]} stands in line {table.lines[before]} already; "
                "name each pair once"
            )
    names = [table.find(*FIRST), table.find(*SECOND), table.find(HEADER[2])]
    return Template(table.source, tuple(first), tuple(second), tuple(name for name in names if name))


def photographs_of(template: Template, files: Sequence[str]) -> dict[str, str]:
    """The photograph of each id: the one of ``files`` (paths) whose name without folder and suffix is the id.

    Raises:
        DataError: ids without a photograph (counted, the first few named), or with two.
    """
    found: dict[str, str] = {}
    wanted = set(template.ids)
    for file in files:
        path = Path(file)
        if path.suffix.lower() not in IMAGE_SUFFIXES or path.stem not in wanted:
            continue
        if path.stem in found:
            raise DataError(f"{template.source}: id {path.stem} has two photographs, {found[path.stem]} and {file}")
        found[path.stem] = str(file)
    missing = [name for name in template.ids if name not in found]
    if missing:
        raise DataError(
            f"{template.source}: {len(missing)} of {len(template.ids)} ids have no photograph "
            f"({', '.join(missing[:3])}{', …' if len(missing) > 3 else ''}); add them or take their pairs out"
        )
    return found


def write_predictions(
    path: str | os.PathLike[str], template: Template, scores: NDArray[np.floating], decimals: int = 5
) -> None:
    """Write ids and scores in the order of the template, under its header.

    Raises:
        DataError: another number of scores than pairs, a score that is not finite, or a write that fails.
    """
    if np.shape(scores) != (len(template.first),):
        raise DataError(f"{path}: {np.shape(scores)} scores for {len(template.first)} pairs; give one for each")
    bad = np.flatnonzero(~np.isfinite(scores))
    if len(bad):
        where = f"{template.first[bad[0]]} and {template.second[bad[0]]}"
        raise DataError(f"{path}: {len(bad)} scores are not finite (first: {where}); predictions must be numbers")
    rows = zip(template.first, template.second, scores, strict=True)
    with atomic_write(path, "w", encoding="utf-8", newline="") as file:
        file.write(",".join(template.header) + "\n")
        file.writelines(f"{a},{b},{score:.{decimals}f}\n" for a, b, score in rows)


def challenge_comparisons(truth: CsvTable) -> Comparisons:
    """Comparisons from the two columns of ids and one of 1 or 0: same, label, truth … or SCORE.

    Nobody is named; :func:`fairface.protocols.attributes.subjects_of_images` says who the images show.

    Raises:
        DataError: missing columns or values, pairs that contradict each other, only one kind of comparison.
    """
    first, second = truth.filled(*FIRST), truth.filled(*SECOND)
    same = truths(truth, (*TRUTH, HEADER[2]))
    rows = PairRows(image_a=first, image_b=second, same=same, fold=[-1] * len(truth), lines=truth.lines)
    return comparisons_of_rows(rows, truth.source, None)


def is_challenge(table: CsvTable) -> bool:
    """Whether the table has the challenge's ids."""
    return table.find(*FIRST) is not None and table.find(*SECOND) is not None
