"""Platt's scaling: a score to log-odds by a straight line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special

from fairface.errors import DataError
from fairface.scoring.normalisation.compared import Floats


@dataclass(frozen=True)
class Platt:
    """``slope * score + intercept`` is the logarithm of the odds that a comparison is genuine, both kinds being equally
    frequent (Platt 1999, with his targets, which keep the slope finite where no score is on the wrong side)."""

    slope: float
    intercept: float

    def __call__(self, scores: Floats) -> Floats:
        return np.asarray(self.slope * scores + self.intercept)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {"slope": self.slope, "intercept": self.intercept}

    @classmethod
    def fit(cls, scores: Floats, same: NDArray[np.bool_]) -> Platt:
        """Of the largest likelihood; ``same (M,)`` holds both kinds.

        Each kind weighs one half, so that groups with more impostors are not shifted for that alone.

        Raises:
            DataError: genuine scores are not higher than impostor ones.
        """
        centre, scale = float(scores.mean()), float(scores.std()) or 1.0
        x = (scores - centre) / scale
        genuine, impostor = int(same.sum()), int((~same).sum())
        target = np.where(same, (genuine + 1.0) / (genuine + 2.0), 1.0 / (impostor + 2.0))
        weight = np.where(same, 0.5 / genuine, 0.5 / impostor)

        def loss(line: Floats) -> tuple[float, Floats]:
            odds = line[0] * x + line[1]
            wrong = weight * (special.expit(odds) - target)
            return float(weight @ (np.logaddexp(0.0, odds) - target * odds)), np.array([wrong @ x, wrong.sum()])

        slope, shift = optimize.minimize(loss, np.array([1.0, 0.0]), jac=True, options={"gtol": 1e-9}).x
        if not slope > 0:
            raise DataError("genuine scores are not higher than impostor ones, so nothing can be calibrated; are these "
                            "distances?")  # fmt: skip
        return cls(float(slope / scale), float(shift - slope * centre / scale))
