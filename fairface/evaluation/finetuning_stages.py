"""What the stages of a finetuning score on an evaluation's pairs: accuracy, rates and gaps of groups. No MXNet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from fairface.errors import DataError
from fairface.evaluation.assessment import EvaluationOptions, shared_threshold, verify_scores
from fairface.evaluation.judged import JudgedPairs, Scores
from fairface.evaluation.stage_points import StagePoints, stage_points
from fairface.scoring.fairness.assess import assess
from fairface.scoring.fairness.compare import compare
from fairface.scoring.fairness.difference import Change
from fairface.scoring.fairness.result import FairnessResult
from fairface.scoring.fairness.threshold import SAME_DATA, SharedThreshold
from fairface.scoring.fairness.threshold_draws import ThresholdData
from fairface.scoring.verification import VerificationResult

# The scores, the threshold, and the calibration scores that set it: None where the judged ones did.
AtThreshold = tuple[Scores, SharedThreshold, Scores | None]


@dataclass(frozen=True)
class StageScores:
    """One stage's plain cosines.

    Attributes:
        name, model, checkpoint: of the stage; ``checkpoint`` is the model with its step.
        scores: (M,) of the judged pairs.
        calibration: of the calibration pairs; ``None`` where there are none.
        reason: why the stage has no scores; they are empty then.
    """

    name: str
    model: str
    checkpoint: str
    scores: Scores | None
    calibration: Scores | None = None
    reason: str = ""


@dataclass(frozen=True)
class StageResult:
    """One stage.

    Attributes:
        name, model, checkpoint: see :class:`StageScores`.
        verification: ``None`` where it has no scores.
        fairness: at the stage's own threshold; ``None`` where that cannot be set.
        changes: from the first stage that has fairness, by grouping; empty for that stage itself.
        reason: why something is ``None``.
    """

    name: str
    model: str
    checkpoint: str
    verification: VerificationResult | None = None
    fairness: FairnessResult | None = None
    changes: Mapping[str, Change] = field(default_factory=dict)
    reason: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "name": self.name, "model": self.model, "checkpoint": self.checkpoint,
            "verification": self.verification.to_dict() if self.verification else None,
            "fairness": self.fairness.to_dict() if self.fairness else None,
            "changes": {name: change.to_dict() for name, change in self.changes.items()}, "reason": self.reason,
        }  # fmt: skip


@dataclass(frozen=True)
class FinetuningStages:
    """All stages, first to last, on the same pairs; ``options`` are the evaluation's, ``set_on`` are the pairs that the
    stages' thresholds are set on."""

    options: EvaluationOptions
    stages: tuple[StageResult, ...]
    set_on: str

    def points(self) -> list[StagePoints]:
        """Accuracy against the gap of either error, by each grouping; none where no stage has fairness."""
        known = [stage for stage in self.stages if stage.verification and stage.fairness]
        return stage_points(
            {stage.name: stage.verification for stage in known if stage.verification},
            {stage.name: stage.fairness for stage in known if stage.fairness},
            {stage.name: stage.changes for stage in known},
            self.options.fmr,
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "scores": "plain cosine", "threshold_fmr": self.options.fmr, "threshold_set_on": self.set_on,
            "stages": [stage.to_dict() for stage in self.stages],
            "accuracy_against_gap": [points.to_dict() for points in self.points()],
        }  # fmt: skip


def assess_stages_of(
    scored: Sequence[StageScores], judged: JudgedPairs, options: EvaluationOptions,
    calibration: JudgedPairs | None = None,
) -> FinetuningStages:  # fmt: skip
    """Assess all stages alike on the pairs ``judged``, whose own scores play no part.

    Each stage has a threshold of its own at ``options.fmr``, set on its scores of ``calibration``, else of ``judged``:
    scores of two models differ in scale, so a threshold that is given for one is of no use. A stage that cannot be
    assessed keeps its place, with the reason.
    """
    own = replace(options, threshold=None)
    found: list[StageResult] = []
    before: AtThreshold | None = None  # the first stage that has fairness
    for stage in scored:
        result = StageResult(stage.name, stage.model, stage.checkpoint, reason=stage.reason)
        if stage.scores is not None:
            result = replace(result, verification=verify_scores(stage.scores, judged.comparisons, own))
            try:
                at = _at_threshold(stage, judged, own, calibration)
                result = _with_fairness(result, at, before, judged, own, calibration)
                before = before or at
            except DataError as error:
                result = replace(result, reason=str(error))
        found.append(result)
    return FinetuningStages(options, tuple(found), calibration.source if calibration else SAME_DATA)


def _with_fairness(
    result: StageResult,
    at: AtThreshold,
    before: AtThreshold | None,
    judged: JudgedPairs,
    options: EvaluationOptions,
    calibration: JudgedPairs | None,
) -> StageResult:
    fairness = assess(at[0], judged.comparisons, options.protected, at[1], options.fairness, judged.failed)
    changes: Mapping[str, Change] = {}
    if before is not None:
        set_on = _set_on(before, at, judged, calibration)
        changes = compare(before[:2], at[:2], judged.comparisons, options.protected, options.fairness, set_on)
    return replace(result, fairness=fairness, changes=changes)


def _set_on(
    before: AtThreshold, after: AtThreshold, judged: JudgedPairs, calibration: JudgedPairs | None
) -> ThresholdData | None:
    """The pairs that set both thresholds; None where one was set on other pairs than the other."""
    if before[2] is None and after[2] is None:
        return ThresholdData(judged.comparisons, before[0], after[0], judged=True)
    if calibration is None or before[2] is None or after[2] is None:
        return None
    return ThresholdData(calibration.comparisons, before[2], after[2])


def _at_threshold(
    stage: StageScores, judged: JudgedPairs, options: EvaluationOptions, calibration: JudgedPairs | None
) -> AtThreshold:
    """The stage's scores, its threshold, set as the evaluation's is, and the calibration scores that set it."""
    if stage.scores is None:
        raise DataError(f"{stage.name}: has no scores; {stage.reason}")
    own = replace(judged, scores={stage.name: stage.scores})
    if calibration is None or stage.calibration is None:
        return stage.scores, shared_threshold(stage.name, own, options, None), None
    others = replace(calibration, scores={stage.name: stage.calibration})
    return stage.scores, shared_threshold(stage.name, own, options, others), stage.calibration
