"""The error rate of the worst protected group, as a score that training can watch."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fairface.comparisons import Comparisons
from fairface.errors import DataError
from fairface.quantity import quantity
from fairface.scoring.fairness.assess import assess
from fairface.scoring.fairness.grouping import JOINT, group_images
from fairface.scoring.fairness.options import FairnessOptions
from fairface.scoring.fairness.threshold import calibrated_threshold


def check_groups(comparisons: Comparisons, protected: Sequence[str], fmr: float, source: str) -> None:
    """What would stop :func:`worst_rate`; ``source`` names the comparisons.

    Raises:
        DataError: an attribute that the images do not have, or too few impostor comparisons for this FMR.
    """
    try:
        group_images(comparisons, protected)
    except DataError as error:
        raise DataError(f"{source}: {error}") from error
    if comparisons.impostor < 1.0 / fmr:
        raise DataError(
            f"{source}: {quantity(comparisons.impostor, 'impostor comparison')} cannot fix a threshold at FMR {fmr:g}; "
            f"it needs at least {math.ceil(1.0 / fmr - 1e-9)}, or a higher FMR"
        )


def worst_rate(
    scores: NDArray[np.float64], comparisons: Comparisons, protected: Sequence[str], error: str, fmr: float,
    min_subjects: int = 30,
) -> float:  # fmt: skip
    """The highest FMR (``error`` fmr) or FNMR (fnmr) of a group, at the one threshold that gives ``fmr`` to everybody.

    With the FMR of everybody held, the highest FMR of a group is lowest where all groups have the same. NaN where
    fewer than two groups have ``min_subjects`` subjects, and where no threshold keeps that FMR.

    Raises:
        DataError: the comparisons do not have the attributes, or too few of them are impostors for this FMR.
    """
    try:
        threshold = calibrated_threshold(scores, comparisons.same, fmr)
    except DataError:
        if comparisons.impostor < 1.0 / fmr:
            raise
        return math.nan  # a net that hardly learnt yet gives many equal scores
    result = assess(scores, comparisons, protected, threshold, FairnessOptions(rounds=0, min_subjects=min_subjects))
    return float(result.groupings[JOINT.join(dict.fromkeys(protected))].scalars[f"{error}_worst"].value)
