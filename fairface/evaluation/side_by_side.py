"""Verification of unmasked and of masked faces, side by side. No MXNet."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fairface.comparisons import Comparisons
from fairface.evaluation.acquisition import ScoredPairs
from fairface.evaluation.verified import VerifiedSet, VerifyOptions
from fairface.scoring.fold_interval import accuracy_difference_interval
from fairface.scoring.kfold import kfold_accuracy, unnamed_folds
from fairface.scoring.measure import Interval, number
from fairface.scoring.set_difference import SetDifference, set_difference
from fairface.scoring.verification import VerificationResult

NO_SUBJECTS, NO_FOLDS = "no subjects named", "no folds named"
_WHY = {
    NO_SUBJECTS: "no subjects are named, so intervals draw pairs: they are too narrow where people are in several "
    "pairs, and decide nothing; name the subjects in the list of pairs, or give --subjects-from",
    NO_FOLDS: "the list names no folds, so people may be in several of those that were made: the interval of the "
    "accuracy may be too narrow, and decides nothing",
}


@dataclass(frozen=True)
class Row:
    """One measure of both sets, masked minus unmasked, and the interval of that where there is one; ``unjudged`` says
    why the interval must decide nothing."""

    key: str
    unmasked: float
    masked: float
    interval: Interval | None = None
    unjudged: str = ""

    @property
    def difference(self) -> float:
        """Masked minus unmasked; NaN where one of them is."""
        return self.masked - self.unmasked

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {"unmasked": number(self.unmasked), "masked": number(self.masked),
                "difference": number(self.difference),
                "interval": None if self.interval is None else self.interval.to_dict()}  # fmt: skip


@dataclass(frozen=True)
class SideBySide:
    """The measures of two sets, ``names`` of unmasked and masked, and what the intervals draw."""

    names: tuple[str, str]
    rows: tuple[Row, ...]
    difference: SetDifference | None

    @property
    def notes(self) -> tuple[str, ...]:
        """Why intervals decide nothing."""
        unjudged = {row.unjudged for row in self.rows if row.interval is not None}
        return tuple(sentence for reason, sentence in _WHY.items() if reason in unjudged)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        told = self.difference
        drawn = {} if told is None else {"same_pairs": told.same_pairs, "drawn": told.drawn}
        return {"unmasked": self.names[0], "masked": self.names[1], **drawn,
                "measures": {row.key: row.to_dict() for row in self.rows}, "notes": list(self.notes)}  # fmt: skip


def side_by_side(
    names: tuple[str, str], unmasked: VerifiedSet, masked: VerifiedSet, options: VerifyOptions
) -> SideBySide:
    """AUC, EER, TAR and accuracy of both sets and their differences; with ``options.rounds`` intervals of the
    differences of what both sets define: bootstrap ones, and Student's t over the folds for the accuracy. Intervals
    that draw pairs instead of subjects, or rest on folds that no protocol names, decide nothing: both count one person
    as several.

    Raises:
        DataError: what :func:`fairface.scoring.set_difference.set_difference` refuses.
    """
    of_each = [_measures(of.result) for of in (unmasked, masked)]
    difference = None
    intervals: dict[str, Interval] = {}
    if options.rounds and unmasked.scored is not None and masked.scored is not None:
        one, other = unmasked.scored, masked.scored
        difference = set_difference(
            (one.scores[0], one.comparisons), (other.scores[0], other.comparisons), options.fmr, options.rounds,
            options.level, options.seed,
        )  # fmt: skip
        intervals |= difference.intervals
        if unmasked.result.folds and masked.result.folds:
            intervals |= _of_accuracy(one, other, difference.same_pairs, options)
    rows = []
    for key, value in of_each[0].items():
        with_masks = of_each[1][key]
        defined = not (math.isnan(value) or math.isnan(with_masks))
        unjudged = "" if difference is None else _unjudged(key, difference, (unmasked, masked))
        rows.append(Row(key, value, with_masks, intervals.get(key) if defined else None, unjudged))
    return SideBySide(names, tuple(rows), difference)


def _unjudged(key: str, difference: SetDifference, sets: tuple[VerifiedSet, VerifiedSet]) -> str:
    if key != "accuracy":
        return "" if difference.over_subjects else NO_SUBJECTS
    return "" if all(of.scored is not None and _has_folds(of.scored.comparisons) for of in sets) else NO_FOLDS


def _of_accuracy(
    unmasked: ScoredPairs, masked: ScoredPairs, same_pairs: bool, options: VerifyOptions
) -> dict[str, Interval]:
    """Of the difference of the accuracies; none where no fold differs."""
    one, other = (_folds(of.comparisons, options.folds) for of in (unmasked, masked))
    first, second = (kfold_accuracy(of.scores[0], of.comparisons.same, folds).accuracies
                     for of, folds in ((unmasked, one), (masked, other)))  # fmt: skip
    ends = accuracy_difference_interval(first, second, same_pairs and np.array_equal(one, other), options.level)
    return {} if ends is None else {"accuracy": Interval(*ends, options.level, 0)}


def _folds(comparisons: Comparisons, folds: int) -> NDArray[np.int32]:
    """Those of :func:`fairface.scoring.verification.verify`, whose accuracy is shown."""
    return comparisons.fold if _has_folds(comparisons) else unnamed_folds(comparisons.same, folds)[0]


def _has_folds(comparisons: Comparisons) -> bool:
    return bool((comparisons.fold >= 0).all())


def _measures(result: VerificationResult) -> dict[str, float]:
    tar = {f"tar@{target}": value for target, value in result.tar.items()}
    return {"auc": result.auc, "eer": result.eer, **tar, "accuracy": result.accuracy}
