"""From verification to thresholds that lie beside the model. No MXNet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

import numpy as np

from fairface.checkpoints import resolve
from fairface.embedding.thresholds import Thresholds, save_thresholds, weights_sum
from fairface.errors import CheckpointError
from fairface.evaluation.acquisition import ScoredPairs, without_failures
from fairface.scoring.calibration import operating_points
from fairface.scoring.fairness.grouped import select


@dataclass(frozen=True)
class SavedThresholds:
    """Thresholds, the file that they were written to, and why some FMRs have none."""

    thresholds: Thresholds
    path: str
    reasons: dict[str, str]

    @property
    def notes(self) -> tuple[str, ...]:
        """What a user is told, a line each."""
        saved = f"{self.path}: thresholds at FMR {', '.join(f'{of.target:g}' for of in self.thresholds.points)}"
        return (saved, *(f"no threshold at FMR {target}: {reason}" for target, reason in self.reasons.items()))

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {"file": self.path, **self.thresholds.to_dict(), "reasons": self.reasons}


class ThresholdSaver:
    """Sets thresholds of one checkpoint on scored pairs and saves them beside it.

    Make it before the model is loaded: where a run saves a better checkpoint in the meantime, the scores would be taken
    for the new one's.

    Args:
        model: the checkpoint (:mod:`fairface.checkpoints`).
        flip: whether embeddings have that of the mirrored image added.
        fmr: FMRs at which thresholds are set.
        level: of the FMRs' confidence intervals.

    Raises:
        CheckpointError: no such checkpoint.
    """

    def __init__(self, model: str, flip: bool, fmr: Sequence[float], level: float = 0.95) -> None:
        self.model, self.flip, self.fmr, self.level = model, flip, tuple(fmr), level
        self._files = resolve(model)
        self._weights = weights_sum(self._files)

    def save(self, pairs: ScoredPairs, data: str) -> SavedThresholds:
        """Thresholds on the comparisons that have a score; ``data`` names them.

        Raises:
            CheckpointError: the model's name now stands for other weights.
            DataError: see :func:`fairface.scoring.calibration.operating_points`; or the file cannot be written.
        """
        files = resolve(self.model)
        if weights_sum(files) != self._weights:
            raise CheckpointError(f"{self.model}: changed while it was scored; name a step (run@{self._files.step})")
        left = without_failures(pairs)
        scored = np.isfinite(left.scores[0])
        points, reasons = operating_points(
            left.scores[0][scored], select(left.comparisons, scored), self.fmr, self.level
        )
        date = datetime.now(timezone.utc).date().isoformat()
        thresholds = Thresholds(files.step, self._weights, self.flip, data, date, points)
        return SavedThresholds(thresholds, str(save_thresholds(files, thresholds)), reasons)
