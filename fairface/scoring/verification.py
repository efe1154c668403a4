"""One-to-one verification: everything that is reported about a set of scored comparisons.

:func:`evaluate` takes plain arrays, :func:`verify` comparisons that a protocol read.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fairface.comparisons import Comparisons
from fairface.errors import DataError
from fairface.quantity import agree, quantity
from fairface.scoring.arrays import comparisons_of
from fairface.scoring.bootstrap import bootstrap_intervals
from fairface.scoring.kfold import KFoldAccuracy, ValAtFar, kfold_accuracy, unnamed_folds, val_at_far
from fairface.scoring.measure import Interval
from fairface.scoring.roc import auc, check_scores, eer, roc_curve, tar_at_fmr
from fairface.scoring.similarity import cosine_scores
from fairface.scoring.verification_result import VerificationResult

__all__ = ["DEFAULT_FMR", "VerificationResult", "evaluate", "verify", "verify_embeddings"]

DEFAULT_FMR = (1e-2, 1e-3, 1e-4)


EMBEDDINGS = 2  # dimensions of an array of embeddings; scores have one


def evaluate(
    scores: ArrayLike,
    same: ArrayLike,
    subjects: ArrayLike | None = None,
    folds: int = 10,
    fmr: Sequence[float] = DEFAULT_FMR,
    rounds: int = 0,
    level: float = 0.95,
    seed: int = 0,
) -> VerificationResult:
    """Score 1:1 verification from plain arrays: AUC, EER, TAR at fixed FMRs, k-fold accuracy.

    Args:
        scores: ``(M,)``, higher means more alike; or embeddings ``(2M, D)``, of which rows 2i and 2i + 1 are compared.
        same: ``(M,)`` whether a comparison shows one subject.
        subjects: ``(M, 2)`` who is shown, by any names; intervals over subjects need it.
        folds, fmr, rounds, level, seed: as in :func:`verify`; ``rounds`` > 0 adds intervals.

    Raises:
        DataError: arrays that do not fit together, and what :func:`verify` refuses.

    >>> import numpy as np
    >>> from fairface.scoring import verification
    >>> same = np.arange(2000) % 2 == 0
    >>> scores = np.random.default_rng(0).normal(np.where(same, 0.6, 0.1), 0.2)
    >>> result = verification.evaluate(scores, same, fmr=[0.01])
    >>> round(result.auc, 2), round(result.tar["0.01"], 2)
    (0.96, 0.58)
    """
    comparisons = comparisons_of(same, subjects)
    values = np.asarray(scores, np.float64)
    if values.ndim == EMBEDDINGS:
        if len(values) != 2 * len(comparisons):
            raise DataError(
                f"{quantity(len(values), 'embedding')} for {quantity(len(comparisons), 'comparison')}; give two rows "
                "for each, in their order"
            )
        return verify_embeddings(values, comparisons, folds=folds, fmr=fmr, rounds=rounds, level=level, seed=seed)
    return verify(values, comparisons, folds, fmr, rounds, level, seed)


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

    The protocol's own folds are used where it has them, else ``folds`` contiguous ones; where those are not mixed (a
    list sorted by truth), ``folds`` drawn ones, and a note says so. ``rounds`` > 0 adds bootstrap
    intervals at ``level`` for the AUC and for every TAR that is defined.

    Raises:
        DataError: scores that are not finite or do not match the comparisons, only one kind of comparison, an FMR
            outside (0, 1).

    >>> import numpy as np
    >>> from fairface.comparisons import Comparisons
    >>> from fairface.scoring import verification
    >>> first, second = np.array([0, 0, 2, 2]), np.array([1, 2, 3, 1])  # images 0 and 1 show ann, 2 and 3 show bo
    >>> fold, who = np.full(4, -1, np.int32), np.array([0, 0, 1, 1])
    >>> pairs = Comparisons(first, second, who[first] == who[second], fold, who[first], who[second])
    >>> verification.verify(np.array([0.8, 0.3, 0.6, 0.2]), pairs, folds=2, fmr=[0.5]).auc
    1.0
    """
    scores = np.asarray(scores, np.float64)
    check_scores(scores, comparisons.same)
    check_fmr(fmr)
    roc = roc_curve(scores, comparisons.same)
    reasons: dict[str, str] = {}
    tar = {}
    for target in fmr:
        measured = tar_at_fmr(roc, target)
        tar[fmr_key(target)] = measured.value
        if measured.reason:
            reasons[f"tar@{fmr_key(target)}"] = measured.reason
    subjects = _subjects(comparisons)
    if subjects is None:
        reasons["subjects"] = "the protocol names no subjects"
    notes: list[str] = []
    accuracy, val = _accuracy(scores, comparisons, folds, reasons, notes)
    defined = [target for target in fmr if not math.isnan(tar[fmr_key(target)])]
    return VerificationResult(
        n_genuine=roc.genuine,
        n_impostor=roc.impostor,
        subjects=subjects,
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
        notes=tuple(notes),
        intervals=_intervals(scores, comparisons, defined, rounds, level, seed, reasons) if rounds else {},
    )


def verify_embeddings(embeddings: NDArray[Any], comparisons: Comparisons, **options: Any) -> VerificationResult:
    """:func:`verify` of the cosine scores of ``embeddings (N, D)``; takes its options and raises its errors.

    >>> import numpy as np
    >>> from fairface.comparisons import Comparisons
    >>> from fairface.scoring import verification
    >>> first, second = np.array([0, 0, 2, 2]), np.array([1, 2, 3, 1])  # images 0 and 1 show ann, 2 and 3 show bo
    >>> fold, who = np.full(4, -1, np.int32), np.array([0, 0, 1, 1])
    >>> pairs = Comparisons(first, second, who[first] == who[second], fold, who[first], who[second])
    >>> embeddings = np.array([[1.0, 0.0], [0.9, 0.1], [0.0, 1.0], [0.2, 0.9]])
    >>> verification.verify_embeddings(embeddings, pairs, folds=2, fmr=[0.5]).tar
    {'0.5': 1.0}
    """
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


def check_fmr(fmr: Sequence[float]) -> None:
    for target in fmr:
        if not 0.0 < target < 1.0:
            raise DataError(f"FMR {target!r} cannot be used; it must lie between 0 and 1, such as 0.001")


def _subjects(comparisons: Comparisons) -> int | None:
    subjects = np.union1d(comparisons.subject_a, comparisons.subject_b)
    return None if len(subjects) == 0 or subjects[0] < 0 else len(subjects)


def _accuracy(
    scores: NDArray[np.float64], comparisons: Comparisons, folds: int, reasons: dict[str, str], notes: list[str]
) -> tuple[KFoldAccuracy | None, ValAtFar | None]:
    named = comparisons.fold >= 0
    try:
        split = comparisons.fold
        if not named.any():
            split, note = unnamed_folds(comparisons.same, folds)
            notes += [note] if note else []
        if named.any() and not named.all():
            raise DataError(
                f"{int((~named).sum())} of {quantity(len(named), 'comparison')} "
                f"{agree(int((~named).sum()), 'names', 'name')} no fold; name all or none"
            )
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
