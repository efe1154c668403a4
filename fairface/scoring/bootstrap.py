"""Confidence intervals of AUC, TAR and other shares that respect that comparisons share subjects.

Two comparisons of one subject are not independent, so **subjects** are drawn with replacement, not comparisons. A
subject drawn w times brings the own genuine comparisons w times; an impostor comparison of two subjects counts w_a x
w_b times (two draws of one subject are not compared with each other). The interval is Wilson's with the variance of the
measure over the rounds: percentiles of the rounds end at 1 near 1, whatever is true.
Source: the vertex bootstrap (Snijders and Borgatti 1999) applied to similarity scores.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from fairface.comparisons import Comparisons
from fairface.errors import DataError
from fairface.scoring.measure import Interval, most_within
from fairface.scoring.roc import check_scores

_TINY = 1e-12  # rounding errors


def subject_draws(subjects: int, rounds: int, seed: int) -> Iterator[NDArray[np.int64]]:
    """``rounds`` times how often each of the ``subjects`` was drawn: (S,) int64 that sum to S."""
    rng = np.random.default_rng(seed)
    for _ in range(rounds):
        yield np.bincount(rng.integers(0, subjects, subjects), minlength=subjects)


def bootstrap_intervals(
    scores: NDArray[np.floating],
    comparisons: Comparisons,
    fmr: Sequence[float] = (1e-2, 1e-3, 1e-4),
    rounds: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> tuple[Interval, list[Interval]]:
    """Subject-level bootstrap intervals of the AUC and of TAR at each FMR of ``fmr``.

    Each is a :func:`share_interval`. Sorting is done once; a round costs one weighted running sum over the comparisons.
    Rounds that happen to draw no genuine or no impostor comparison are left out and not counted in ``Interval.rounds``.

    Raises:
        DataError: the comparisons do not say who is shown, show fewer than two subjects, or have unusable scores.
    """
    check_scores(scores, comparisons.same)
    sorted_scores = SortedComparisons.of(scores, comparisons)
    auc_rounds, tar_rounds = [], []
    for drawn in subject_draws(sorted_scores.subjects, rounds, seed):
        measured = sorted_scores.measure(drawn.astype(np.float64), fmr)
        if measured is not None:
            auc_rounds.append(measured[0])
            tar_rounds.append(measured[1:])
    tars = np.array(tar_rounds).reshape(len(tar_rounds), len(fmr))
    measured = sorted_scores.measure(np.ones(sorted_scores.subjects), fmr)
    assert measured is not None  # check_scores
    genuine, both = sorted_scores.independent()
    of_tar = [share_interval(*of, level, genuine) for of in zip(measured[1:], tars.T, strict=True)]
    return share_interval(measured[0], np.array(auc_rounds), level, genuine, both), of_tar


def percentile_interval(values: NDArray[np.float64], level: float) -> Interval:
    """The interval between the percentiles of ``values`` (R,), one of each round; NaN where there are none."""
    if len(values) == 0:
        return Interval(np.nan, np.nan, level, 0)
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(low), float(high), level, len(values))


def share_interval(
    value: float, rounds: NDArray[np.float64], level: float, subjects: int, independent: int = 0
) -> Interval:
    """Wilson's interval of a mean of numbers from 0 to 1, such as a share, with the variance of ``rounds`` (R,).

    ``subjects`` give Student's t its degrees of freedom. Where ``value`` is 0 or 1 the interval is the exact binomial
    one of as many trials (of ``independent`` ones, where a trial takes more than one subject), or reaches to the
    percentile of the rounds, each with its own threshold, if that lies further. Both ends are ``value`` where all
    rounds give that, though it is neither 0 nor 1 (:attr:`Interval.without_width`). NaN without rounds.
    """
    if len(rounds) == 0:
        return Interval(np.nan, np.nan, level, 0)
    variance, tail = float(np.var(rounds)), (1 - level) / 2
    if not _TINY < value < 1 - _TINY:
        bound = 1 - tail ** (1 / max(independent or subjects, 1))
        if value < 0.5:
            low, high = 0.0, max(bound, float(np.quantile(rounds, 1 - tail)))
        else:
            low, high = min(1 - bound, float(np.quantile(rounds, tail))), 1.0
    elif variance < _TINY**2:
        low = high = value
    else:
        n, t = value * (1 - value) / variance, float(stats.t.ppf(1 - tail, max(subjects - 1, 1)))
        centre, half = value + t * t / (2 * n), t * np.sqrt(variance + t * t / (4 * n * n))
        low, high = float((centre - half) / (1 + t * t / n)), float((centre + half) / (1 + t * t / n))
    return Interval(low, high, level, len(rounds))


@dataclass(frozen=True)
class SortedComparisons:
    """Comparisons by falling score, genuine and impostor apart, with their places among each other.

    ``numbers`` (S,) are the numbers of the subjects in rising order, which is the order of their draws.
    ``impostors_above`` and ``impostors_from`` (G,) count the impostor scores above, and at or above, each genuine
    score; ``genuine_above`` (I + 1,) counts the genuine scores above each impostor score (the last: all of them).
    """

    numbers: NDArray[np.int64]
    genuine_subject: NDArray[np.intp]
    impostor_a: NDArray[np.intp]
    impostor_b: NDArray[np.intp]
    impostors_above: NDArray[np.intp]
    impostors_from: NDArray[np.intp]
    genuine_above: NDArray[np.intp]

    @property
    def subjects(self) -> int:
        """How many there are."""
        return len(self.numbers)

    def independent(self) -> tuple[int, int]:
        """How many genuine comparisons share no subject, and how many sets of a genuine and an impostor one."""
        genuine = len(np.unique(self.genuine_subject))
        impostor = len(np.unique(np.concatenate([self.impostor_a, self.impostor_b]))) // 2
        return genuine, max(min(genuine, impostor), 1)

    @classmethod
    def of(cls, scores: NDArray[np.floating], comparisons: Comparisons) -> SortedComparisons:
        """The comparisons with their scores.

        Raises:
            DataError: subjects that are not named, or that contradict what is genuine.
        """
        same, pairs = comparisons.same, np.stack([comparisons.subject_a, comparisons.subject_b])
        if (pairs < 0).any():
            raise DataError("the comparisons name no subjects, so subjects cannot be resampled; add subjects")
        if not np.array_equal(pairs[0] == pairs[1], same):
            raise DataError("some comparisons are genuine between two subjects or impostor within one; correct them")
        named, codes = np.unique(pairs, return_inverse=True)
        codes = codes.reshape(pairs.shape)
        genuine, impostor = (np.flatnonzero(kind)[np.argsort(-scores[kind], kind="stable")] for kind in (same, ~same))
        falling_genuine, falling_impostor = -scores[genuine], -scores[impostor]
        return cls(
            numbers=named,
            genuine_subject=codes[0][genuine],
            impostor_a=codes[0][impostor],
            impostor_b=codes[1][impostor],
            impostors_above=np.searchsorted(falling_impostor, falling_genuine, side="left"),
            impostors_from=np.searchsorted(falling_impostor, falling_genuine, side="right"),
            genuine_above=np.append(np.searchsorted(falling_genuine, falling_impostor, side="left"), len(genuine)),
        )

    def measure(self, drawn: NDArray[np.float64], fmr: Sequence[float]) -> list[float] | None:
        """AUC and TAR at each FMR when subject s counts ``drawn[s]`` times; None where a kind is missing."""
        genuine = drawn[self.genuine_subject]
        impostors = np.concatenate([[0.0], np.cumsum(drawn[self.impostor_a] * drawn[self.impostor_b])])
        total, matches = impostors[-1], np.concatenate([[0.0], np.cumsum(genuine)])
        if total == 0 or matches[-1] == 0:
            return None
        beaten = total - (impostors[self.impostors_above] + impostors[self.impostors_from]) / 2.0
        result = [float(genuine @ beaten) / (float(matches[-1]) * float(total))]
        for target in fmr:
            # The first impostor whose match would be one too many; the threshold lies above it.
            first_beyond = int(np.searchsorted(impostors[1:], most_within(target, float(total)), side="right"))
            result.append(float(matches[self.genuine_above[first_beyond]] / matches[-1]))
        return result
