"""What other thresholds add to the uncertainty of a change: the rates of the same comparisons at each round's."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fairface.scoring.fairness.counts import Floats
from fairface.scoring.fairness.rates_at import GroupRatesAt
from fairface.scoring.fairness.threshold_draws import ThresholdDraws


@dataclass(frozen=True)
class ThresholdShift:
    """Rates of two models at the thresholds of R rounds, the judged comparisons held fixed.

    Attributes:
        draws: the thresholds.
        rates: of the model before and of the one after: by error, (R + 1, K) of all groups, the last row at the
            threshold that was set.
    """

    draws: ThresholdDraws
    rates: tuple[GroupRatesAt, GroupRatesAt]

    def widened(
        self, error: str, group: int, variance: float, freedom: float, rounds: NDArray[np.float64]
    ) -> tuple[float, float]:
        """Variance and degrees of freedom of a group's difference, with those of the thresholds.

        ``variance`` and ``freedom`` are those at the thresholds as set, ``rounds (R,)`` the resampled differences
        there: where they draw the subjects that set the thresholds, both go together, and their correlation counts.
        Degrees of freedom after Satterthwaite.
        """
        moved = self.rates[1][error][:-1, group] - self.rates[0][error][:-1, group]
        known = np.isfinite(moved)
        added = float(np.var(moved[known])) if known.any() else 0.0
        if added == 0.0:
            return variance, freedom
        both = variance + added + 2.0 * self._covariance(moved, rounds, variance, added)
        own = self.draws.degrees_of_freedom
        return both, (variance + added) ** 2 / (variance**2 / freedom + added**2 / own)

    def _covariance(self, moved: Floats, rounds: Floats, variance: float, added: float) -> float:
        known = np.isfinite(moved) & np.isfinite(rounds)
        if not self.draws.joint or known.sum() < 2 or np.ptp(rounds[known]) == 0 or np.ptp(moved[known]) == 0:
            return 0.0
        return float(np.corrcoef(moved[known], rounds[known])[0, 1]) * math.sqrt(variance * added)

    def moved(self, error: str, place: int, rounds: NDArray[np.float64]) -> NDArray[np.float64]:
        """The rates ``rounds (R, K)`` of one model, each at the threshold of its round.

        A rate is multiplied by what the threshold multiplies that of the judged comparisons by, so that none falls
        below 0; where that is 0, what the threshold adds is added.
        """
        found = self.rates[place][error]
        at, now = found[:-1], found[-1]
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.clip(np.where(now > 0, rounds * (at / now), rounds + (at - now)), 0.0, 1.0)
