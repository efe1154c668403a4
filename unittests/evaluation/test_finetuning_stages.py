"""Stages on drawn scores: rates, gaps and the front by plain loops; what cannot be assessed keeps its place."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fairface.cli import finite
from fairface.evaluation.assessment import EvaluationOptions
from fairface.evaluation.finetuning_stages import StageScores, assess_stages_of
from fairface.evaluation.judged import ALL_STEPS, JudgedPairs
from fairface.evaluation.stage_sections import stage_panels, stage_sections
from fairface.report.fairness_text import as_text
from fairface.scoring.fairness.compare import compare
from fairface.scoring.fairness.options import FairnessOptions
from fairface.scoring.fairness.threshold import calibrated_threshold
from fairface.scoring.fairness.threshold_draws import ThresholdData
from unittests.scoring.fairness.helpers import small_world

OPTIONS = EvaluationOptions(protected=("sex",), fmr=0.05, fairness=FairnessOptions(rounds=30, min_subjects=10))
WORSE = {"start": 1.0, "step1": 0.4, "step2": 0.0}


def drawn(seed=0, subjects=40):
    """Pairs, and the scores of three stages on them, of which each treats the women better than the one before."""
    scores, comparisons = small_world(subjects=subjects, seed=seed)
    women = comparisons.same & (comparisons.attributes[comparisons.a, 0] == 0)
    kinds = {name: scores * 2 - worse * women for name, worse in WORSE.items()}
    photographs = frozenset(Path(f"/{seed}", name) for name in comparisons.names)
    return JudgedPairs(f"drawn {seed}", comparisons, {ALL_STEPS: np.zeros(len(scores))}, photographs), kinds


def stages(kinds, others=None):
    return [
        StageScores(name, f"models/{name}", f"{name}@3 (best)", scores, others[name] if others else None)
        for name, scores in kinds.items()
    ]


def threshold_by_loop(scores, same, fmr):
    return min(score for score in scores if (scores[~same] >= score).mean() <= fmr)


def rates_by_loop(scores, comparisons, threshold, error):
    sexes = comparisons.attributes[:, 0]
    rates = []
    for sex in (0, 1):
        kind = comparisons.same if error == "fnmr" else ~comparisons.same
        inside = [
            i for i in range(len(scores)) if kind[i] and sexes[comparisons.a[i]] == sexes[comparisons.b[i]] == sex
        ]
        rates.append(np.mean([(scores[i] >= threshold) != comparisons.same[i] for i in inside]))
    return rates


@pytest.mark.parametrize("calibrated", [False, True])
def test_accuracy_gap_worst_group_and_front_are_those_of_a_loop(calibrated):
    judged, kinds = drawn()
    calibration, others = drawn(seed=1)
    found = assess_stages_of(
        stages(kinds, others if calibrated else None), judged, OPTIONS, calibration if calibrated else None
    )
    told = finite(found.to_dict())
    assert told["threshold_set_on"] == ("drawn 1" if calibrated else "the evaluated comparisons themselves")
    same = judged.comparisons.same
    thresholds = {
        name: threshold_by_loop(others[name], calibration.comparisons.same, 0.05) if calibrated
        else threshold_by_loop(kinds[name], same, 0.05) for name in kinds
    }  # fmt: skip
    tar = {name: (of[same] >= threshold_by_loop(of, same, 0.05)).mean() for name, of in kinds.items()}
    assert [(of["by"], of["error"]) for of in told["accuracy_against_gap"]] == [("sex", "fnmr"), ("sex", "fmr")]
    for of in told["accuracy_against_gap"]:
        assert of["accuracy"] == "TAR at FMR 0.05"
        rates = {name: rates_by_loop(kinds[name], judged.comparisons, thresholds[name], of["error"]) for name in kinds}
        gaps = {name: max(two) - min(two) for name, two in rates.items()}
        for point in of["stages"]:
            name = point["stage"]
            assert point["accuracy"] == pytest.approx(tar[name])
            assert [point["groups"][sex]["value"] for sex in "fm"] == pytest.approx(rates[name])
            assert point["gap"] == pytest.approx(gaps[name])
            assert point["low"] <= point["gap"] <= point["high"]
            assert point["worst"]["group"] == "fm"[int(rates[name][1] > rates[name][0])]
            beaten = any(
                tar[other] >= tar[name] and gaps[other] <= gaps[name]
                and (tar[other] > tar[name] or gaps[other] < gaps[name]) for other in kinds
            )  # fmt: skip
            assert point["best"] is not beaten
            if name == "start":
                assert point["change"] is None
            else:
                assert point["change"]["value"] == pytest.approx(gaps[name] - gaps["start"])
    fnmr = told["accuracy_against_gap"][0]["stages"]
    assert fnmr[2]["change"]["verdict"] == "better"  # so large a gap that closes is told from chance
    assert sum(point["best"] for point in fnmr) < 3


@pytest.mark.parametrize("calibrated", [False, True])
def test_changes_are_those_of_the_library_with_the_people_who_set_the_thresholds(calibrated):
    judged, kinds = drawn()
    calibration, others = drawn(seed=1)
    scored = stages(kinds, others if calibrated else None)
    found = assess_stages_of(scored, judged, OPTIONS, calibration if calibrated else None).stages[2]
    pairs, by = (calibration.comparisons, others) if calibrated else (judged.comparisons, kinds)
    at = [(kinds[name], calibrated_threshold(by[name], pairs.same, 0.05)) for name in ("start", "step2")]
    set_on = ThresholdData(pairs, by["start"], by["step2"], judged=not calibrated)
    wanted = compare(*at, judged.comparisons, ["sex"], OPTIONS.fairness, set_on)
    assert found.changes["sex"].to_dict() == wanted["sex"].to_dict()
    assert found.changes["sex"].threshold_rounds == OPTIONS.fairness.rounds > 0
    # A stage without scores of the calibration pairs has a threshold of the judged ones: no one resample has both.
    mixed = [replace(stage, calibration=None) if stage.name == "start" else stage for stage in stages(kinds, others)]
    assert assess_stages_of(mixed, judged, OPTIONS, calibration).stages[2].changes["sex"].threshold_rounds == 0


def test_a_given_threshold_is_of_another_scale_and_not_used():
    judged, kinds = drawn()
    given = assess_stages_of(stages(kinds), judged, replace(OPTIONS, threshold=7.0))
    assert given.points() == assess_stages_of(stages(kinds), judged, OPTIONS).points()
    assert "the threshold that was given, 7, is for the scores after all steps" in as_text(stage_sections(given))


def test_a_stage_that_cannot_be_assessed_keeps_its_place_with_the_reason():
    judged, kinds = drawn()
    kinds["step1"] = np.where(kinds["step1"] > np.quantile(kinds["step1"], 0.1), 1.0, kinds["step1"])
    scored = [StageScores("refused", "x", "x", None, reason="x: images of another size"), *stages(kinds)]
    found = assess_stages_of(scored, judged, OPTIONS)
    assert [stage.name for stage in found.stages] == ["refused", "start", "step1", "step2"]
    assert [point.stage for point in found.points()[0].points] == ["start", "step2"]
    assert found.stages[2].verification is not None
    text = as_text(stage_sections(found))
    assert "refused: x: images of another size" in text
    assert "step1: the evaluated comparisons themselves: the highest score is shared by more than 0.05" in text
    assert finite(found.to_dict())["stages"][0]["verification"] is None
    nothing = assess_stages_of(scored[:1], judged, OPTIONS)
    assert nothing.points() == []
    assert "refused: x: images of another size" in as_text(stage_sections(nothing))


def test_tables_and_figures_tell_the_same():
    judged, kinds = drawn()
    found = assess_stages_of(stages(kinds), judged, OPTIONS)
    first, *sections = stage_sections(found)
    assert [row[:2] for row in first.rows] == [[name, f"{name}@3 (best)"] for name in kinds]
    panels = stage_panels(found)
    assert [panel.title for panel in panels] == [first.title, *(section.title for section in sections)]
    for panel, section in zip(panels[1:], sections, strict=True):
        assert panel.drawing is not None
        assert [list(row) for row in panel.tables[0].rows] == section.rows
    header, rows = sections[0].header, sections[0].rows
    assert header[:5] == ("stage", "TAR at FMR 0.05", "FNMR of f", "FNMR of m", "worst FNMR")
    assert header[7] == "gap less that of start"
    assert (rows[0][7], rows[2][7].endswith(": better")) == ("", True)
    assert rows[0][4] == "f"


def test_groups_that_are_too_small_have_rates_but_no_gap_and_no_figure():
    judged, kinds = drawn()
    small = replace(OPTIONS, fairness=replace(OPTIONS.fairness, min_subjects=30))
    found = assess_stages_of(stages(kinds), judged, small)
    for panel in stage_panels(found)[1:]:
        assert panel.drawing is None
        assert panel.lines == (
            "Nothing can be drawn: no stage has both numbers.",
            "gap n/a: 0 of 2 groups have 30 subjects or more; --min-subjects sets that bound",
        )
        assert all("[" in row[2] and "[" in row[3] for row in panel.tables[0].rows)  # rates with their intervals
        assert {row[-1] for row in panel.tables[0].rows} == {"n/a"}


def test_with_too_few_impostors_for_the_tar_the_auc_is_drawn():
    judged, kinds = drawn()
    calibration, others = drawn(seed=1)
    few = replace(OPTIONS, fmr=1 / 700)  # 780 impostor pairs calibrate, 100 are evaluated
    kept = judged.comparisons.same | (np.arange(len(judged.comparisons)) < judged.comparisons.same.sum() + 100)
    pairs = replace(
        judged.comparisons, **{of: getattr(judged.comparisons, of)[kept] for of in
                               ("a", "b", "same", "fold", "subject_a", "subject_b")}
    )  # fmt: skip
    mine = stages({name: of[kept] for name, of in kinds.items()}, others)
    found = assess_stages_of(mine, replace(judged, comparisons=pairs), few, calibration)
    points = found.points()[0]
    assert points.accuracy == "AUC"
    for point in points.points:
        scores = kinds[point.stage][kept]
        genuine, impostor = scores[pairs.same], scores[~pairs.same]
        by_hand = np.mean([[(g > i) + (g == i) / 2 for i in impostor] for g in genuine])
        assert point.accuracy == pytest.approx(by_hand)
