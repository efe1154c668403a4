"""A calibration for each group: equal normalised scores mean equal odds in all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fairface.errors import DataError
from fairface.scoring.normalisation.compared import Compared, Floats
from fairface.scoring.normalisation.isotonic import Isotonic
from fairface.scoring.normalisation.platt import Platt

Curve = Platt | Isotonic
CURVES: dict[str, type[Platt] | type[Isotonic]] = {"platt": Platt, "isotonic": Isotonic}
MIN_PAIRS = 30


@dataclass(frozen=True)
class GroupCalibration:
    """One curve for each of K groups; a comparison between two groups gets the mean of both curves' log-odds."""

    curves: tuple[Curve, ...]

    def apply(self, compared: Compared) -> Floats:
        """(M,) log-odds."""
        ends = [compared.group[end] for end in (compared.a, compared.b)]
        result = np.zeros(len(compared.scores))
        for place, curve in enumerate(self.curves):
            times = sum((end == place).astype(np.float64) for end in ends)
            chosen = np.flatnonzero(times)
            result[chosen] += 0.5 * times[chosen] * curve(compared.scores[chosen])
        return result

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {"curves": [curve.to_dict() for curve in self.curves]}


def fit_calibration(
    method: str, compared: Compared, same: NDArray[np.bool_], labels: Sequence[str], either: bool
) -> GroupCalibration:
    """A curve for each group of ``labels``.

    Args:
        method: of :data:`CURVES`.
        compared, same: of the calibration people.
        labels: what the groups are called.
        either: fit on comparisons of which one image is in the group, as FairCal does with clusters (Salvador et al.,
            ICLR 2022); else on those within the group, which is where errors by group are counted.

    Raises:
        DataError: groups with fewer than :data:`MIN_PAIRS` genuine or impostor comparisons, or that cannot be fitted.
    """
    first, second = compared.group[compared.a], compared.group[compared.b]
    parts = [(first == g) | (second == g) if either else (first == g) & (second == g) for g in range(len(labels))]
    counts = [(int((part & same).sum()), int((part & ~same).sum())) for part in parts]
    few = [
        f"{label} ({genuine} genuine, {impostor} impostor)"
        for label, (genuine, impostor) in zip(labels, counts, strict=True) if min(genuine, impostor) < MIN_PAIRS
    ]  # fmt: skip
    if few:
        raise DataError(
            f"too few calibration comparisons, fewer than {MIN_PAIRS} of a kind: {', '.join(few)}; add people of these "
            f"{'clusters or use fewer' if either else 'groups'}"
        )
    curves = []
    for label, part in zip(labels, parts, strict=True):
        try:
            curves.append(CURVES[method].fit(compared.scores[part], same[part]))
        except DataError as error:
            raise DataError(f"{label}: {error}") from error
    return GroupCalibration(tuple(curves))
