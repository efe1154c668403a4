"""Verification of scored pairs, with and without the images on which no face was found. No MXNet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from fairface.errors import DataError
from fairface.evaluation.acquisition import FailureToAcquire, ScoredPairs, failure_to_acquire, without_failures
from fairface.protocols.scores import check_scored
from fairface.quantity import agree, quantity
from fairface.scoring.fairness.accounting import usable_scores
from fairface.scoring.fairness.grouped import select
from fairface.scoring.fairness.unusable import upside_down
from fairface.scoring.roc import Roc, roc_curve
from fairface.scoring.verification import DEFAULT_FMR, VerificationResult, verify

_WITHOUT = "without failures"


@dataclass(frozen=True)
class VerifyOptions:
    """See :func:`fairface.scoring.verification.verify` and :func:`fairface.scoring.fairness.accounting.usable_scores`;
    with ``leave_out_failures`` only what is left without these images is scored."""

    folds: int = 10
    fmr: tuple[float, ...] = DEFAULT_FMR
    rounds: int = 0
    level: float = 0.95
    seed: int = 0
    unscored: str = "error"
    leave_out_failures: bool = False


@dataclass(frozen=True)
class VerifiedSet:
    """What verification of one list gave; ``without_failures`` where failures are told and not left out already;
    ``scored`` are the comparisons and scores that ``result`` is made of, where they are listed."""

    result: VerificationResult
    curve: Roc
    failures: FailureToAcquire | None = None
    without_failures: VerificationResult | None = None
    notes: tuple[str, ...] = ()
    scored: ScoredPairs | None = None

    def rows(self, name: str) -> dict[str, VerificationResult]:
        """The results as rows of a table, by what they are called."""
        without = {} if self.without_failures is None else {f"{name}, {_WITHOUT}": self.without_failures}
        return {name: self.result, **without}

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; nothing about failures where nothing tells of them."""
        result = self.result.to_dict()
        if self.failures is not None:
            result["failure_to_acquire"] = self.failures.to_dict()
            without = self.without_failures
            result["without_failures"] = None if without is None else without.to_dict()
        return result


def verify_pairs(pairs: ScoredPairs, options: VerifyOptions, source: str) -> VerifiedSet:
    """Verification of the first of ``pairs``' scores; ``source`` names them in messages.

    Raises:
        DataError: missing scores that ``options`` do not allow, and what :func:`verify` refuses.
    """
    failures = failure_to_acquire(pairs)
    left = without_failures(pairs)
    used, notes = _usable(left if options.leave_out_failures else pairs, options, source)
    result = _verify(used, options)
    without = None
    if failures is not None:
        notes += failures.sentences(options.leave_out_failures)
        if not options.leave_out_failures:
            try:
                without = _verify(_usable(left, options, source)[0], options)
            except DataError as error:
                notes.append(f"{_WITHOUT}, the pairs cannot be scored: {error}")
    curve = roc_curve(used.scores[0], used.comparisons.same)
    return VerifiedSet(result, curve, failures, without, tuple(notes), used)


def _usable(pairs: ScoredPairs, options: VerifyOptions, source: str) -> tuple[ScoredPairs, list[str]]:
    """The pairs that are scored, and what is said first about them."""
    scores, comparisons = pairs.scores[0], pairs.comparisons
    if options.unscored == "error":
        check_scored(comparisons, scores, source)
    missing = int((~np.isfinite(scores)).sum())
    values, kept = usable_scores(scores, comparisons, options.unscored)
    notes = [note for note in [upside_down(scores, comparisons.same)] if note]
    if missing:
        left_out, counted = ("was left out", "were left out"), ("counts as no match", "count as no match")
        how = agree(missing, *(left_out if options.unscored == "leave_out" else counted))
        notes.append(f"{quantity(missing, 'comparison')} without a usable score {how}")
    return ScoredPairs(select(comparisons, kept), (values[kept],)), notes


def _verify(pairs: ScoredPairs, options: VerifyOptions) -> VerificationResult:
    return verify(
        pairs.scores[0], pairs.comparisons, options.folds, options.fmr, rounds=options.rounds, level=options.level,
        seed=options.seed,
    )  # fmt: skip
