"""The final evaluation's numbers: verification and fairness of the chain's scores, and of plain ones beside them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from fairface.errors import DataError
from fairface.protocols.comparisons import Comparisons
from fairface.report.fairness_report import FairnessReport
from fairface.scoring.fairness.assess import assess
from fairface.scoring.fairness.challenge import ChallengeOptions, ChallengeSide, challenge_measure
from fairface.scoring.fairness.compare import Change, compare
from fairface.scoring.fairness.grouped import select
from fairface.scoring.fairness.options import FairnessOptions
from fairface.scoring.fairness.threshold import SAME_DATA, SharedThreshold, calibrated_threshold, given_threshold
from fairface.scoring.verification import DEFAULT_FMR, VerificationResult, verify

FINAL, THREE_STEP, HARD = "final", "three-step model, plain cosine", "hard-sample model, plain cosine"
WITHOUT = "final, without failures to detect"
Scores = NDArray[np.float64]


@dataclass(frozen=True)
class JudgedPairs:
    """Pairs of which the truth is known.

    Attributes:
        source: what they are, for messages.
        comparisons: M of them.
        scores: (M,) by kind: :data:`FINAL`, :data:`THREE_STEP` and, with that model, :data:`HARD`.
        failed: (N,) images on which detection failed; ``None`` where that is not told.
    """

    source: str
    comparisons: Comparisons
    scores: dict[str, Scores]
    failed: NDArray[np.bool_] | None = None


@dataclass(frozen=True)
class FinalOptions:
    """What is asked of an assessment; ``threshold`` None: fixed at ``fmr``. No protected attribute: no fairness."""

    protected: tuple[str, ...] = ()
    legitimate: tuple[str, ...] = ()
    fmr: float = 0.01
    threshold: float | None = None
    fairness: FairnessOptions = field(default_factory=FairnessOptions)


@dataclass(frozen=True)
class Assessment:
    """The numbers; ``without_failures`` is None for the reason ``without_reason``, fairness where nobody asked.

    ``notes`` tell what could not be given.
    """

    options: FinalOptions
    comparisons: Comparisons
    verification: dict[str, VerificationResult]
    fairness: FairnessReport | None
    without_failures: FairnessReport | None
    without_reason: str
    notes: tuple[str, ...] = ()


def assess_final(judged: JudgedPairs, options: FinalOptions, calibration: JudgedPairs | None = None) -> Assessment:
    """Assess ``judged``; thresholds are fixed on the same kind of scores of ``calibration``, else on ``judged``.

    Raises:
        DataError: a threshold that no score reaches or that cannot be fixed, an unknown attribute, unusable scores.
    """
    settings = options.fairness
    targets = sorted({*DEFAULT_FMR, options.fmr}, reverse=True)
    kept = without_failures(judged)

    def verified(scores: Scores, comparisons: Comparisons) -> VerificationResult:
        return verify(
            scores, comparisons, fmr=targets, rounds=settings.rounds, level=settings.level, seed=settings.seed
        )

    verification = {name: verified(scores, judged.comparisons) for name, scores in judged.scores.items()}
    if isinstance(kept, JudgedPairs):
        verification[WITHOUT] = verified(kept.scores[FINAL], kept.comparisons)
    if not options.protected:
        reason = kept if isinstance(kept, str) else "no protected attribute is named"
        return Assessment(options, judged.comparisons, verification, None, None, reason)
    thresholds = {name: shared_threshold(name, judged, options, calibration) for name in (FINAL, THREE_STEP)}
    notes: list[str] = []
    whole = _fairness(judged, options, thresholds, notes)
    part, reason = (None, kept) if isinstance(kept, str) else (_fairness(kept, options, thresholds, notes), "")
    return Assessment(options, judged.comparisons, verification, whole, part, reason, tuple(dict.fromkeys(notes)))


def without_failures(judged: JudgedPairs) -> JudgedPairs | str:
    """The pairs of whose images none failed to be detected, or why there is no such list of its own."""
    if judged.failed is None:
        return "nothing tells on which images detection failed"
    comparisons = judged.comparisons
    kept = ~(judged.failed[comparisons.a] | judged.failed[comparisons.b])
    if kept.all():
        return "detection failed on none of these images, so all numbers stay the same"
    same = comparisons.same[kept]
    if not same.any() or same.all():
        return f"{int(kept.sum())} pairs are left, {int(same.sum())} of them of one person: too few to score"
    scores = {name: values[kept] for name, values in judged.scores.items()}
    return JudgedPairs(judged.source, select(comparisons, kept), scores)


def shared_threshold(
    name: str, judged: JudgedPairs, options: FinalOptions, calibration: JudgedPairs | None
) -> SharedThreshold:
    """The threshold for the scores of the kind ``name``.

    Raises:
        DataError: it cannot be fixed at this FMR.
    """
    if options.threshold is not None:
        return given_threshold(options.threshold)
    if calibration is None:
        return calibrated_threshold(judged.scores[name], judged.comparisons.same, options.fmr, SAME_DATA)
    found = calibrated_threshold(
        calibration.scores[name], calibration.comparisons.same, options.fmr, calibration.source
    )
    shared = set(calibration.comparisons.names) & set(judged.comparisons.names)
    return replace(found, optimistic=bool(shared))


def _fairness(
    judged: JudgedPairs, options: FinalOptions, thresholds: dict[str, SharedThreshold], notes: list[str]
) -> FairnessReport:
    comparisons, scores, settings = judged.comparisons, judged.scores, options.fairness
    result = assess(scores[FINAL], comparisons, options.protected, thresholds[FINAL], settings, judged.failed)
    challenge: Mapping[str, ChallengeSide] = {}
    changes: Mapping[str, Change] = {}
    if options.legitimate:
        how = ChallengeOptions(level=settings.level, seed=settings.seed)
        challenge = challenge_measure(scores[FINAL], comparisons, options.protected, options.legitimate, how)
    # A threshold that was given is on one scale; only fixed ones can be compared between kinds of scores.
    if options.threshold is None and (scores[FINAL] != scores[THREE_STEP]).any():
        before, after = ((scores[name], thresholds[name]) for name in (THREE_STEP, FINAL))
        try:
            changes = compare(before, after, comparisons, options.protected, settings)
        except DataError as error:  # all plain cosines lie on one side of their threshold
            notes.append(f"what the steps changed by group cannot be told: {error}")
    return FairnessReport(result, challenge, changes)
