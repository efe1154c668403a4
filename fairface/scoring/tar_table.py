"""TAR at a row of FARs, each with the FAR that was really reached and the number of impostor comparisons behind it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fairface.errors import DataError
from fairface.scoring.measure import most_within, number
from fairface.scoring.nearest_far import nearest_far
from fairface.scoring.roc import Roc, auc, check_scores, tar_at_fmr
from fairface.scoring.roc_corners import corners_of

FAR_TARGETS = (1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1)


@dataclass(frozen=True)
class TarRow:
    """TAR at one FAR.

    Attributes:
        target: the FAR asked for.
        tar: the largest TAR whose FAR does not exceed ``target``; NaN where ``reason`` says why.
        far: the FAR reached at that threshold.
        threshold: a comparison is a match at or above it.
        false_accepts: impostor comparisons that match.
        tar_nearest, far_nearest: what insightface and AdaFace print: TAR at the FAR nearest to ``target``, on either
            side of it (:mod:`fairface.scoring.nearest_far`).
        reason: why ``tar`` is undefined.
    """

    target: float
    tar: float
    far: float
    threshold: float
    false_accepts: int
    tar_nearest: float
    far_nearest: float
    reason: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; undefined numbers are ``None``."""
        return {
            "target": self.target, "tar": number(self.tar), "far": number(self.far),
            "threshold": number(self.threshold), "false_accepts": self.false_accepts,
            "tar_nearest": self.tar_nearest, "far_nearest": self.far_nearest, "reason": self.reason,
        }  # fmt: skip


@dataclass(frozen=True)
class TarTable:
    """1:1 verification of one list of comparisons: rows by FAR, the area, and the ROC's corners they come from."""

    genuine: int
    impostor: int
    auc: float
    rows: tuple[TarRow, ...]
    roc: Roc

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON, without the ROC."""
        rows = [row.to_dict() for row in self.rows]
        return {"genuine": self.genuine, "impostor": self.impostor, "auc": self.auc, "tar": rows}


def tar_table(
    scores: NDArray[np.floating], same: NDArray[np.bool_], targets: Sequence[float] = FAR_TARGETS
) -> TarTable:
    """The table of ``scores (M,)`` with truth ``same (M,)``; higher scores mean more alike.

    Raises:
        DataError: a target outside (0, 1), or what :func:`fairface.scoring.roc.check_scores` refuses.
    """
    check_scores(scores, same)
    for target in targets:
        if not 0.0 < target < 1.0:
            raise DataError(f"FAR {target!r} cannot be used; it must lie between 0 and 1, such as 0.001")
    genuine, impostor = np.sort(scores[same]), np.sort(scores[~same])
    roc = corners_of(genuine, impostor)
    rows = tuple(_row(roc, impostor, target) for target in targets)
    return TarTable(len(genuine), len(impostor), auc(roc), rows, roc)


def _row(roc: Roc, impostor: NDArray[np.floating], target: float) -> TarRow:
    far_nearest, tar_nearest = nearest_far(roc, impostor, target)
    measured = tar_at_fmr(roc, target)
    if measured.reason:
        return TarRow(target, math.nan, math.nan, math.nan, 0, tar_nearest, far_nearest, measured.reason)
    # The first impostor that would be one too many, in falling order; the threshold lies just above it.
    too_many = impostor[len(impostor) - 1 - most_within(target, len(impostor))]
    accepted = len(impostor) - int(np.searchsorted(impostor, too_many, side="right"))
    threshold = float(np.nextafter(np.float64(too_many), math.inf))
    return TarRow(target, measured.value, accepted / len(impostor), threshold, accepted, tar_nearest, far_nearest)
