"""Templates of pairs as people hand them in: read, put to the photographs of a folder, and filled with scores.

A template is ``ID1,ID2,SCORE`` (:mod:`fairface.protocols.challenge` has its form): ids are the names of photographs
without folder and suffix and stay texts (``007`` is not ``7``), scores are placeholders. Pairs that are named again and
images paired with themselves are scored as they stand, since whoever asks expects one score for each line.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray

from fairface.data.table import read_csv_table
from fairface.errors import ConfigError, DataError
from fairface.faces.photographs import list_photographs
from fairface.files import atomic_write
from fairface.protocols.challenge import FIRST, HEADER, SECOND, Template, photographs_of
from fairface.quantity import quantity

MOST_IMAGES = 10_000  # of which all pairs are made: fifty million
MOST_DECIMALS = 17  # more than a double has


def read_pair_template(path: str | os.PathLike[str]) -> Template:
    """The pairs of a CSV file in its order; whatever stands under SCORE is passed over.

    Raises:
        DataError: other columns than two of ids and SCORE in this order, a row with another number of values or an
            empty id (the line is named), or no row.
    """
    table = read_csv_table(path)
    wanted = [table.find(*FIRST), table.find(*SECOND), table.find(HEADER[2])]
    if list(table.names) != wanted:
        raise DataError(
            f"{table.source}: line 1 names {', '.join(table.names)}; a template of pairs has the columns "
            f"{','.join(HEADER)} and no other"
        )
    return Template(table.source, tuple(table.filled(*FIRST)), tuple(table.filled(*SECOND)), table.names)


def all_pairs_template(ids: Sequence[str], source: str) -> Template:
    """Every pair of ``ids``, each once; ``source`` says in messages where they come from.

    Raises:
        DataError: fewer than two ids, one that occurs twice, or more than :data:`MOST_IMAGES`.
    """
    if len(set(ids)) < len(ids):
        seen: set[str] = set()
        again = next(name for name in ids if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise DataError(f"{source}: two photographs have the name {again}; rename one of them")
    if not 2 <= len(ids) <= MOST_IMAGES:
        raise DataError(
            f"{source}: all pairs of {quantity(len(ids), 'photograph')} cannot be made; give a template of pairs"
        )
    pairs = list(combinations(ids, 2))
    return Template(source, tuple(one for one, _ in pairs), tuple(other for _, other in pairs))


def photographs_by_id(template: Template | None, folder: str | os.PathLike[str]) -> dict[str, str]:
    """The photograph of each id, as its name relative to ``folder`` (any depth); of all photographs without a template.

    Raises:
        DataError: no photograph, ids that have none (counted, the first few named), or an id that two of them bear.
    """
    names, others = list_photographs(folder)
    if template is None:
        found: dict[str, str] = {}
        for name in names:
            other = found.setdefault(PurePosixPath(name).stem, name)
            if other != name:
                raise DataError(f"{os.fspath(folder)}: {other} and {name} have the same name; rename one of them")
        return found
    try:
        return photographs_of(template, names, others)
    except DataError as error:
        raise DataError(f"{error} (photographs of {os.fspath(folder)})") from error


@dataclass(frozen=True)
class TemplateCounts:
    """What a template holds: pairs, images, pairs that repeat an earlier one (in either order), images with themselves.

    ``a`` and ``b`` (M,) int64 are the positions of the ids in ``ids``.
    """

    ids: tuple[str, ...]
    a: NDArray[np.int64]
    b: NDArray[np.int64]
    repeated: int
    self_pairs: int


def count_template(template: Template) -> TemplateCounts:
    """The template's pairs as positions, and its counts."""
    ids = template.ids
    place = {name: position for position, name in enumerate(ids)}
    a = np.fromiter((place[name] for name in template.first), np.int64, len(template.first))
    b = np.fromiter((place[name] for name in template.second), np.int64, len(template.second))
    keys = np.minimum(a, b) * len(ids) + np.maximum(a, b)
    return TemplateCounts(ids, a, b, len(keys) - len(np.unique(keys)), int((a == b).sum()))


def check_decimals(decimals: int | None) -> None:
    """Refuse a number of digits after the point that no score can have; None stands for all digits.

    Raises:
        ConfigError: it is below 0 or above :data:`MOST_DECIMALS`.
    """
    if decimals is not None and not 0 <= decimals <= MOST_DECIMALS:
        raise ConfigError(f"decimals is {decimals}; it must lie between 0 and {MOST_DECIMALS}")


def write_predictions(
    path: str | os.PathLike[str],
    template: Template,
    scores: NDArray[np.floating],
    decimals: int | None = None,
) -> None:
    """Write header, ids and scores in the order of the template; the file is whole or not there at all.

    Scores have all their digits, or ``decimals`` after the point (the challenge's programs wrote 4 and 5).

    Raises:
        ConfigError: see :func:`check_decimals`.
        DataError: another number of scores than pairs, a score that is not finite, or a write that fails.
    """
    check_decimals(decimals)
    values = np.asarray(scores, np.float64)
    if values.shape != (len(template.first),):
        raise DataError(f"{path}: {values.shape} scores for {quantity(len(template.first), 'pair')}; give one for each")
    bad = np.flatnonzero(~np.isfinite(values))
    if len(bad):
        where = f"{template.first[bad[0]]} and {template.second[bad[0]]}"
        raise DataError(
            f"{path}: {quantity(len(bad), 'score is', 'scores are')} not finite (first: {where}); predictions must "
            "be numbers"
        )
    texts = map(repr, values.tolist()) if decimals is None else (f"{value:.{decimals}f}" for value in values.tolist())
    with atomic_write(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(template.header)
        writer.writerows(zip(template.first, template.second, texts, strict=True))
