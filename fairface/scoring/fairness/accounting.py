"""Where every comparison went: comparisons in = comparisons accounted for."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from fairface.comparisons import Comparisons
from fairface.errors import DataError
from fairface.quantity import agree, quantity

UNSCORED = ("error", "leave_out", "no_match")


@dataclass(frozen=True)
class Accounting:
    """How many comparisons are within a group, between two, of unknown group, or without a score; they sum to total.

    ``images_unknown`` are the images, of those that are compared, whose attributes are not known.
    """

    total: int
    genuine_within: int
    genuine_between: int
    genuine_unknown: int
    impostor_within: int
    impostor_between: int
    impostor_unknown: int
    unscored: int
    images: int
    images_unknown: int

    def to_dict(self) -> dict[str, int]:
        """Plain values for JSON."""
        return asdict(self)


def account(comparisons: Comparisons, of_image: NDArray[np.int64], scored: NDArray[np.bool_]) -> Accounting:
    """Count the comparisons by where their images' groups put them; ``scored (M,)`` are those with a usable score."""
    a, b = of_image[comparisons.a], of_image[comparisons.b]
    known = (a >= 0) & (b >= 0)
    places = {"within": known & (a == b), "between": known & (a != b), "unknown": ~known}
    counts = {
        f"{kind}_{place}": int((scored & chosen & where).sum())
        for kind, chosen in (("genuine", comparisons.same), ("impostor", ~comparisons.same))
        for place, where in places.items()
    }
    used = np.union1d(comparisons.a, comparisons.b)
    return Accounting(
        total=len(comparisons),
        unscored=int((~scored).sum()),
        images=len(used),
        images_unknown=int((of_image[used] < 0).sum()),
        **counts,
    )


def usable_scores(
    scores: NDArray[np.floating], comparisons: Comparisons, unscored: str
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Scores as float64 and (M,) which of them count.

    ``unscored`` says what becomes of scores that are not finite: ``error``; ``leave_out`` (counted apart); ``no_match``
    (such a comparison never matches: what a system does that found no face).

    Raises:
        DataError: another number of scores than comparisons, unusable scores, or none left.
    """
    values = np.array(scores, np.float64)
    if values.shape != (len(comparisons),):
        raise DataError(
            f"{values.shape} scores for {quantity(len(comparisons), 'comparison')}; give one score for each, in their "
            "order"
        )
    if unscored not in UNSCORED:
        raise DataError(f"unscored {unscored!r} is not known; choose {', '.join(UNSCORED)}")
    finite = np.isfinite(values)
    if finite.all() and len(values):
        return values, finite
    bad = np.flatnonzero(~finite)
    if unscored == "error" or len(bad) == len(values):
        where = f" (first: comparison {bad[0]})" if len(bad) else ""
        raise DataError(
            f"{len(bad)} of {quantity(len(values), 'score')} {agree(len(bad), 'is', 'are')} not finite{where}; correct "
            "them, leave them out or count them as no match"
        )
    if unscored == "leave_out":
        return values, finite
    # Below every score, so that areas under curves know it too; where scores may be cosines, a cosine as well.
    lowest, highest = values[finite].min(), values[finite].max()
    values[bad] = -1.0 if lowest > -1.0 and highest <= 1.0 else lowest - 1.0
    return values, np.ones(len(values), bool)
