"""A fitted normaliser, whichever method it is of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fairface.errors import ConfigError
from fairface.quantity import quantity
from fairface.scoring.normalisation.calibration import CURVES, GroupCalibration, fit_calibration
from fairface.scoring.normalisation.cohort import SIDES, CohortNorm, fit_cohort
from fairface.scoring.normalisation.compared import Compared, Floats

METHODS = (*SIDES, *CURVES)


@dataclass(frozen=True)
class Normaliser:
    """What was fitted on calibration people, and applies to anybody else.

    Attributes:
        method: of :data:`METHODS`.
        labels: the K groups, or clusters.
        fitted: what does the work.
        centres: (K, D) of the clusters; ``None`` where groups are known by label.
    """

    method: str
    labels: tuple[str, ...]
    fitted: GroupCalibration | CohortNorm
    centres: Floats | None = None

    def apply(self, compared: Compared, fitted_on: bool = False) -> Floats:
        """(M,) normalised scores; ``fitted_on``: ``compared`` are the comparisons that it was fitted on.

        Raises:
            DataError: embeddings are needed and missing.
        """
        if isinstance(self.fitted, CohortNorm):
            return self.fitted.apply(compared, fitted_on)
        return self.fitted.apply(compared)

    def price(self) -> tuple[str, ...]:
        """What its use costs, as sentences."""
        told = ["the group of both faces must be known at run time" if self.centres is None else
                "no group needs to be known, not even of the calibration people; the embeddings must be"]  # fmt: skip
        if isinstance(self.fitted, CohortNorm):
            told.append(
                f"a cohort of {quantity(len(self.fitted.group), 'embedding')} of real people must be kept and "
                "protected, and every comparison costs as many more")  # fmt: skip
        else:
            told.append("no cohort: a curve for each group is kept, and a comparison costs no more than before")
        told.append("a threshold of the raw scores is no threshold of the normalised ones")
        return tuple(told)


def fit_normaliser(
    method: str, compared: Compared, same: NDArray[np.bool_], labels: Sequence[str], centres: Floats | None = None
) -> Normaliser:
    """Fit ``method`` on the comparisons of calibration people, by the groups ``labels`` or the clusters of ``centres``.

    Raises:
        ConfigError: an unknown method.
        DataError: groups with too few comparisons or images, scores that cannot be calibrated.
    """
    if method not in METHODS:
        raise ConfigError(f"method {method!r} is not known; choose {', '.join(METHODS)}")
    fitted = (
        fit_cohort(method, compared, labels) if method in SIDES
        else fit_calibration(method, compared, same, labels, either=centres is not None)
    )  # fmt: skip
    return Normaliser(method, tuple(labels), fitted, centres)
