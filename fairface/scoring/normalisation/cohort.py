"""Z-norm and T-norm by group: a score is measured by how an image scores against strangers of its own group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fairface.errors import DataError
from fairface.quantity import quantity
from fairface.scoring.normalisation.compared import Compared, Floats, Ints

SIDES = {"znorm": "a", "tnorm": "b"}
MIN_COHORT = 30
_BLOCK = 512


@dataclass(frozen=True)
class CohortNorm:
    """(score - mean) / standard deviation of the cosines of one image with the cohort of its group.

    Z-norm takes the enrolled image (the first), T-norm the probe (the second), as in speaker recognition (Auckenthaler,
    Carey and Lloyd-Thomas 2000); a cohort by demographic group: Linghu et al., IJCB 2024.

    Attributes:
        side: ``a`` or ``b``, the image that is compared with the cohort.
        embeddings: (C, D) of unit length.
        group: (C,) 0..K-1.
        subject: (C,) who is shown.
    """

    side: str
    embeddings: Floats
    group: Ints
    subject: Ints

    def apply(self, compared: Compared, fitted_on: bool = False) -> Floats:
        """(M,) normalised scores; ``fitted_on``: of the cohort's own people, each left out of the own cohort."""
        image = getattr(compared, self.side)
        used, place = np.unique(image, return_inverse=True)
        mean, deviation = self._statistics(compared, used, fitted_on)
        return np.asarray((compared.scores - mean[place]) / deviation[place])

    def _statistics(self, compared: Compared, used: Ints, fitted_on: bool) -> tuple[Floats, Floats]:
        rows = compared.rows("a cohort")
        mean, deviation = np.empty(len(used)), np.empty(len(used))
        for start in range(0, len(used), _BLOCK):
            images = used[start : start + _BLOCK]
            cosines = rows[images] @ self.embeddings.T
            counted = compared.group[images][:, None] == self.group
            if fitted_on:
                counted &= compared.subject[images][:, None] != self.subject
            found = np.where(counted, cosines, np.nan)
            mean[start : start + _BLOCK] = np.nanmean(found, axis=1)
            deviation[start : start + _BLOCK] = np.nanstd(found, axis=1)
        if not (deviation > 0).all():
            raise DataError("an image scores alike with everyone in its cohort, so nothing can be normalised by it; "
                            "use other calibration people")  # fmt: skip
        return mean, deviation

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {"side": self.side, "embeddings": self.embeddings.tolist(), "group": self.group.tolist()}


def fit_cohort(method: str, compared: Compared, labels: Sequence[str]) -> CohortNorm:
    """The compared images as cohorts, by group.

    Raises:
        DataError: no embeddings, or a group of fewer than :data:`MIN_COHORT` images or three people.
    """
    rows = compared.rows(method)
    used = np.union1d(compared.a, compared.b)
    group, subject = compared.group[used], compared.subject[used]
    few = []
    for place, label in enumerate(labels):
        images, people = int((group == place).sum()), len(np.unique(subject[group == place]))
        if images < MIN_COHORT or people < 3:
            few.append(f"{label} ({quantity(images, 'image')} of {quantity(people, 'person', 'people')})")
    if few:
        raise DataError(
            f"too few calibration images for a cohort, fewer than {MIN_COHORT} or of fewer than 3 people: "
            f"{', '.join(few)}; add people of these groups"
        )
    return CohortNorm(SIDES[method], rows[used], group, subject)
