"""One-to-one verification: everything that is reported about a set of scored comparisons."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fairface.comparisons import Comparisons
from fairface.errors import DataError
from fairface.scoring.bootstrap import bootstrap_intervals
from fairface.scoring.kfold import KFoldAccuracy, ValAtFar, kfold_accuracy, val_at_far
from fairface.scoring.measure import Interval, number
from fairface.scoring.roc import auc, check_scores, eer, roc_curve, tar_at_fmr
from fairface.scoring.similarity import cosine_scores

DEFAULT_FMR = (1e-2, 1e-3, 1e-4)


@dataclass(frozen=True)
class VerificationResult:
    """What verification of one set of comparisons gave. Undefined values are NaN and have an entry in ``reasons``.

    Attributes:
        n_genuine, n_impostor: comparisons of each kind.
        people: distinct subjects; ``None`` where the protocol does not name them.
        duplicates: comparisons of two images that were compared before in the same set (they are scored all the same).
        auc, eer: area under the ROC and equal error rate (:mod:`fairface.scoring.roc`).
        accuracy, accuracy_std: k-fold accuracy, mean and standard deviation over ``folds`` folds.
        threshold: the cosine with the best accuracy on all comparisons.
        tar: TAR at each FMR, keyed by the FMR as text ("0.01").
        val: insightface's VAL at FAR, or ``None`` where k-fold accuracy is undefined.
        reasons: why a value is undefined, keyed "people", "accuracy", "tar@0.001", "intervals".
        intervals: subject-level bootstrap intervals, keyed "auc", "tar@0.01"; empty unless asked for.
    """

    n_genuine: int
    n_impostor: int
    people: int | None
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

    def to_dict(self) -> dict[str, Any]:
        """The result as plain values for JSON; undefined numbers are ``None``, their reasons stand beside them."""
        result: dict[str, Any] = {
            "genuine": self.n_genuine,
            "impostor": self.n_impostor,
            "people": self.people,
            "duplicates": self.duplicates,
            "auc": number(self.auc),
            "eer": number(self.eer),
            "accuracy": number(self.accuracy),
            "accuracy_std": number(self.accuracy_std),
            "folds": self.folds,
            "threshold": number(self.threshold),
            "tar": {key: number(value) for key, value in self.tar.items()},
            "reasons": dict(self.reasons),
            "intervals": {key: interval.to_dict() for key, interval in self.intervals.items()},
        }
        if self.val is not None:
            val = self.val
            result["val"] = {"far_target": val.target, "val": val.val, "val_std": val.val_std, "far": val.far}
        return result


def verify(
    scores: NDArray[np.floating],
    comparisons: Comparisons,
    folds: int = 10,
    fmr: Sequence[float] = DEFAULT_FMR,
    rounds: int = 0,
    level: float = 0.95,
    seed: int = 0,
) -> VerificationResult:
    """Score verification: ``scores (M,)``, higher means more alike, one for each of the M ``comparisons``.

    The protocol's own folds are used where it has them, else ``folds`` contiguous ones. ``rounds`` > 0 adds bootstrap
    intervals at ``level`` for the AUC and for every TAR that is defined.

    Raises:
        DataError: scores that are not finite or do not match the comparisons, only one kind of comparison, an FMR
            outside (0, 1).
    """
    scores = np.asarray(scores, np.float64)
    check_scores(scores, comparisons.same)
    _check_fmr(fmr)
    roc = roc_curve(scores, comparisons.same)
    reasons: dict[str, str] = {}
    tar = {}
    for target in fmr:
        measured = tar_at_fmr(roc, target)
        tar[fmr_key(target)] = measured.value
        if measured.reason:
            reasons[f"tar@{fmr_key(target)}"] = measured.reason
    people = _people(comparisons)
    if people is None:
        reasons["people"] = "the protocol does not say who is shown"
    accuracy, val = _accuracy(scores, comparisons, folds, reasons)
    defined = [target for target in fmr if not math.isnan(tar[fmr_key(target)])]
    return VerificationResult(
        n_genuine=roc.genuine,
        n_impostor=roc.impostor,
        people=people,
        duplicates=count_duplicates(comparisons),
        auc=auc(roc),
        eer=eer(roc),
        accuracy=accuracy.mean if accuracy else math.nan,
        accuracy_std=accuracy.std if accuracy else math.nan,
        folds=len(accuracy.accuracies) if accuracy else 0,
        threshold=accuracy.threshold if accuracy else math.nan,
        tar=tar,
        val=val,
        reasons=reasons,
        intervals=_intervals(scores, comparisons, defined, rounds, level, seed, reasons) if rounds else {},
    )


def verify_embeddings(embeddings: NDArray[Any], comparisons: Comparisons, **options: Any) -> VerificationResult:
    """:func:`verify` of the cosine scores of ``embeddings (N, D)``; takes its options and raises its errors."""
    return verify(cosine_scores(embeddings, comparisons.a, comparisons.b), comparisons, **options)


def fmr_key(target: float) -> str:
    """An FMR as the text that keys results: 1e-2 -> "0.01", 1e-5 -> "0.00001"."""
    return str(np.format_float_positional(target, trim="-"))


def count_duplicates(comparisons: Comparisons) -> int:
    """Comparisons whose two images, in either order, were already compared in the same set."""
    if len(comparisons) == 0:
        return 0
    first, second = np.minimum(comparisons.a, comparisons.b), np.maximum(comparisons.a, comparisons.b)
    return len(first) - len(np.unique(first * (int(second.max()) + 1) + second))


def _check_fmr(fmr: Sequence[float]) -> None:
    for target in fmr:
        if not 0.0 < target < 1.0:
            raise DataError(f"FMR {target!r} cannot be used; it must lie between 0 and 1, such as 0.001")


def _people(comparisons: Comparisons) -> int | None:
    subjects = np.union1d(comparisons.subject_a, comparisons.subject_b)
    return None if len(subjects) == 0 or subjects[0] < 0 else len(subjects)


def _accuracy(
    scores: NDArray[np.float64], comparisons: Comparisons, folds: int, reasons: dict[str, str]
) -> tuple[KFoldAccuracy | None, ValAtFar | None]:
    named = comparisons.fold >= 0
    split: int | NDArray[np.int32] = comparisons.fold if named.all() else folds
    try:
        if named.any() and not named.all():
            raise DataError(f"{int((~named).sum())} of {len(named)} comparisons name no fold; name all or none")
        accuracy = kfold_accuracy(scores, comparisons.same, split)
        return accuracy, val_at_far(scores, comparisons.same, folds=split)
    except DataError as error:
        reasons["accuracy"] = str(error)
        return None, None


def _intervals(
    scores: NDArray[np.float64],
    comparisons: Comparisons,
    fmr: Sequence[float],
    rounds: int,
    level: float,
    seed: int,
    reasons: dict[str, str],
) -> dict[str, Interval]:
    try:
        of_auc, of_tar = bootstrap_intervals(scores, comparisons, fmr, rounds, level, seed)
    except DataError as error:
        reasons["intervals"] = str(error)
        return {}
    return {"auc": of_auc} | {f"tar@{fmr_key(t)}": i for t, i in zip(fmr, of_tar, strict=True)}
