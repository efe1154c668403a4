"""The fairness score from plain arrays."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from fairface.scoring.arrays import comparisons_of
from fairface.scoring.fairness.assess import assess
from fairface.scoring.fairness.options import FairnessOptions
from fairface.scoring.fairness.result import FairnessResult
from fairface.scoring.fairness.threshold import calibrated_threshold, given_threshold


def evaluate(
    scores: ArrayLike,
    same: ArrayLike,
    groups: Mapping[str, ArrayLike],
    subjects: ArrayLike | None = None,
    fmr: float = 0.01,
    threshold: float | None = None,
    options: FairnessOptions | None = None,
) -> FairnessResult:
    """Error rates by group at one threshold for all: which group is worst, and how sure that is.

    Args:
        scores: ``(M,)``, higher means more alike.
        same: ``(M,)`` whether a comparison shows one subject.
        groups: protected attribute to its values, ``(M, 2)`` for the two images of each comparison, or ``(M,)`` where
            both have the same; ``None`` and "" mean unknown. Several attributes are judged each and together.
        subjects: ``(M, 2)`` who is shown, by any names; without it there are rates but no intervals and no measures.
        fmr: the threshold is fixed where so many of these impostor comparisons match, unless
        threshold: one is given; it should come from other subjects.
        options: rounds, level and what else may be chosen.

    Raises:
        DataError: arrays that do not fit together, a threshold that cannot be fixed or separates nothing, subjects that
            contradict ``same``.

    >>> import numpy as np
    >>> from fairface.scoring import fairness
    >>> rng = np.random.default_rng(0)
    >>> subjects = rng.integers(0, 80, (4000, 2))
    >>> subjects[::2, 1] = subjects[::2, 0]
    >>> same = subjects[:, 0] == subjects[:, 1]
    >>> sex = np.where(subjects < 40, "f", "m")
    >>> both_female = (sex == "f").all(axis=1)
    >>> scores = rng.normal(np.where(same, 0.6 - 0.1 * both_female, 0.1), 0.15)
    >>> result = fairness.evaluate(scores, same, {"sex": sex}, subjects)
    >>> [(row.group, round(row.fnmr.value, 2)) for row in result.groupings["sex"].rows]
    [('f', 0.33), ('m', 0.15)]
    >>> fairness.worst_group(result.groupings["sex"], "fnmr").group
    'f'
    """
    values = np.asarray(scores, np.float64)
    comparisons = comparisons_of(same, subjects, groups)
    shared = calibrated_threshold(values, comparisons.same, fmr) if threshold is None else given_threshold(threshold)
    return assess(values, comparisons, list(groups), shared, options)
