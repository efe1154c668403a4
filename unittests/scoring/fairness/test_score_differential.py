"""How far a group's scores are shifted: against loops, for a known shift, and how often intervals cover it."""

import math
from dataclasses import replace

import numpy as np
import pytest

from fairface.scoring.all_pairs.fairness import People, assess_all
from fairface.scoring.fairness.assess import assess
from fairface.scoring.fairness.options import FairnessOptions
from fairface.scoring.fairness.threshold import given_threshold
from unittests.scoring.fairness.helpers import small_world

AT = given_threshold(0.35)
OPTIONS = FairnessOptions(rounds=0, min_subjects=5)
VALUES = ("a", "b", "c")


def loop(scores, comparisons, genuine):
    """Mean and shift of every group, comparison by comparison."""
    code = comparisons.attributes[:, 0]
    within = {group: [] for group in sorted(set(code.tolist()))}
    for score, a, b, same in zip(scores, comparisons.a, comparisons.b, comparisons.same, strict=True):
        if code[a] == code[b] and same == genuine:
            within[int(code[a])].append(float(score))
    means = {group: sum(found) / len(found) for group, found in within.items()}
    squares = sum((score - means[group]) ** 2 for group, found in within.items() for score in found)
    deviation = math.sqrt(squares / sum(map(len, within.values())))
    for group, mean in means.items():
        others = [score for other, found in within.items() for score in found if other != group]
        yield mean, (mean - sum(others) / len(others)) / deviation


@pytest.mark.parametrize(("genuine", "kind"), [(True, "mated"), (False, "non_mated")])
def test_every_group_against_a_loop(genuine, kind):
    scores, comparisons = small_world(worse=0.1, values=VALUES)
    rows = assess(scores, comparisons, ["sex"], AT, OPTIONS).groupings["sex"].rows
    found = [getattr(row, kind) for row in rows]
    for one, (mean, value) in zip(found, loop(scores, comparisons, genuine), strict=True):
        assert (one.mean, one.value) == pytest.approx((mean, value), rel=1e-9)
        assert one.low < one.value < one.high
        assert one.reason == ""
    assert rows[0].to_dict()[f"{kind}_score_differential"]["value"] == found[0].value
    if genuine:
        assert found[0].high < 0  # this group's genuine scores are 0.1 lower


def test_intervals_cover_no_shift_about_as_often_as_they_say():
    covered = 0
    for seed in range(60):
        row = assess(*small_world(subjects=40, seed=seed), ["sex"], AT, OPTIONS).groupings["sex"].rows[0]
        covered += sum(one.low <= 0 <= one.high for one in (row.mated, row.non_mated))
    assert covered >= 120 * 0.87


def test_scores_that_are_missing_are_no_scores():
    scores, comparisons = small_world()
    missing = scores.copy()
    missing[::7] = np.nan
    kept = np.isfinite(missing)
    options = replace(OPTIONS, unscored="no_match")
    row = assess(missing, comparisons, ["sex"], AT, options).groupings["sex"].rows[0]
    code = comparisons.attributes[:, 0]
    chosen = kept & comparisons.same & (code[comparisons.a] == 0) & (code[comparisons.b] == 0)
    assert row.mated.mean == pytest.approx(scores[chosen].mean(), rel=1e-12)


def test_what_cannot_be_told_has_a_reason():
    scores, comparisons = small_world(subjects=12)
    nobody = np.full(len(scores), -1)
    unnamed = replace(comparisons, subject_a=nobody, subject_b=nobody)
    row = assess(scores, unnamed, ["sex"], AT, OPTIONS).groupings["sex"].rows[0]
    assert math.isnan(row.mated.low)
    assert "not named" in row.mated.reason
    alone = replace(comparisons, attributes=np.zeros_like(comparisons.attributes))
    row = assess(scores, alone, ["sex"], AT, OPTIONS).groupings["sex"].rows[0]
    assert math.isnan(row.mated.value)
    assert row.mated.reason == "no comparisons in any other group"


def test_all_pairs_by_score_are_those_of_a_list():
    rng = np.random.default_rng(0)
    subjects = np.repeat(np.arange(20), 3)
    code = (subjects % 2).astype(np.int8)
    rows = rng.normal(0, 1, (20, 8))[subjects] + rng.normal(0, 0.4, (60, 8))
    people = People(subjects, code[:, None], ("sex",), (("f", "m"),))
    found = assess_all(rows, people, ["sex"], given_threshold(0.5), OPTIONS).result.groupings["sex"].rows
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    a, b = np.triu_indices(60, 1)
    _, comparisons = small_world(subjects=20)
    listed = replace(
        comparisons, a=a, b=b, same=subjects[a] == subjects[b], fold=np.full(len(a), -1, np.int32),
        subject_a=subjects[a], subject_b=subjects[b], attributes=code[:, None],
    )  # fmt: skip
    for kind, genuine in (("mated", True), ("non_mated", False)):
        expected = list(loop((unit[a] * unit[b]).sum(axis=1), listed, genuine))
        for row, (mean, value) in zip(found, expected, strict=True):
            one = getattr(row, kind)
            assert (one.mean, one.value) == pytest.approx((mean, value), abs=2e-4)
            assert one.reason.startswith("all pairs are counted")
