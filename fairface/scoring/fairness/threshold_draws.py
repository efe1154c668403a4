"""Which thresholds two models would have had, had other subjects set them.

In each round the subjects on whose comparisons the thresholds were set are drawn with replacement, the same ones for
both models; an impostor comparison of two drawn subjects counts w_a x w_b times, and each threshold is set anew at its
FMR. Resampling counts the noise of each pair of subjects three times, so the thresholds are then pulled towards the one
that was set, as far as the FMR at it must be to vary as the closed form says (:mod:`.spread`).
Source: the vertex bootstrap (Snijders and Borgatti 1999).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fairface.comparisons import Comparisons
from fairface.scoring.bootstrap import subject_draws
from fairface.scoring.fairness.accounting import usable_scores
from fairface.scoring.fairness.counts import Floats, Ints, check_subjects
from fairface.scoring.fairness.grouped import select
from fairface.scoring.fairness.options import FairnessOptions
from fairface.scoring.fairness.resettable_threshold import ResettableThreshold
from fairface.scoring.fairness.threshold import SharedThreshold

_OTHERS = 1  # a random stream of its own: who sets thresholds is drawn apart from who is judged
_VALUES = 4_000_000  # weights in hand at a time


@dataclass(frozen=True)
class ThresholdData:
    """The comparisons that the thresholds of two models were set on.

    Attributes:
        comparisons: of the people who set them.
        before, after: (M,) scores of either model.
        judged: these are the comparisons that are judged.
    """

    comparisons: Comparisons
    before: NDArray[np.floating]
    after: NDArray[np.floating]
    judged: bool = False


@dataclass(frozen=True)
class ThresholdDraws:
    """Thresholds of R rounds.

    Attributes:
        values: (R, 2) of the model before and of the one after; NaN where a round has no impostor comparison.
        set_at: the two that were set.
        degrees_of_freedom: of the variance over rounds.
        joint: each round draws the subjects that the same round of the rates draws.
    """

    values: NDArray[np.float64]
    set_at: tuple[float, float]
    degrees_of_freedom: float
    joint: bool = False


class DrawsOfSubjects:
    """Draws of both thresholds for any judged subjects; None where thresholds were given, or nobody is named."""

    def __init__(
        self, data: ThresholdData, thresholds: tuple[SharedThreshold, SharedThreshold], options: FairnessOptions
    ) -> None:
        self._data, self._thresholds, self._options = data, thresholds, options
        self._known: dict[bytes, ThresholdDraws] = {}

    def of(self, judged: Ints) -> ThresholdDraws | None:
        """Where the subjects ``judged`` are resampled; the same for all, where other people set the thresholds.

        Raises:
            DataError: subjects that contradict 'same'; unusable scores.
        """
        data, thresholds, options = self._data, self._thresholds, self._options
        given = any(math.isnan(of.target) for of in thresholds)
        if options.rounds == 0 or given or not check_subjects(data.comparisons):
            return None
        drawn = judged if data.judged else judged[:0]
        key = drawn.tobytes()
        if key not in self._known:
            self._known[key] = threshold_draws(data, thresholds, options, drawn)
        return self._known[key]


def threshold_draws(
    data: ThresholdData, thresholds: tuple[SharedThreshold, SharedThreshold], options: FairnessOptions, judged: Ints
) -> ThresholdDraws:
    """Both thresholds, set anew ``options.rounds`` times.

    ``judged`` are the numbers of the subjects who set the thresholds and whose rates are resampled, too, in rising
    order: each round draws them as the same round of the rates does. Empty where other people set the thresholds.

    Raises:
        DataError: unusable scores.
    """
    comparisons, models = data.comparisons, []
    named = np.unique(np.stack([comparisons.subject_a, comparisons.subject_b]))
    for scores, threshold in zip((data.before, data.after), thresholds, strict=True):
        values, kept = usable_scores(scores, comparisons, options.unscored)
        models.append(ResettableThreshold(values[kept], select(comparisons, kept), threshold, named))
    rounds: list[list[tuple[Floats, Floats]]] = [[], []]
    for drawn in _draws(named, judged, options):
        for of, model in zip(rounds, models, strict=True):
            of.append(model.reset(drawn))
    found = []
    for model, threshold, chunks in zip(models, thresholds, rounds, strict=True):
        values, fmr = (np.concatenate(part) for part in zip(*chunks, strict=True))
        found.append(threshold.value + model.factor(fmr) * (values - threshold.value))
    freedom = min(float(model.spread.degrees_of_freedom[0]) for model in models)
    set_at = thresholds[0].value, thresholds[1].value
    return ThresholdDraws(np.stack(found, axis=1), set_at, freedom, data.judged)


def _draws(named: Ints, judged: Ints, options: FairnessOptions) -> Iterator[NDArray[np.float64]]:
    """(b, S) how often each of ``named`` is drawn: ``judged`` as for their rates, the others among themselves."""
    place, apart = np.searchsorted(named, judged), np.flatnonzero(~np.isin(named, judged))
    of_judged = subject_draws(len(place), options.rounds, options.seed)
    of_others = subject_draws(len(apart), options.rounds, (options.seed, _OTHERS))
    size = max(1, _VALUES // len(named))
    for start in range(0, options.rounds, size):
        drawn = np.zeros((min(size, options.rounds - start), len(named)))
        for row in drawn:
            row[place], row[apart] = next(of_judged), next(of_others)
        yield drawn
