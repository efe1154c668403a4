"""How much verification differs between two sets, such as unmasked and masked faces, with intervals.

A round of the bootstrap draws for both sets and takes the difference of what it measures in them. Where the sets share
what is drawn, the draw is one for both: the difference of the same people, or pairs, has a narrower interval than two
separate ones. Sources: see :mod:`fairface.scoring.bootstrap`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from fairface.comparisons import Comparisons
from fairface.scoring.bootstrap import SortedComparisons, percentile_interval, subject_draws
from fairface.scoring.measure import Interval
from fairface.scoring.roc import check_scores
from fairface.scoring.verification import fmr_key
from fairface.scoring.weighted_eer import WeightedEer

Scored = tuple[NDArray[np.float64], Comparisons]


@dataclass(frozen=True)
class SetDifference:
    """Intervals of the second set's measures minus the first's, keyed "auc", "eer", "tar@0.01".

    Attributes:
        same_pairs: the sets compare pair by pair the same, as far as they tell.
        drawn: what a round draws, for people: such as "subjects of both sets".
        over_subjects: subjects are drawn; intervals of drawn pairs are too narrow for a verdict.
    """

    intervals: dict[str, Interval]
    same_pairs: bool
    drawn: str
    over_subjects: bool


@dataclass(frozen=True)
class _Units:
    """What is drawn: the comparisons with numbers of units as subjects, and how many units each draw has."""

    sets: tuple[Comparisons, Comparisons]
    sizes: tuple[int, ...]
    drawn: str
    over_subjects: bool = True


def set_difference(
    first: Scored,
    second: Scored,
    fmr: Sequence[float] = (1e-2, 1e-3, 1e-4),
    rounds: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> SetDifference:
    """Bootstrap intervals of the difference of two sets: AUC, EER, and TAR at each FMR of ``fmr``.

    Drawn are the subjects, by name where both sets name them, else by number where the pairs are the same. Where a set
    names no subjects, pairs are drawn; such an interval is too narrow where people are in several pairs, so it decides
    nothing (:attr:`SetDifference.over_subjects`).

    Raises:
        DataError: scores that are not finite, one kind of comparison only, or subjects that contradict the truth.
    """
    for scores, comparisons in (first, second):
        check_scores(scores, comparisons.same)
    same_pairs = _same_pairs(first[1], second[1])
    units = _units(first[1], second[1], same_pairs)
    sets = [_Measured.of(of[0], used) for of, used in zip((first, second), units.sets, strict=True)]
    differences = []
    draws = [subject_draws(size, rounds, seed + place) for place, size in enumerate(units.sizes)]
    for drawn in zip(*draws, strict=True):
        # The last number stands for whatever is not drawn: the second end of an impostor pair that is drawn whole.
        weights = np.concatenate([*drawn, [1]]).astype(np.float64)
        measured = [of.measure(weights, fmr) for of in sets]
        if measured[0] is not None and measured[1] is not None:
            differences.append(np.subtract(measured[1], measured[0]))
    columns = np.array(differences).reshape(len(differences), 2 + len(fmr)).T
    keys = ["auc", "eer", *(f"tar@{fmr_key(target)}" for target in fmr)]
    intervals = {key: percentile_interval(column, level) for key, column in zip(keys, columns, strict=True)}
    return SetDifference(intervals, same_pairs, units.drawn, units.over_subjects)


@dataclass(frozen=True)
class _Measured:
    """One set, sorted once."""

    comparisons: Comparisons
    by_score: SortedComparisons
    error_rate: WeightedEer

    @classmethod
    def of(cls, scores: NDArray[np.float64], comparisons: Comparisons) -> _Measured:
        of_scores = SortedComparisons.of(scores, comparisons)
        return cls(comparisons, of_scores, WeightedEer.of(scores, comparisons.same))

    def measure(self, weights: NDArray[np.float64], fmr: Sequence[float]) -> list[float] | None:
        """AUC, EER and TAR when unit u counts ``weights[u]``; None where a kind of comparison is missing."""
        found = self.by_score.measure(weights[self.by_score.numbers], fmr)
        if found is None:
            return None
        first, second = (weights[end] for end in (self.comparisons.subject_a, self.comparisons.subject_b))
        rate = self.error_rate.measure(np.where(self.comparisons.same, first, first * second))
        return [found[0], rate, *found[1:]]


def _same_pairs(first: Comparisons, second: Comparisons) -> bool:
    """Whether nothing tells the pairs of two sets apart: their number, the truth, and who is shown."""
    if not np.array_equal(first.same, second.same):
        return False
    if not _named(first) or not _named(second):
        return True
    ends = [np.stack([of.subject_a, of.subject_b]) for of in (first, second)]
    if first.subject_names and second.subject_names:
        ends = [np.array(of.subject_names)[end] for of, end in zip((first, second), ends, strict=True)]
    return np.array_equal(ends[0], ends[1])


def _units(first: Comparisons, second: Comparisons, same_pairs: bool) -> _Units:
    sets = first, second
    if not (_named(first) and _named(second)):
        return _pairs_as_units(sets, same_pairs)
    ends = [np.stack([of.subject_a, of.subject_b]) for of in sets]
    by_name = bool(first.subject_names and second.subject_names)
    if by_name or same_pairs:
        told = [np.array(of.subject_names)[end] if by_name else end for of, end in zip(sets, ends, strict=True)]
        known, codes = np.unique(np.concatenate(told, axis=1), return_inverse=True)
        parts = np.split(codes.reshape(2, -1), [len(first)], axis=1)
        return _Units(_renamed(sets, parts), (len(known),), "subjects of both sets")
    one, other = (np.unique(end, return_inverse=True) for end in ends)
    parts = [one[1].reshape(2, -1), other[1].reshape(2, -1) + len(one[0])]
    return _Units(_renamed(sets, parts), (len(one[0]), len(other[0])), "subjects of each set")


def _pairs_as_units(sets: tuple[Comparisons, Comparisons], same_pairs: bool) -> _Units:
    sizes = (len(sets[0]),) if same_pairs else (len(sets[0]), len(sets[1]))
    starts = (0, 0) if same_pairs else (0, len(sets[0]))
    parts = []
    for of, start in zip(sets, starts, strict=True):
        own = start + np.arange(len(of))
        parts.append(np.stack([own, np.where(of.same, own, sum(sizes))]))
    drawn = "the same pairs of both sets" if same_pairs else "pairs of each set"
    return _Units(_renamed(sets, parts), sizes, drawn, over_subjects=False)


def _renamed(
    sets: tuple[Comparisons, Comparisons], ends: Sequence[NDArray[np.integer]]
) -> tuple[Comparisons, Comparisons]:
    """The comparisons with other numbers (2, M) of their subjects."""
    first, second = (replace(of, subject_a=end[0].astype(np.int64), subject_b=end[1].astype(np.int64))
                     for of, end in zip(sets, ends, strict=True))  # fmt: skip
    return first, second


def _named(comparisons: Comparisons) -> bool:
    return bool((comparisons.subject_a >= 0).all() and (comparisons.subject_b >= 0).all())
