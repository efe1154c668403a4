"""The evaluation's report on drawn scores: what it marks, counts and admits."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fairface.cli import finite
from fairface.errors import ConfigError, DataError
from fairface.evaluation.assessment import EvaluationOptions, assess_evaluation
from fairface.evaluation.facts import RunFacts
from fairface.evaluation.judged import ALL_STEPS, HARD, THREE_STEP, WITHOUT, JudgedPairs
from fairface.evaluation.limits import what_cannot_be_shown
from fairface.evaluation.report import EvaluationReport
from fairface.report.fairness_verdict import fairness_verdict
from fairface.scoring.fairness.options import FairnessOptions
from fairface.scoring.roc import auc, roc_curve
from fairface.scoring.transductive.chain import StepResult
from unittests.scoring.fairness.helpers import small_world, with_attribute

ON = (StepResult("rerank", True, 5), StepResult("cut", True, 0), StepResult("fuse", False))
OFF = tuple(StepResult(name, False) for name in ("rerank", "cut", "fuse"))
SETTINGS = FairnessOptions(rounds=20, min_subjects=10)
OPTIONS = EvaluationOptions(protected=("sex",), fmr=0.05, fairness=SETTINGS)


def judged(subjects=40, seed=0, failed=(), **kwargs):
    scores, comparisons = small_world(subjects=subjects, seed=seed, **kwargs)
    noise = np.random.default_rng(1).normal(0, 0.05, len(scores))
    known = np.isin(np.arange(len(comparisons.names)), failed)
    kinds = {ALL_STEPS: scores, THREE_STEP: scores + noise, HARD: scores - noise}
    photographs = frozenset(Path("/drawn", name) for name in comparisons.names)
    return JudgedPairs("drawn", comparisons, kinds, photographs, known)


def facts(steps=ON, failed=()):
    return RunFacts("three", "hard", "pairs.csv", 100, 50, 2, 1, steps, failed, ("a note",))


@pytest.mark.parametrize("worse", [0.3, -0.3], ids=["cost", "gain"])
def test_steps_that_take_genuine_matches_are_told_and_others_are_not(worse):
    pairs = judged()
    plain, same = pairs.scores[THREE_STEP], pairs.comparisons.same
    scores = {**pairs.scores, ALL_STEPS: np.where(same, plain - worse, plain)}
    found = assess_evaluation(replace(pairs, scores=scores), OPTIONS)
    text = EvaluationReport(facts(), found).markdown()
    told = []
    for of in (scores[ALL_STEPS], plain):  # at the FMR that is the lowest with enough impostor comparisons
        falling = np.sort(of[~same])[::-1]
        lowest = min(fmr for fmr in (1e-2, 1e-3, 1e-4) if len(falling) * fmr >= 1)
        told.append(f"{(of[same] > falling[int(len(falling) * lowest)]).mean():.4f}")
    sentence = f"less well after the steps than by plain cosines (TAR {told[0]} against {told[1]} at FMR {lowest})"
    assert (sentence in text) == (worse > 0)
    assert ("less well after the steps" in text) == (worse > 0)


def test_transductive_scores_are_marked_wherever_they_stand():
    found = assess_evaluation(judged(failed=[0, 4]), OPTIONS)
    text = EvaluationReport(facts(failed=("p0",)), found).markdown()
    assert "scores: transductive: other pairs of the list changed the score of a pair" in text
    assert "| rerank | on | transductive | 5 |" in text
    assert "| after all steps | transductive |" in text
    assert f"| {WITHOUT} | transductive |" in text
    for name in (THREE_STEP, HARD):
        assert f"| {name} | inductive |" in text
    titles = [line for line in text.splitlines() if line.startswith("## Groups by")]
    assert titles == [
        "## Groups by sex (all images, transductive scores)",
        "## Groups by sex (without face-detection failures, transductive scores)",
    ]
    assert "## Compared with plain cosines, by sex (all images, transductive scores)" in text
    assert "2 pairs repeat an earlier pair" in text
    assert "1 pair compares an image with itself" in text
    assert "- a note" in text


def test_nothing_is_called_transductive_where_no_step_is_on():
    given = judged()
    plain = replace(given, scores={ALL_STEPS: given.scores[THREE_STEP], THREE_STEP: given.scores[THREE_STEP]})
    report = EvaluationReport(facts(OFF), assess_evaluation(plain, OPTIONS))
    assert "transductive" not in report.markdown()
    assert "inductive" in report.markdown()
    assert report.to_dict()["transductive"] is False
    assert report.to_dict()["fairness"]["against"] == {}


def test_every_kind_of_score_has_its_row_of_verification():
    given = judged(failed=[0, 4])
    found = assess_evaluation(given, OPTIONS)
    for name, scores in given.scores.items():
        expected = auc(roc_curve(scores, given.comparisons.same))
        assert found.verification[name].auc == pytest.approx(expected)
        assert "auc" in found.verification[name].intervals
        assert found.verification[name].tar["0.05"] > 0
    kept = [i for i, (a, b) in enumerate(zip(given.comparisons.a, given.comparisons.b, strict=True))
            if a not in (0, 4) and b not in (0, 4)]  # fmt: skip
    expected = auc(roc_curve(given.scores[ALL_STEPS][kept], given.comparisons.same[kept]))
    assert found.verification[WITHOUT].auc == pytest.approx(expected)
    assert found.without_failures.result.fmr.comparisons < found.fairness.result.fmr.comparisons


def test_failures_to_detect_by_group_and_json():
    found = assess_evaluation(judged(failed=[0, 1, 4]), OPTIONS)  # subjects 0 (f) twice and 1 (m)
    report = EvaluationReport(facts(failed=("p0/0", "p0/1", "p1/1")), found)
    rows = {row.group: row.failures for row in found.fairness.result.groupings["sex"].rows}
    assert {group: rate.errors for group, rate in rows.items()} == {"f": 2, "m": 1}
    assert "| sex | f | 60 | 0.03333" in report.markdown()
    written = json.loads(json.dumps(finite(report.to_dict())))
    groups = written["fairness"]["groupings"]["sex"]["groups"]
    assert groups[0]["failure_to_detect"]["errors"] == 2
    assert written["failed_to_detect"]["count"] == 3
    assert written["fairness_without_failures"]["groupings"]["sex"]["accounting"]["total"] < len(found.comparisons)
    assert [step["kind"] for step in written["steps"]] == ["transductive"] * 3


@pytest.mark.parametrize(
    ("failed", "reason"),
    [((), "failed on none of these images"), (range(1, 120), "0 pairs are left"), (None, "it is unknown on which")],
)
def test_why_there_is_no_report_without_failures(failed, reason):
    given = judged(failed=failed or ())
    given = replace(given, failed=None) if failed is None else given
    found = assess_evaluation(given, OPTIONS)
    assert found.without_failures is None
    assert reason in found.without_reason
    assert WITHOUT not in found.verification


def reaching(given):
    """The same with one pair of image 0 far above all others, and a threshold that only this pair reaches."""
    of_first = np.flatnonzero((given.comparisons.a == 0) | (given.comparisons.b == 0))[0]
    scores = given.scores[ALL_STEPS].copy()
    scores[of_first] = 9.0
    return replace(given, scores={**given.scores, ALL_STEPS: scores}), replace(OPTIONS, threshold=5.0)


def test_pairs_without_failures_on_one_side_of_the_threshold_leave_out_only_their_report():
    given, options = reaching(judged(failed=[0]))
    found = assess_evaluation(given, options)
    assert found.fairness.result.threshold.value == 5.0
    assert found.without_failures is None
    assert "threshold 5 (given) is above every score" in found.without_reason
    assert WITHOUT in found.verification
    left = int(((given.comparisons.a != 0) & (given.comparisons.b != 0)).sum())
    why = f"{left} pairs are left, but they cannot be scored: threshold 5"
    assert f"no separate report without these images: {why}" in (
        EvaluationReport(facts(failed=("p0/0",)), found).markdown()
    )
    with pytest.raises(DataError, match="above every score"):  # of all pairs it stays an error
        assess_evaluation(given, replace(options, threshold=10.0))


def test_a_challenge_measure_that_only_the_part_cannot_give_leaves_out_only_its_report(monkeypatch):
    given = judged(failed=[0])

    def measure(scores, *rest):
        if len(scores) < len(given.comparisons):
            raise DataError("too few for the measure")
        return {}

    monkeypatch.setattr("fairface.evaluation.assessment.challenge_measure", measure)
    found = assess_evaluation(given, replace(OPTIONS, legitimate=("sex",)))
    assert found.fairness is not None
    assert "too few for the measure" in found.without_reason


@pytest.mark.parametrize("bad", [{"fmr": 0.0}, {"fmr": 1.0}, {"fmr": np.nan}, {"threshold": np.inf}])
def test_numbers_that_no_assessment_can_use_are_refused_at_once(bad):
    with pytest.raises(ConfigError, match="cannot be used"):
        EvaluationOptions(**bad)


def test_threshold_on_the_same_pairs_is_called_optimistic_and_on_others_is_not():
    given, other = judged(), judged(seed=5)
    # Another folder, in which the images bear the same names.
    elsewhere = frozenset(Path("/elsewhere", name) for name in other.comparisons.names)
    other = JudgedPairs("calibration.csv", other.comparisons, other.scores, elsewhere)
    alone, fixed = assess_evaluation(given, OPTIONS), assess_evaluation(given, OPTIONS, other)
    assert alone.fairness.result.threshold.optimistic
    assert "optimistic: it was set on images that are also scored" in EvaluationReport(facts(), alone).markdown()
    threshold = fixed.fairness.result.threshold
    assert not threshold.optimistic
    assert "calibration.csv" in threshold.how
    carried = "so the threshold of one list is only approximate for another"
    assert carried in EvaluationReport(facts(), fixed).text()
    assert carried not in EvaluationReport(facts(OFF), fixed).text() + EvaluationReport(facts(), alone).text()
    impostor = other.scores[ALL_STEPS][~other.comparisons.same]
    assert (impostor >= threshold.value).mean() <= 0.05 < (impostor >= threshold.value - 0.002).mean()
    one = Path("/drawn/p0/0.png")
    assert one in given.photographs
    shared = assess_evaluation(given, OPTIONS, replace(other, photographs=elsewhere | {one}))
    assert shared.fairness.result.threshold.optimistic


def test_bad_thresholds_and_scores_are_errors():
    with pytest.raises(DataError, match="above every score"):
        assess_evaluation(judged(), replace(OPTIONS, threshold=9.0))
    with pytest.raises(DataError, match="cannot set a threshold at FMR 1e-05"):
        assess_evaluation(judged(), replace(OPTIONS, fmr=1e-5))
    given = judged()
    given.scores[ALL_STEPS][3] = np.nan
    with pytest.raises(DataError, match=r"1 of \d+ scores is not finite"):
        assess_evaluation(given, OPTIONS)


def test_a_threshold_that_plain_cosines_never_reach_leaves_out_only_the_comparison():
    given, other = judged(), judged(seed=5)
    other.scores[THREE_STEP][:] += 10
    found = assess_evaluation(given, OPTIONS, other)
    assert found.fairness.changes == {}
    assert "the change by group cannot be computed: threshold" in EvaluationReport(facts(), found).markdown()


def test_what_few_people_cannot_show():
    given = judged(subjects=12)
    same_hat = with_attribute(given.comparisons, np.zeros(36, int), "hat")
    masks = np.where(np.arange(36) // 3 % 2 == 0, 1, np.arange(36) // 3 // 2 % 2)  # every f has a mask
    masks[5] = -1
    given = replace(given, comparisons=with_attribute(same_hat, masks, "mask"))
    options = replace(OPTIONS, protected=("sex", "mask"), legitimate=("hat",), fmr=0.05,
                      fairness=replace(SETTINGS, min_subjects=5))  # fmt: skip
    found = assess_evaluation(given, options)
    text = "\n".join(what_cannot_be_shown(found))
    assert "12 subjects are few" in text
    assert "hat does not vary: it is no on all 36 images" in text
    assert "mask is unknown for 1 of 36 images" in text
    assert "no image shows sex f with mask no: effects of sex and mask cannot be separated" in text
    assert "by sex+mask, 2 of 3 groups have fewer than 5 subjects (m+no: 3, m+yes: 3)" in text
    plan = found.fairness.result.groupings["sex"].row("f").fnmr_plan
    seen = f"a difference in FNMR from all others smaller than {plan.detectable:.4g} would usually not be detected"
    assert f"by sex, f: {seen}" in text
    assert "by sex, the worst FNMR is not distinguishable" in text
    assert "TAR at FMR 0.001 is undefined: 66 impostor comparisons" in text
    assert f"- {text.splitlines()[0]}" in EvaluationReport(facts(), found).markdown()


def test_a_clear_difference_is_not_called_indistinguishable():
    found = assess_evaluation(judged(subjects=150, worse=0.3), replace(OPTIONS, fmr=0.01))
    text = "\n".join(what_cannot_be_shown(found))
    assert "subjects are few" not in text
    assert "the worst FNMR is not distinguishable" not in text


def test_without_truth_or_attributes():
    report = EvaluationReport(facts())
    assert "no truth was given" in report.markdown()
    assert report.to_dict()["fairness"] is None
    found = assess_evaluation(judged(failed=[0]), replace(OPTIONS, protected=()))
    assert found.fairness is None
    assert "no protected attribute is named" in EvaluationReport(facts(), found).markdown()
    assert WITHOUT in found.verification


def test_the_terminal_gets_the_verdict_and_the_error_rates_of_the_groups():
    found = assess_evaluation(judged(), OPTIONS)
    text = EvaluationReport(facts(), found).text()
    titles = [line for line in text.splitlines() if line.startswith("== ")]
    groups = [f"== Groups by {name} (all images, transductive scores)" for name in found.fairness.result.groupings]
    assert groups
    at = titles.index("== Threshold")
    assert titles[at - 1 : at + 1 + len(groups)] == ["== Verdict", "== Threshold", *groups]
    assert not any("differential" in title or "between groups" in title for title in titles)
    assert "\n".join(["== Verdict", *fairness_verdict(found.fairness.result)]) in text
    assert "What these subjects cannot show" in text


def test_the_models_are_named_with_their_steps():
    named = replace(facts(), checkpoints={"three_step": "three@61 (best)"})
    text = EvaluationReport(named).text()
    assert "three-step model: three@61 (best)\nhard-sample model: hard\n" in text
    assert EvaluationReport(named).to_dict()["checkpoints"] == {"three_step": "three@61 (best)"}
