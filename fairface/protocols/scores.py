"""Scores that come in a file of their own, put to the comparisons that they belong to."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fairface.comparisons import Comparisons
from fairface.data.npz import UNREADABLE
from fairface.data.table import read_csv_table
from fairface.errors import DataError
from fairface.protocols.challenge import FIRST, SECOND
from fairface.protocols.columns import image_columns, numbers
from fairface.protocols.names import NameIndex
from fairface.quantity import agree, quantity

SCORE = ("score",)


@dataclass(frozen=True)
class PairScores:
    """A score (NaN where there is none) for each of a list of pairs of names; ``source`` is the file."""

    source: str
    first: Sequence[str]
    second: Sequence[str]
    scores: NDArray[np.float64]


def read_pair_scores(path: str | os.PathLike[str], column: str | None = None) -> PairScores:
    """A CSV file with two columns of names (image_a and image_b …, or ID1 and ID2) and one of scores.

    Raises:
        DataError: a missing column or name, or a score that is no number.
    """
    table = read_csv_table(path)
    names = (column,) if column else SCORE
    table.column(*names)
    scores = np.array(numbers(table, table.find(*names) or names[0]), np.float64)
    first, second = image_columns(table) or (table.find(*FIRST) or "image_a", table.find(*SECOND) or "image_b")
    return PairScores(table.source, table.filled(first), table.filled(second), scores)


def read_score_array(path: str | os.PathLike[str], count: int) -> NDArray[np.float64]:
    """Scores from a ``.npy`` file, one for each of ``count`` comparisons in their order.

    Raises:
        DataError: no array of numbers, or of another length.
    """
    wanted = f"{quantity(count, 'number')}, one for each comparison in the order of the list"
    return read_numbers(path, (count,), wanted)


def read_numbers(path: str | os.PathLike[str], shape: tuple[int, ...], wanted: str) -> NDArray[np.float64]:
    """Numbers of ``shape`` from a ``.npy`` file; an error says what it must hold in the words ``wanted``.

    Raises:
        DataError: the file is damaged or holds pickled objects, no numbers, or another shape.
    """
    try:
        found = np.load(path, allow_pickle=False)
    except UNREADABLE as error:
        raise DataError(f"{path}: cannot be read as .npy without pickled objects ({error})") from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); correct the path") from error
    if not isinstance(found, np.ndarray) or found.dtype.kind not in "fiu" or found.shape != shape:
        held = f"a {found.dtype} array of shape {found.shape}" if isinstance(found, np.ndarray) else "several arrays"
        raise DataError(f"{path}: holds {held}; it must hold {wanted}")
    return found.astype(np.float64)


def read_scores(
    path: str | os.PathLike[str], comparisons: Comparisons, excused: NDArray[np.bool_] | None = None
) -> NDArray[np.float64]:
    """Scores of ``comparisons`` from a ``.npy`` file in their order, or from a CSV file by the names of the images; see
    :func:`match_scores` for ``excused``."""
    if Path(path).suffix.lower() == ".npy":
        return read_score_array(path, len(comparisons))
    return match_scores(comparisons, read_pair_scores(path), excused)


def match_scores(
    comparisons: Comparisons, given: PairScores, excused: NDArray[np.bool_] | None = None
) -> NDArray[np.float64]:
    """(M,) the score of each comparison; a pair may be named in either order.

    Comparisons that are ``excused (M,)`` may have no score; it is NaN then.

    Raises:
        DataError: the comparisons name no images; comparisons without a score or scores of other pairs (both are
            counted); a pair with two different scores.
    """
    if not comparisons.names:
        raise DataError(f"{given.source}: the comparisons name no images, so scores cannot be assigned to them")
    index = NameIndex(comparisons.names)
    a, b = index.find_all(given.first), index.find_all(given.second)
    count = len(comparisons.names)
    keys = np.where((a < 0) | (b < 0), -1, np.minimum(a, b) * count + np.maximum(a, b))
    wanted = np.minimum(comparisons.a, comparisons.b) * count + np.maximum(comparisons.a, comparisons.b)
    order = np.argsort(keys, kind="stable")
    found = np.minimum(np.searchsorted(keys[order], wanted), len(keys) - 1)
    missing = keys[order][found] != wanted
    strange = ~np.isin(keys, wanted)
    lacking = missing if excused is None else missing & ~excused
    if lacking.any() or strange.any():
        raise DataError(_different_pairs(comparisons, given, lacking, strange))
    again = np.flatnonzero(np.diff(keys[order]) == 0)
    values = given.scores[order]
    clash = again[~np.isclose(values[again], values[again + 1], rtol=0, atol=0, equal_nan=True)]
    if len(clash):
        row = order[clash[0] + 1]
        raise DataError(
            f"{given.source}: {quantity(len(clash), 'pair is', 'pairs are')} listed again with another score (first: "
            f"{given.first[row]} and {given.second[row]}); give one score for each pair"
        )
    return np.where(missing, np.nan, values[found])


def check_scored(comparisons: Comparisons, scores: NDArray[np.float64], source: str) -> None:
    """Refuse ``scores (M,)`` that are not finite, and name the first comparison that has such a one.

    Raises:
        DataError: there is one; ``source`` names the scores.
    """
    missing = np.flatnonzero(~np.isfinite(scores))
    if not len(missing):
        return
    a, b = comparisons.a[missing[0]], comparisons.b[missing[0]]
    first = f"{comparisons.names[a]} and {comparisons.names[b]}" if comparisons.names else f"pair {missing[0] + 1}"
    raise DataError(
        f"{source}: {len(missing)} of {quantity(len(scores), 'comparison')} {agree(len(missing), 'has', 'have')} no "
        f"score, or one that is not a number (first: {first}); correct them, or use --unscored leave_out or no_match, "
        "or --leave-out-failures with a list of --failures"
    )


def _different_pairs(
    comparisons: Comparisons, given: PairScores, missing: NDArray[np.bool_], strange: NDArray[np.bool_]
) -> str:
    parts = []
    if missing.any():
        first = int(np.argmax(missing))
        pair = f"{comparisons.names[comparisons.a[first]]} and {comparisons.names[comparisons.b[first]]}"
        parts.append(
            f"{int(missing.sum())} of {quantity(len(missing), 'comparison')} "
            f"{agree(int(missing.sum()), 'has', 'have')} no score (first: {pair})"
        )
    if strange.any():
        first = int(np.argmax(strange))
        pair = f"{given.first[first]} and {given.second[first]}"
        others = f"{int(strange.sum())} of {quantity(len(strange), 'score')}"
        parts.append(
            f"{others} {agree(int(strange.sum()), 'is', 'are')} of pairs that are not compared (first: {pair})"
        )
    return f"{given.source}: {'; '.join(parts)}; truth and scores must be about the same pairs"
