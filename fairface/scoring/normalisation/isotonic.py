"""Isotonic calibration: a score to log-odds by a rising curve of any shape."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from fairface.errors import DataError
from fairface.scoring.normalisation.compared import Floats

_SURE = 1e-6  # the same in all groups: where none has an error, none may be surer than another
_TIE = 1e-6  # log-odds for one unit of score


@dataclass(frozen=True)
class Isotonic:
    """Log-odds that a comparison is genuine, both kinds being equally frequent (Zadrozny and Elkan 2002).

    Where the curve is flat, the score itself still decides, by too little to matter elsewhere.

    Attributes:
        scores, shares: (P,) corners of the curve, rising; between them it is straight, beyond them flat.
    """

    scores: tuple[float, ...]
    shares: tuple[float, ...]

    def __call__(self, scores: Floats) -> Floats:
        share = np.interp(scores, self.scores, self.shares)
        return np.asarray(special.logit(np.clip(share, _SURE, 1.0 - _SURE)) + _TIE * scores)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {"scores": list(self.scores), "shares": list(self.shares)}

    @classmethod
    def fit(cls, scores: Floats, same: NDArray[np.bool_]) -> Isotonic:
        """The rising curve of least squares, each kind weighing one half; ``same (M,)`` holds both.

        Raises:
            DataError: genuine scores are not higher than impostor ones.
        """
        from sklearn.isotonic import IsotonicRegression  # here: it takes a second to import

        weight = np.where(same, 0.5 / same.sum(), 0.5 / (~same).sum())
        curve = IsotonicRegression().fit(scores, same.astype(np.float64), sample_weight=weight)
        corners, shares = curve.X_thresholds_.tolist(), curve.y_thresholds_.tolist()
        if shares[0] == shares[-1]:
            raise DataError("genuine scores are not higher than impostor ones, so nothing can be calibrated; are these "
                            "distances?")  # fmt: skip
        return cls(tuple(corners), tuple(shares))
