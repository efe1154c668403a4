"""Every scalar of the report by its formula, FMR and FNMR not to be exchanged; intervals of the worst group."""

import math
from dataclasses import replace

import numpy as np
import pytest

from fairface.errors import DataError
from fairface.scoring.fairness.assess import assess
from fairface.scoring.fairness.challenge import ChallengeOptions, challenge_measure
from fairface.scoring.fairness.compare import compare
from fairface.scoring.fairness.options import FairnessOptions
from fairface.scoring.fairness.rules import RULES, Setting
from fairface.scoring.fairness.threshold import given_threshold
from unittests.scoring.fairness.helpers import small_world

AT = given_threshold(0.35)
FMR, FNMR = np.array([0.01, 0.02, 0.05]), np.array([0.1, 0.4, 0.2])
IMPOSTOR, GENUINE = np.array([100.0, 300.0, 50.0]), np.array([10.0, 20.0, 70.0])
ALPHA = 0.3


def gini(x):
    return sum(abs(p - q) for p in x for q in x) * 3 / 2 / (2 * 9 * sum(x) / 3)


def relative_differences():
    pooled = [(FMR * IMPOSTOR).sum() / IMPOSTOR.sum(), (FNMR * GENUINE).sum() / GENUINE.sum()]
    return [abs(p - pooled[0]) / pooled[0] + abs(q - pooled[1]) / pooled[1] for p, q in zip(FMR, FNMR, strict=True)]


EXPECTED = {
    "fnmr_worst": 0.4, "fnmr_gap": 0.3, "fnmr_max_min": 4.0, "fnmr_max_geomean": 0.4 / 0.2,
    "fmr_worst": 0.05, "fmr_gap": 0.04, "fmr_max_min": 5.0, "fmr_max_geomean": 0.05 / (0.01 * 0.02 * 0.05) ** (1 / 3),
    "fdr": 1 - (ALPHA * 0.04 + (1 - ALPHA) * 0.3), "inequity_rate": 5**ALPHA * 4 ** (1 - ALPHA),
    "garbe": ALPHA * gini(FMR) + (1 - ALPHA) * gini(FNMR),
    "fnmr_gini": gini(FNMR), "fmr_gini": gini(FMR), "fnmr_mera": 0.4 * 3 / 0.7, "fmr_mera": 0.05 * 3 / 0.08,
    "fmr_mape": sum(abs(p / (9.5 / 450) - 1) for p in FMR) / 3,
    "werm": (0.05 / (0.01 * 0.02 * 0.05) ** (1 / 3)) ** ALPHA * 2 ** (1 - ALPHA),
    "sedg_mean": np.mean(relative_differences()), "sedg_std": np.std(relative_differences()),
}  # fmt: skip


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_each_rule_by_hand(rule):
    rates = [FMR if side == "fmr" else FNMR for side in rule.error_types]
    found = float(rule.compute(rates, Setting(ALPHA, IMPOSTOR, GENUINE)))
    assert found == pytest.approx(EXPECTED[rule.name], rel=1e-12)
    ratios = ("_min", "_geomean", "_mera", "fdr", "inequity_rate", "werm")
    assert rule.best == (1.0 if rule.name.endswith(ratios) else 0.0)
    assert rule.worse_when_larger == (rule.name != "fdr")
    assert rule.uses_alpha == (rule.name in ("fdr", "inequity_rate", "garbe", "werm"))


def test_the_worst_rate_lies_between_the_worst_ends_of_all_groups():
    """Two intervals hold together at 0.95 when each is taken at its square root."""
    world = small_world(worse=0.2)
    options = FairnessOptions(rounds=0, min_subjects=20)
    each = assess(*world, ["sex"], AT, replace(options, level=math.sqrt(0.95))).groupings["sex"].rows
    for side in ("fnmr", "fmr"):
        worst = assess(*world, ["sex"], AT, options).groupings["sex"].scalars[f"{side}_worst"]
        rates = [getattr(row, side) for row in each]
        assert worst.low == pytest.approx(max(rate.low for rate in rates), rel=1e-12)
        assert worst.high == pytest.approx(max(rate.high for rate in rates), rel=1e-12)


def test_a_ratio_whose_smallest_rate_rests_on_one_error_has_a_far_upper_end():
    scores, comparisons = small_world(worse=0.5)
    of_m = comparisons.same & (comparisons.attributes[comparisons.a, 0] == 1)
    scores = np.where(of_m, 0.9, scores)
    scores[np.flatnonzero(of_m)[0]] = 0.0  # one error of one subject
    found = assess(scores, comparisons, ["sex"], AT, FairnessOptions(rounds=80, min_subjects=20)).groupings["sex"]
    ratio = found.scalars["inequity_rate"]
    assert found.scalars["fnmr_gap"].low > 0
    assert 1 < ratio.low <= ratio.value < 2 * ratio.value < ratio.high < math.inf


@pytest.mark.parametrize("value", [7.0, -7.0])
@pytest.mark.parametrize("which", [0, 1])
def test_a_comparison_of_models_needs_thresholds_that_both_reach(which, value):
    scores, comparisons = small_world(subjects=20)
    models = [(scores, AT), (scores, AT)]
    models[which] = (scores, given_threshold(value))
    with pytest.raises(DataError, match=r"threshold -?7 .given. is"):
        compare(models[0], models[1], comparisons, ["sex"], FairnessOptions(rounds=0, min_subjects=5))


@pytest.mark.parametrize("end", ["a", "b"])
def test_the_challenge_leaves_out_comparisons_whose_first_or_second_image_has_no_group(end):
    scores, comparisons = small_world(subjects=30)
    image = np.bincount(getattr(comparisons, end)[~comparisons.same]).argmax()
    codes = comparisons.attributes.copy()
    codes[image] = -1
    unknown = replace(comparisons, attributes=codes)
    options = ChallengeOptions(rounds=0, min_comparisons=1)
    for name, kind in (("genuine", comparisons.same), ("impostor", ~comparisons.same)):
        side = challenge_measure(scores, unknown, ["sex"], (), options)[f"challenge_{name}"]
        ends = codes[comparisons.a, 0], codes[comparisons.b, 0]
        expected = [int((kind & (ends[0] == g) & (ends[1] == g)).sum()) for g in (0, 1)]
        assert side.comparisons.tolist() == [expected]
        assert side.outside == kind.sum() - sum(expected)
