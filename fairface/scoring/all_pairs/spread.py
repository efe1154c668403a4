"""Confidence intervals over subjects of AUC and TAR of all pairs, in closed form.

As in :mod:`fairface.scoring.fairness.spread`: with d_s the sum of what the comparisons of subject s add to the
deviation of a figure, its variance is the sum of d_s^2, less once what two subjects share. The threshold of a TAR is
itself estimated from impostors: a false match more moves it, and the TAR with it, by the slope of the ROC. Subjects
with a large share of the comparisons count by their leverage, as there.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from fairface.scoring.all_pairs.layout import Layout
from fairface.scoring.all_pairs.placements import Placements
from fairface.scoring.fairness.spread import leverage
from fairface.scoring.measure import Interval
from fairface.scoring.roc import Roc

_SLOPE = 1.25  # the slope of the ROC is taken from FMR / 1.25 to FMR * 1.25
_LEAST_FREEDOM = 3.0


@dataclass(frozen=True)
class Trials:
    """How many pairs of each kind each subject is in: (S,)."""

    genuine: NDArray[np.float64]
    impostor: NDArray[np.float64]

    @classmethod
    def of(cls, layout: Layout) -> Trials:
        images = np.bincount(layout.subject, minlength=layout.subjects).astype(np.float64)
        return cls(images * (images - 1) / 2, images * (len(layout) - images))

    def leverages(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """(S,) of each subject among the genuine and among the impostor pairs."""
        of_genuine = leverage(self.genuine / self.genuine.sum(), float((self.genuine > 0).sum()), genuine=True)
        of_impostor = leverage(2 * self.impostor / self.impostor.sum(), float(len(self.impostor)), genuine=False)
        return of_genuine, of_impostor

    @property
    def equal_subjects(self) -> float:
        """How many subjects with equally many pairs each would tell as much about the kind of pairs that tells less."""
        return min(float(of.sum() ** 2 / np.square(of).sum()) for of in (self.genuine, self.impostor))


def by_subject(layout: Layout, of_image: NDArray[np.int64]) -> NDArray[np.float64]:
    """(2, S) sums over each subject's images of ``of_image (2, N)``; a genuine pair, of two of its images, is one."""
    sums = np.stack([np.bincount(layout.subject, row, layout.subjects) for row in of_image])
    return np.asarray(sums / np.array([[2.0], [1.0]]))


def tar_interval(layout: Layout, roc: Roc, matches: NDArray[np.float64], squares: float, level: float) -> Interval:
    """Of the TAR with ``matches (2, S)`` of each subject; ``squares`` is the sum over pairs of subjects of the squared
    deviations of their false matches."""
    trials = Trials.of(layout)
    tar, fmr = matches[0].sum() / roc.genuine, matches[1].sum() / 2 / roc.impostor
    slope = _slope(roc, fmr)
    genuine = (matches[0] - tar * trials.genuine) / roc.genuine
    impostor = slope * (matches[1] - fmr * trials.impostor) / roc.impostor
    shared = slope**2 * squares / roc.impostor**2
    return _interval(float(tar), (genuine, -impostor), trials, shared, level)


def auc_interval(layout: Layout, area: float, placed: Placements, level: float) -> Interval:
    """Of the AUC ``area``."""
    trials = Trials.of(layout)
    genuine = (placed.of_subject[0] - area * trials.genuine) / layout.genuine
    impostor = (placed.of_subject[1] - area * trials.impostor) / layout.impostor
    return _interval(area, (genuine, impostor), trials, placed.squares / layout.impostor**2, level)


def _slope(roc: Roc, fmr: float) -> float:
    at = np.clip([fmr / _SLOPE, fmr * _SLOPE], 0.0, 1.0)
    tar = np.interp(at, roc.fmr, roc.tar)
    return float((tar[1] - tar[0]) / (at[1] - at[0])) if at[1] > at[0] else 0.0


def _interval(
    value: float, parts: tuple[NDArray[np.float64], NDArray[np.float64]], trials: Trials, shared: float, level: float
) -> Interval:
    """A t interval on the logit scale, which keeps it between 0 and 1; rounds are 0, as nothing was resampled.

    ``parts`` are (S,) what the genuine and the impostor pairs of each subject add to the deviation.
    """
    factors = trials.leverages()
    deviations = parts[0] * factors[0] + parts[1] * factors[1]
    second, fourth, count = np.square(deviations).sum(), (deviations**4).sum(), len(deviations)
    variance = max(float(second) - shared, shared, 0.0)
    if not 0.0 < value < 1.0 or not variance > 0.0:
        return Interval(np.nan, np.nan, level, 0)
    kurtosis = fourth * count / second**2
    most = max(min(count, trials.equal_subjects) - 1.0, 1.0)
    freedom = np.clip(2.0 * count / (kurtosis - 1.0 + 2.0 / (count - 1.0)), min(_LEAST_FREEDOM, most), most)
    centre = np.log(value / (1.0 - value))
    half = stats.t.ppf((1.0 + level) / 2.0, freedom) * np.sqrt(variance) / (value * (1.0 - value))
    return Interval(float(1 / (1 + np.exp(half - centre))), float(1 / (1 + np.exp(-half - centre))), level, 0)
