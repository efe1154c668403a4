"""The evaluation's numbers: verification and fairness of the chain's scores, and of plain ones beside them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from fairface.comparisons import Comparisons
from fairface.errors import ConfigError, DataError
from fairface.evaluation.judged import ALL_STEPS, THREE_STEP, WITHOUT, JudgedPairs, Scores, without_failures
from fairface.quantity import quantity
from fairface.report.fairness_report import FairnessReport
from fairface.scoring.fairness.assess import assess
from fairface.scoring.fairness.challenge import ChallengeOptions, ChallengeResult, challenge_measure
from fairface.scoring.fairness.compare import compare
from fairface.scoring.fairness.difference import Change
from fairface.scoring.fairness.options import FairnessOptions
from fairface.scoring.fairness.threshold import SAME_DATA, SharedThreshold, calibrated_threshold, given_threshold
from fairface.scoring.fairness.threshold_draws import ThresholdData
from fairface.scoring.verification import DEFAULT_FMR, VerificationResult, verify


@dataclass(frozen=True)
class EvaluationOptions:
    """What is asked of an assessment; ``threshold`` None: fixed at ``fmr``. No protected attribute: no fairness."""

    protected: tuple[str, ...] = ()
    legitimate: tuple[str, ...] = ()
    fmr: float = 0.01
    threshold: float | None = None
    fairness: FairnessOptions = field(default_factory=FairnessOptions)

    def __post_init__(self) -> None:
        if not 0.0 < self.fmr < 1.0:
            raise ConfigError(f"FMR {self.fmr!r} cannot be used; it must lie between 0 and 1, such as 0.001")
        if self.threshold is not None and not math.isfinite(self.threshold):
            raise ConfigError(f"threshold {self.threshold!r} cannot be used; give a finite score")


@dataclass(frozen=True)
class Assessment:
    """The numbers; ``without_failures`` is None for the reason ``without_reason``, fairness where nobody asked.

    ``notes`` tell what could not be given.
    """

    options: EvaluationOptions
    comparisons: Comparisons
    verification: dict[str, VerificationResult]
    fairness: FairnessReport | None
    without_failures: FairnessReport | None
    without_reason: str
    notes: tuple[str, ...] = ()


def assess_evaluation(
    judged: JudgedPairs, options: EvaluationOptions, calibration: JudgedPairs | None = None
) -> Assessment:
    """Assess ``judged``; thresholds are fixed on the same kind of scores of ``calibration``, else on ``judged``.

    Raises:
        DataError: a threshold that no score reaches or that cannot be fixed, an unknown attribute, unusable scores.
    """
    kept = without_failures(judged)
    verification = {name: verify_scores(scores, judged.comparisons, options) for name, scores in judged.scores.items()}
    if isinstance(kept, JudgedPairs):
        verification[WITHOUT] = verify_scores(kept.scores[ALL_STEPS], kept.comparisons, options)
    if not options.protected:
        reason = kept if isinstance(kept, str) else "no protected attribute is named"
        return Assessment(options, judged.comparisons, verification, None, None, reason)
    thresholds = {name: shared_threshold(name, judged, options, calibration) for name in (ALL_STEPS, THREE_STEP)}
    notes: list[str] = []
    set_on = _set_on(calibration or judged, judged=calibration is None)
    whole = _fairness(judged, options, thresholds, notes, set_on)
    part, reason = (
        (None, kept) if isinstance(kept, str) else _fairness_of_part(kept, options, thresholds, notes, set_on)
    )
    return Assessment(options, judged.comparisons, verification, whole, part, reason, tuple(dict.fromkeys(notes)))


def verify_scores(scores: Scores, comparisons: Comparisons, options: EvaluationOptions) -> VerificationResult:
    """Verification as an evaluation gives it, with intervals, at the usual FMRs and that of the threshold."""
    settings, targets = options.fairness, sorted({*DEFAULT_FMR, options.fmr}, reverse=True)
    return verify(scores, comparisons, fmr=targets, rounds=settings.rounds, level=settings.level, seed=settings.seed)


def check_evaluation(judged: JudgedPairs, options: EvaluationOptions, calibration: JudgedPairs | None = None) -> None:
    """Refuse what no scores could fix; the :data:`ALL_STEPS` scores here are placeholders, all different.

    Raises:
        DataError: too few impostor pairs to fix a threshold at this FMR.
    """
    if options.protected:
        shared_threshold(ALL_STEPS, judged, options, calibration)


def shared_threshold(
    name: str, judged: JudgedPairs, options: EvaluationOptions, calibration: JudgedPairs | None
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
    return replace(found, optimistic=bool(calibration.photographs & judged.photographs))


def _set_on(pairs: JudgedPairs, judged: bool) -> ThresholdData:
    """The pairs that both thresholds were set on."""
    return ThresholdData(pairs.comparisons, pairs.scores[THREE_STEP], pairs.scores[ALL_STEPS], judged)


def _fairness_of_part(
    part: JudgedPairs,
    options: EvaluationOptions,
    thresholds: dict[str, SharedThreshold],
    notes: list[str],
    set_on: ThresholdData,
) -> tuple[FairnessReport | None, str]:
    """The report on fewer pairs, or why these few give none; the report on all pairs does not depend on it."""
    try:
        return _fairness(part, options, thresholds, notes, set_on), ""
    except DataError as error:
        left = quantity(
            len(part.comparisons), "pair is left, but it cannot be scored", "pairs are left, but they cannot be scored"
        )
        return None, f"{left}: {error}"


def _fairness(
    judged: JudgedPairs,
    options: EvaluationOptions,
    thresholds: dict[str, SharedThreshold],
    notes: list[str],
    set_on: ThresholdData,
) -> FairnessReport:
    comparisons, scores, settings = judged.comparisons, judged.scores, options.fairness
    result = assess(scores[ALL_STEPS], comparisons, options.protected, thresholds[ALL_STEPS], settings, judged.failed)
    challenge: Mapping[str, ChallengeResult] = {}
    changes: Mapping[str, Change] = {}
    if options.legitimate:
        how = ChallengeOptions(level=settings.level, seed=settings.seed)
        challenge = challenge_measure(scores[ALL_STEPS], comparisons, options.protected, options.legitimate, how)
    # A threshold that was given is on one scale; only fixed ones can be compared between kinds of scores.
    if options.threshold is None and (scores[ALL_STEPS] != scores[THREE_STEP]).any():
        before, after = ((scores[name], thresholds[name]) for name in (THREE_STEP, ALL_STEPS))
        try:
            changes = compare(before, after, comparisons, options.protected, settings, set_on)
        except DataError as error:  # all plain cosines lie on one side of their threshold
            notes.append(f"the change by group cannot be computed: {error}")
    return FairnessReport(result, challenge, changes)
