import json
from dataclasses import replace
from itertools import pairwise

import cv2
import numpy as np
import pytest

from fairface.cli import finite
from fairface.errors import ConfigError
from fairface.report.fairness_curves import plot_group_curves
from fairface.report.fairness_numbers import interval_text, number_text, times_text
from fairface.report.fairness_report import FairnessReport
from fairface.report.fairness_verdict import fairness_verdict
from fairface.scoring.fairness.assess import assess
from fairface.scoring.fairness.challenge import ChallengeOptions, challenge_measure
from fairface.scoring.fairness.compare import compare
from fairface.scoring.fairness.curves import group_curves
from fairface.scoring.fairness.options import FairnessOptions
from fairface.scoring.fairness.threshold import given_threshold
from unittests.scoring.fairness.helpers import small_world, with_attribute

AT = given_threshold(0.35)
OPTIONS = FairnessOptions(rounds=20, min_subjects=20)


@pytest.fixture(scope="module")
def report():
    scores, comparisons = small_world(worse=0.1)
    comparisons = with_attribute(comparisons, np.arange(180) // 3 % 5 == 0)
    names = ["sex", "glasses"]
    return FairnessReport(
        assess(scores, comparisons, names, AT, OPTIONS, np.arange(180) < 5),
        challenge_measure(scores, comparisons, ["sex"], ["glasses"], ChallengeOptions(rounds=5)),
        compare((scores, AT), (scores * 1.1, given_threshold(0.38)), comparisons, names, OPTIONS),
        tuple(group_curves(scores, comparisons, names, rounds=5)),
    )


def test_text_and_markdown_open_with_the_verdict(report):
    verdict = fairness_verdict(report.result)
    assert len(verdict) == 1 + 2 * len(report.result.groupings)
    assert report.text().startswith("\n".join(["== Fairness", *verdict, "threshold 0.35, set by: given"]))
    assert report.markdown().startswith("\n".join(["# Fairness", "", *(f"- {line}" for line in verdict)]))
    invalid = replace(report, unusable=("the scores are upside down",)).text()
    assert invalid.startswith("== These results are invalid\nthe scores are upside down\n\n== Fairness\nthreshold 0.35")
    assert verdict[1] not in invalid


def test_text_tells_threshold_groups_measures_and_reasons(report):
    text = report.text()
    assert "threshold 0.35, set by: given" in text
    for title in ("== Groups by sex+glasses", "== False-negative differential performance by glasses",
                  "== False-positive differential performance by sex", "== Aggregate equitability measures by glasses",
                  "== Comparison score differentials by sex+glasses", "== FMR between groups by sex",
                  "== Statistical power, by sex", "== Compared with the model before, by sex",
                  "== The challenge's measure"):  # fmt: skip
        assert title in text
    row = next(line for line in text.splitlines() if line.startswith("garbe "))
    assert " 0.5 " in row  # alpha
    assert "60, 180, 870" in row
    assert "unofficial aggregation one_sided" in text
    assert "failure to acquire" in text
    assert "1950 comparisons = 1050 within groups + 900 between groups + 0 of unknown group + 0 without a score" in text
    f = report.result.groupings["sex"].row("f").fnmr
    assert f"{f.value:.4g} [{f.low:.4g}, {f.high:.4g}]" in text


def test_markdown_tables_are_whole(report):
    lines = report.markdown().splitlines()
    assert lines[0] == "# Fairness"
    for above, line in pairwise(lines):
        if line.startswith("|") and above.startswith("|"):
            assert line.count("|") == above.count("|")
    assert sum(line.startswith("|---") for line in lines) >= 12


def test_json_has_no_nan(report):
    printed = json.loads(json.dumps(finite(report.to_dict()), allow_nan=False))
    assert set(printed["groupings"]) == {"sex", "glasses", "sex+glasses"}
    assert printed["worst"]["sex"]["fnmr"]["group"] in ("f", "m")
    assert len(printed["curves"]) == 4
    assert printed["challenge"]["challenge_genuine"]["cells"]
    assert set(report.measures) == {"sex", "glasses", "sex+glasses", "challenge"}


def test_json_has_the_notes_of_text_and_markdown(report):
    result = replace(report.result, notes=("few",))
    noted = replace(report, notes=("two images failed", "f and F differ"), result=result)
    assert noted.to_dict()["notes"] == ["few", "two images failed", "f and F differ"]
    for shown in (noted.text(), noted.markdown()):
        assert all(note in shown for note in noted.to_dict()["notes"])


def test_picture(tmp_path, report):
    pytest.importorskip("matplotlib")
    plot_group_curves(tmp_path / "curves.png", report.curves)
    assert cv2.imread(str(tmp_path / "curves.png")).shape[1] > 1000
    with pytest.raises(ConfigError, match="pictures are written as"):
        plot_group_curves(tmp_path / "curves.gif", report.curves)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.123456, "0.1235"), (0.0, "0"), (1e-3, "0.001"), (1.5e-5, "1.50e-05"), (np.nan, "n/a"), (np.inf, "inf"),
     (9999.4, "9999"), (9999.6, "10000"), (12345.6, "12346"), (-12345.6, "-12346")],
)  # fmt: skip
def test_numbers(value, text):
    assert number_text(value) == text


@pytest.mark.parametrize(
    ("times", "text"),
    [(2.5, "2.5"), (1000.0, "1000"), (1001.0, "more than 1000"), (4402476.0, "more than 1000")],
)
def test_how_many_more_people_is_told_as_far_as_it_means_something(times, text):
    assert times_text(times) == text


def test_intervals():
    assert interval_text(0.1, np.inf) == "[0.1, inf]"
    assert interval_text(np.nan, 1.0) == "n/a"
