"""What verification of one set of comparisons gave: frozen, and plain values for JSON."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from fairface.scoring.kfold import ValAtFar
from fairface.scoring.measure import Interval, number

BALANCED = 0.6  # largest share of one kind of comparison for which accuracy is shown


@dataclass(frozen=True)
class VerificationResult:
    """What verification of one set of comparisons gave. Undefined values are NaN and have an entry in ``reasons``.

    Attributes:
        n_genuine, n_impostor: comparisons of each kind.
        subjects: distinct subjects; ``None`` where the protocol does not name them.
        duplicates: comparisons of two images that were compared before in the same set (they are scored all the same).
        auc, eer: area under the ROC and equal error rate (:mod:`fairface.scoring.roc`).
        accuracy, accuracy_std: k-fold accuracy, mean and standard deviation over ``folds`` folds.
        threshold: the cosine with the best accuracy on all comparisons.
        tar: TAR at each FMR, keyed by the FMR as text ("0.01").
        val: insightface's VAL at FAR, or ``None`` where k-fold accuracy is undefined.
        notes: how it was scored, where that is not the usual way.
        reasons: why a value is undefined, keyed "subjects", "accuracy", "tar@0.001", "intervals".
        intervals: subject-level bootstrap intervals, keyed "auc", "tar@0.01"; empty unless asked for.
    """

    n_genuine: int
    n_impostor: int
    subjects: int | None
    duplicates: int
    auc: float
    eer: float
    accuracy: float
    accuracy_std: float
    folds: int
    threshold: float
    tar: dict[str, float]
    val: ValAtFar | None = None
    reasons: dict[str, str] = field(default_factory=dict)
    intervals: dict[str, Interval] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def majority_share(self) -> float:
        """Share of the more frequent kind of comparison: the accuracy of always giving the same answer."""
        return max(self.n_genuine, self.n_impostor) / (self.n_genuine + self.n_impostor)

    @property
    def is_balanced(self) -> bool:
        """Whether accuracy tells anything that always giving the same answer would not."""
        return self.majority_share <= BALANCED

    def to_dict(self) -> dict[str, Any]:
        """The result as plain values for JSON; undefined numbers are ``None``, their reasons stand beside them."""
        result: dict[str, Any] = {
            "genuine": self.n_genuine,
            "impostor": self.n_impostor,
            "subjects": self.subjects,
            "duplicates": self.duplicates,
            "auc": number(self.auc),
            "eer": number(self.eer),
            "accuracy": number(self.accuracy),
            "accuracy_std": number(self.accuracy_std),
            "majority_share": self.majority_share,
            "folds": self.folds,
            "threshold": number(self.threshold),
            "tar": {key: number(value) for key, value in self.tar.items()},
            "reasons": dict(self.reasons),
            "notes": list(self.notes),
            "intervals": {key: interval.to_dict() for key, interval in self.intervals.items()},
        }
        if self.val is not None:
            val = self.val
            result["val"] = {"far_target": val.target, "val": val.val, "val_std": val.val_std, "far": val.far}
        return result
