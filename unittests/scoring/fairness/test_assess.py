"""The whole score: what is counted where, what is undefined and why, what bad input leads to."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from fairface.cli import finite
from fairface.errors import ConfigError, DataError
from fairface.scoring.fairness.assess import assess
from fairface.scoring.fairness.grouped import select
from fairface.scoring.fairness.options import FairnessOptions
from fairface.scoring.fairness.threshold import calibrated_threshold, given_threshold
from fairface.scoring.fairness.worst import worst_group
from unittests.scoring.fairness.helpers import small_world, with_attribute

AT = given_threshold(0.35)
FAST = FairnessOptions(rounds=60, min_subjects=20)


@pytest.fixture(scope="module")
def world():
    return small_world(worse=0.15)


def test_a_worse_group_is_found_and_every_number_stands_beside_what_it_rests_on(world):
    result = assess(*world, ["sex"], AT, FAST)
    grouping = result.groupings["sex"]
    f, m = grouping.rows
    assert (f.group, f.subjects, f.images, f.fnmr.comparisons, f.fmr.comparisons) == ("f", 30, 90, 90, 435)
    assert f.fnmr.low <= f.fnmr.value <= f.fnmr.high
    assert f.fnmr.low > m.fnmr.high
    worst = worst_group(grouping, "fnmr")
    assert (worst.group, worst.rate, worst.distinguishable) == ("f", f.fnmr, True)
    assert f"f with {f.fnmr.value:.4g} [{f.fnmr.low:.4g}, {f.fnmr.high:.4g}]" in worst.message
    gap = grouping.scalars["fnmr_gap"]
    assert gap.value == pytest.approx(f.fnmr.value - m.fnmr.value, abs=1e-15)
    assert 0 < gap.low < gap.value < gap.high
    assert gap.p_value == pytest.approx(1 / 61)
    assert gap.null_extreme < gap.value
    printed = json.loads(json.dumps(finite(result.to_dict()), allow_nan=False))
    for measure in printed["groupings"]["sex"]["measures"].values():
        assert measure["threshold"] == 0.35
        assert measure["threshold_set"] == "given"
        assert (measure["subjects"], measure["genuine"], measure["impostor"]) == (60, 180, 870)
        assert measure["groups"] == ["f", "m"]
    assert printed["groupings"]["sex"]["measures"]["garbe"]["alpha"] == 0.5


def test_same_seed_same_result(world):
    first, second, other = (assess(*world, ["sex"], AT, replace(FAST, seed=seed)).to_dict() for seed in (0, 0, 1))
    assert json.dumps(finite(first)) == json.dumps(finite(second))
    measures = [result["groupings"]["sex"]["measures"]["garbe"] for result in (first, other)]
    assert measures[0]["value"] == measures[1]["value"]
    assert measures[0]["high"] != measures[1]["high"]


def test_no_rounds_no_resampling(world):
    scalars = assess(*world, ["sex"], AT, replace(FAST, rounds=0)).groupings["sex"].scalars
    assert scalars["fnmr_gap"].low < scalars["fnmr_gap"].high  # needs none
    assert math.isnan(scalars["garbe"].low)
    assert math.isnan(scalars["garbe"].p_value)


def test_comparisons_in_are_comparisons_accounted_for(world):
    scores, comparisons = world
    glasses = np.random.default_rng(0).integers(-1, 2, 180)
    scores = scores.copy()
    scores[[3, 5, 700]] = np.nan
    result = assess(scores, with_attribute(comparisons, glasses), ["sex", "glasses"], AT,
                    replace(FAST, unscored="leave_out"))  # fmt: skip
    assert list(result.groupings) == ["sex", "glasses", "sex+glasses"]
    for grouping in result.groupings.values():
        counts = grouping.accounting
        parts = [getattr(counts, f"{kind}_{place}") for kind in ("genuine", "impostor")
                 for place in ("within", "between", "unknown")]  # fmt: skip
        assert sum(parts) + counts.unscored == counts.total == len(comparisons)
        assert counts.unscored == 3
        within = [sum(getattr(row, side).comparisons for row in grouping.rows) for side in ("fnmr", "fmr")]
        assert within == [counts.genuine_within, counts.impostor_within]
        for side, matrix in (("genuine", grouping.fnmr_matrix), ("impostor", grouping.fmr_matrix)):
            upper = sum(matrix[i][j].comparisons for i in range(len(matrix)) for j in range(i, len(matrix)))
            assert upper == getattr(counts, f"{side}_within") + getattr(counts, f"{side}_between")
    glasses_only = result.groupings["glasses"]
    assert glasses_only.accounting.images_unknown == int((glasses < 0).sum())
    assert any("images have no known glasses" in note for note in glasses_only.notes)
    assert "3 comparisons without a usable score were left out" in result.notes


def test_unscored_comparisons_may_count_as_no_match(world):
    scores, comparisons = world
    genuine, impostor = 0, int(np.flatnonzero(~comparisons.same)[0])
    scores = np.where(np.isin(np.arange(len(scores)), [genuine, impostor]), np.nan, scores)
    before = assess(np.where(np.isnan(scores), 0.0, scores), comparisons, ["sex"], AT, FAST)
    after = assess(scores, comparisons, ["sex"], AT, replace(FAST, unscored="no_match"))
    assert after.fnmr == before.fnmr
    assert after.fmr == before.fmr
    assert "2 comparisons without a usable score count as no match" in after.notes
    with pytest.raises(DataError, match=r"2 of 1950 scores are not finite \(first: comparison 0\)"):
        assess(scores, comparisons, ["sex"], AT, FAST)


def test_few_people_are_flagged_and_kept_out_of_measures(world):
    scores, comparisons = world
    glasses = np.where(comparisons.attributes[:, 0] == 0, np.arange(180) // 3 % 5 == 0, 0)
    result = assess(scores, with_attribute(comparisons, glasses), ["glasses"], AT, FAST).groupings["glasses"]
    few, many = result.row("yes"), result.row("no")
    assert (few.subjects, few.too_few, many.too_few) == (6, True, False)
    assert any("too few subjects (fewer than 20" in note and "yes (6)" in note for note in result.notes)
    for scalar in result.scalars.values():
        assert math.isnan(scalar.value)
        assert scalar.reason == "1 of 2 groups has 20 subjects or more"
    worst = worst_group(result, "fmr")
    assert worst.group is None
    assert worst.message == "no worst FMR: 1 of 2 groups has 20 subjects or more (no: 54, yes: 6)"


def test_a_group_of_one_subject(world):
    scores, comparisons = world
    alone = np.arange(180) // 3 == 0
    row = assess(scores, with_attribute(comparisons, alone), ["glasses"], AT, FAST).groupings["glasses"].row("yes")
    assert (row.subjects, row.fnmr.comparisons, row.fmr.comparisons) == (1, 3, 0)
    assert math.isnan(row.fnmr.low)
    assert row.fnmr.reason == "one subject only"
    assert math.isnan(row.fmr.value)
    assert row.fmr.reason == "no impostor comparisons"
    assert row.auc_reason == "3 genuine and 0 impostor comparisons"
    assert math.isnan(row.fnmr_plan.detectable)
    assert row.fnmr_plan.reason


def test_without_subjects_there_are_rates_but_no_intervals(world):
    scores, comparisons = world
    unknown = np.full(len(comparisons), -1)
    result = assess(scores, replace(comparisons, subject_a=unknown, subject_b=unknown), ["sex"], AT, FAST)
    known = assess(scores, comparisons, ["sex"], AT, FAST)
    for row, other in zip(result.groupings["sex"].rows, known.groupings["sex"].rows, strict=True):
        assert (row.fnmr.value, row.fmr.value, row.subjects) == (other.fnmr.value, other.fmr.value, 0)
        assert math.isnan(row.fnmr.low)
        assert "the comparisons name no subjects" in row.fnmr.reason
    assert result.groupings["sex"].scalars["fdr"].reason == "the comparisons name no subjects"
    assert worst_group(result.groupings["sex"], "fnmr").group is None


def test_no_error_is_an_upper_bound_and_no_ratio(world):
    scores, comparisons = world
    of_m = (comparisons.attributes[comparisons.a, 0] == 1) & (comparisons.attributes[comparisons.b, 0] == 1)
    scores = np.where(of_m & comparisons.same, 0.9, scores)
    grouping = assess(scores, comparisons, ["sex"], AT, FAST).groupings["sex"]
    rate = grouping.row("m").fnmr
    assert (rate.value, rate.low, rate.errors) == (0.0, 0.0, 0)
    assert rate.high == pytest.approx(1 - 0.025 ** (1 / 30))  # thirty subjects, not ninety comparisons
    ratio = grouping.scalars["fnmr_max_min"]
    assert math.isnan(ratio.value)
    assert ratio.low > 1
    assert math.isinf(ratio.high)
    assert ratio.reason == "FNMR is 0 in 1 of 2 groups: division by 0"
    garbe = grouping.scalars["garbe"]
    assert garbe.low < garbe.value < garbe.high


def test_no_error_anywhere_is_no_worst_group(world):
    _, comparisons = world
    perfect = np.where(comparisons.same, 0.9, 0.0)
    grouping = assess(perfect, comparisons, ["sex"], AT, FAST).groupings["sex"]
    assert worst_group(grouping, "fmr").message == "no worst FMR: no group has an error (f: 0 of 435, m: 0 of 435)"
    assert grouping.row("f").fnmr_plan.reason == "there is no error in any group"


def test_duplicates_are_counted(world):
    scores, comparisons = world
    twice = np.concatenate([np.arange(len(comparisons)), [0, 1]])
    again = select(comparisons, twice)
    assert assess(scores[twice], again, ["sex"], AT, FAST).duplicates == 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"protected": ["age"]}, "age: is not among the attributes of the images .sex."),
        ({"protected": []}, "no protected attribute"),
        ({"threshold": given_threshold(7.0)}, "threshold 7 .given. is above every score: they go from"),
        ({"threshold": given_threshold(-7.0)}, "not above any score"),
        ({"scores": np.zeros(3)}, r"\(3,\) scores for 1950 comparisons"),
    ],
)
def test_bad_input_is_an_error(world, change, message):
    arguments = {"scores": world[0], "comparisons": world[1], "protected": ["sex"], "threshold": AT, "options": FAST}
    with pytest.raises(DataError, match=message):
        assess(**{**arguments, **change})


@pytest.mark.parametrize(
    "bad",
    [
        {"alpha": 2.0},
        {"level": 1.0},
        {"min_subjects": 1},
        {"rounds": -1},
        {"target_fmr": 0.0},
        {"seed": -1},
        {"seed": 1 << 70},
    ],
)
def test_bad_options(bad):
    with pytest.raises(ConfigError, match=next(iter(bad))):
        FairnessOptions(**bad)


def test_planning_tells_what_more_subjects_would_show(world):
    scores, comparisons = world
    f, m = assess(scores, comparisons, ["sex"], AT, replace(FAST, target_fnmr=0.5)).groupings["sex"].rows
    assert f.fnmr_plan.others == m.fnmr.value
    assert f.fnmr_plan.target == 0.5
    assert 0 < f.fnmr_plan.subjects_needed < 30  # half is seen with fewer subjects than there are
    small = replace(FAST, target_fnmr=0.001)
    hard = assess(scores, comparisons, ["sex"], AT, small).groupings["sex"].row("f").fnmr_plan
    assert math.isinf(hard.subjects_needed)
    assert "more subjects in this group alone are not enough" in hard.reason
    # What is just detectable needs just as many subjects as there are.
    exact = replace(FAST, target_fnmr=f.fnmr_plan.detectable)
    needed = assess(scores, comparisons, ["sex"], AT, exact).groupings["sex"].row("f").fnmr_plan.subjects_needed
    assert needed == pytest.approx(30, abs=1)
    assert f.fnmr_plan.times_all == pytest.approx((f.fnmr_plan.detectable / 0.5) ** 2)


def test_threshold_from_a_calibration_set(world):
    scores, comparisons = world
    other_scores, other = small_world(seed=9)
    threshold = calibrated_threshold(other_scores, other.same, 0.05, "other.csv")
    impostors = other_scores[~other.same]
    assert (impostors >= threshold.value).mean() <= 0.05 < (impostors >= threshold.value - 1e-3).mean() + 1e-3
    assert threshold.how.startswith("FMR 0.05 on other.csv (")
    assert not threshold.optimistic
    own = calibrated_threshold(scores, comparisons.same, 0.05)
    assert own.optimistic
    notes = assess(scores, comparisons, ["sex"], own, FAST).notes
    assert any("FMR is the target by construction; set it on other subjects" in note for note in notes)
    with pytest.raises(DataError, match=r"1770 impostor comparisons cannot set a threshold at FMR 0\.0001"):
        calibrated_threshold(scores, comparisons.same, 1e-4)
    with pytest.raises(DataError, match="highest score is shared"):
        calibrated_threshold(np.ones(len(scores)), comparisons.same, 0.05)
    for bad in (0.0, 1.0, math.nan):
        with pytest.raises(DataError, match="cannot be used"):
            calibrated_threshold(scores, comparisons.same, bad)
    with pytest.raises(DataError, match="cannot be used"):
        given_threshold(math.inf)


def test_failure_to_detect_counts_each_image_once(world):
    scores, comparisons = world
    failed = np.zeros(180, bool)
    failed[:9] = True  # three subjects: f, m, f
    rows = assess(scores, comparisons, ["sex"], AT, FAST, failed).groupings["sex"].rows
    assert [(row.failures.errors, row.failures.comparisons) for row in rows] == [(6, 90), (3, 90)]
    assert rows[0].failures.low < 6 / 90 < rows[0].failures.high
    assert rows[0].failures.high - rows[0].failures.low > 0.15  # images of a subject fail together here
    with pytest.raises(DataError, match="give one for each image"):
        assess(scores, comparisons, ["sex"], AT, FAST, failed[:5])


def test_values_without_names_are_numbers(world):
    scores, comparisons = world
    bare = replace(comparisons, attribute_values=())
    assert [row.group for row in assess(scores, bare, ["sex"], AT, FAST).groupings["sex"].rows] == ["0", "1"]


def test_attributes_that_nobody_knows_are_the_reason():
    scores, comparisons = small_world()
    unknown = replace(comparisons, attributes=np.full_like(comparisons.attributes, -1))
    result = assess(scores, unknown, ["sex"], given_threshold(0.35), FairnessOptions(rounds=0))
    assert result.groupings["sex"].scalars["fnmr_gap"].reason == "no image that is compared has a known sex"
    assert "known sex" in worst_group(result.groupings["sex"], "fnmr").message


@pytest.mark.parametrize("unscored", ["leave_out", "no_match"])
def test_failure_to_acquire_counts_images_that_no_score_is_of(world, unscored):
    scores, comparisons = world
    failed = np.zeros(180, bool)
    failed[[0, 1, 2, 3, 7, 100]] = True  # all of person 0 (f), one of 1 (m), 2 (f) and 33 (m)
    missing = np.where(failed[comparisons.a] | failed[comparisons.b], np.nan, scores)
    options = replace(FAST, unscored=unscored)
    rows = assess(missing, comparisons, ["sex"], AT, options, failed).groupings["sex"].rows
    assert [(row.failures.errors, row.failures.comparisons, row.failures.subjects) for row in rows] == [
        (sum(failed[image] for image in range(180) if image // 3 % 2 == sex), 90, 30) for sex in range(2)
    ]
    everything = assess(scores, comparisons, ["sex"], AT, FAST, failed).groupings["sex"].rows
    assert [row.failures for row in rows] == [row.failures for row in everything]


def test_an_image_counts_whose_partners_have_no_group(world):
    scores, comparisons = world
    failed = np.arange(180) == 4
    kept = select(comparisons, ~np.isin(comparisons.a, [4]) & ~np.isin(comparisons.b, [4]) | (comparisons.a == 4))
    codes = kept.attributes.copy()
    codes[np.unique(kept.b[kept.a == 4])] = -1  # image 4 (m) is compared with images of unknown group alone
    part = replace(kept, attributes=codes)
    of_kept = scores[~np.isin(comparisons.a, [4]) & ~np.isin(comparisons.b, [4]) | (comparisons.a == 4)]
    row = assess(of_kept, part, ["sex"], AT, FAST, failed).groupings["sex"].row("m")
    compared = set(part.a.tolist()) | set(part.b.tolist())
    assert (row.failures.errors, row.failures.comparisons) == (
        1, sum(1 for image in compared if codes[image, 0] == 1))  # fmt: skip


def test_two_groups_of_one_label_are_refused(world):
    scores, comparisons = world
    person = np.arange(180) // 3
    first = with_attribute(comparisons, person % 2, "race", ("a+b", "a"))
    both = with_attribute(first, person // 2 % 2, "skin", ("c", "b+c"))
    message = r"two groups would be called 'a\+b\+c' \(race 'a\+b', skin 'c' and race 'a', skin 'b\+c'\); give their"
    with pytest.raises(DataError, match=message):
        assess(scores, both, ["race", "skin"], AT, FAST)
    assert [row.group for row in assess(scores, both, ["race"], AT, FAST).groupings["race"].rows] == ["a+b", "a"]
    with pytest.raises(DataError, match=r"two groups would be called 'f' \(sex 'f' and sex 'f'\)"):
        assess(scores, replace(comparisons, attribute_values=(("f", "f"),)), ["sex"], AT, FAST)
    with pytest.raises(DataError, match=r"two groups would be called '1'"):  # code 1 has no name, so it is called 1
        assess(scores, replace(comparisons, attribute_values=(("1",),)), ["sex"], AT, FAST)
