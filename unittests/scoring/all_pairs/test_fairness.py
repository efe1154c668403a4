"""The fairness score of all pairs is that of the list of the same pairs, to rounding."""

from __future__ import annotations

import math

import numpy as np
import pytest

from fairface.errors import DataError
from fairface.protocols.all_pairs import all_pairs
from fairface.scoring.all_pairs import layout as layouts
from fairface.scoring.all_pairs import windows
from fairface.scoring.all_pairs.fairness import NO_BANDS, People, assess_all, changes_of
from fairface.scoring.fairness.assess import assess
from fairface.scoring.fairness.compare import compare
from fairface.scoring.fairness.curves import group_curves
from fairface.scoring.fairness.options import FairnessOptions
from fairface.scoring.fairness.rates_at import rates_at
from fairface.scoring.fairness.threshold import calibrated_threshold, given_threshold
from fairface.scoring.fairness.threshold_draws import ThresholdData
from fairface.scoring.similarity import cosine_scores

NAMES, VALUES = ("sex", "glasses"), (("f", "m"), ("no", "yes", "sun"))
OPTIONS = FairnessOptions(rounds=20, min_subjects=5)
WORLDS = {"many": (400, 80), "single": (300, 290), "few": (250, 12), "ties": (300, 60), "one with glasses": (200, 70)}


class World:
    def __init__(self, name):
        images, subjects = WORLDS[name]
        rng = np.random.default_rng(len(name))
        self.who = rng.integers(0, subjects, images)
        rows = rng.normal(size=(subjects, 12))[self.who] + 1.2 * rng.normal(size=(images, 12))
        self.rows = (np.sign(np.round(rows)) + 0.25 if name == "ties" else rows).astype(np.float32)
        sex = rng.integers(0, 2, subjects)[self.who]
        sex[rng.random(images) < 0.05] = -1
        glasses = (self.who == 0).astype(int) if name == "one with glasses" else rng.integers(0, 3, images)
        self.attributes = np.stack([sex, glasses], 1).astype(np.int8)
        self.failed = rng.random(images) < 0.1
        self.pairs = all_pairs(self.who, self.attributes, NAMES, attribute_values=dict(zip(NAMES, VALUES, strict=True)))
        self.people = People(self.who.astype(np.int64), self.attributes, NAMES, VALUES)
        self.other = (self.rows + 0.5 * rng.normal(size=rows.shape)).astype(np.float32)

    def scores(self, rows):
        return cosine_scores(rows, self.pairs.a, self.pairs.b)


@pytest.fixture(scope="module", params=WORLDS)
def given(request):
    return World(request.param)


def differences(found, wanted, place=""):
    """Where two JSON objects differ; areas on a grid by 0.005, differentials of scores in bins by 0.0005."""
    if place.endswith("_score_differential"):
        return far_differentials(found, wanted, place)
    if isinstance(wanted, dict) and isinstance(found, dict):
        assert found.keys() == wanted.keys(), place
        return [line for key in wanted for line in differences(found[key], wanted[key], f"{place}/{key}")]
    if isinstance(wanted, list) and isinstance(found, list):
        assert len(found) == len(wanted), place
        both = enumerate(zip(found, wanted, strict=True))
        return [line for i, (one, other) in both for line in differences(one, other, f"{place}/{i}")]
    if isinstance(wanted, float) and isinstance(found, float):
        near = math.isclose(found, wanted, rel_tol=1e-9, abs_tol=5e-3 if place.endswith("/auc") else 1e-9)
        return [] if near else [f"{place}: {found} for {wanted}"]
    return [] if found == wanted else [f"{place}: {found} for {wanted}"]


def far_differentials(found, wanted, place):
    """Counted scores give no interval; a value that neither has is no difference."""
    assert found["low"] is None
    assert found["reason"]
    pairs = [(found[key], wanted[key]) for key in ("mean", "value")]
    return [f"{place}: {one} for {other}" for one, other in pairs
            if (one is None) != (other is None) or (one is not None and abs(one - other) > 5e-4)]  # fmt: skip


@pytest.mark.parametrize("target", [0.01, 0.2, None])
def test_same_as_the_list(given, target, monkeypatch):
    scores = given.scores(given.rows)
    threshold = given_threshold(0.45) if target is None else calibrated_threshold(scores, given.pairs.same, target)
    wanted = assess(scores, given.pairs, NAMES, threshold, OPTIONS, given.failed)
    asked = threshold if target is None else target
    found = assess_all(given.rows, given.people, NAMES, asked, OPTIONS, given.failed)
    assert differences(found.result.to_dict(), wanted.to_dict()) == []
    if target != 0.2:
        return
    monkeypatch.setattr(layouts, "_ROWS", 11)
    monkeypatch.setattr(layouts, "_COLUMNS", 40)
    again = assess_all(given.rows, given.people, NAMES, asked, OPTIONS, given.failed)
    assert differences(again.result.to_dict(), wanted.to_dict()) == []


def test_changes_are_those_of_the_list(given):
    scores = [given.scores(rows) for rows in (given.rows, given.other)]
    thresholds = [calibrated_threshold(of, given.pairs.same, 0.05) for of in scores]
    wanted = compare(*zip(scores, thresholds, strict=True), given.pairs, NAMES, OPTIONS)
    before, after = (assess_all(rows, given.people, NAMES, 0.05, OPTIONS) for rows in (given.rows, given.other))
    found = changes_of(before, after)
    assert differences({k: v.to_dict() for k, v in found.items()}, {k: v.to_dict() for k, v in wanted.items()}) == []


def test_rates_at_thresholds_and_changes_with_drawn_ones_are_those_of_the_list(given):
    scores = [given.scores(rows) for rows in (given.rows, given.other)]
    people = given.people.groups(NAMES).of_image
    within = np.where(people[given.pairs.a] == people[given.pairs.b], people[given.pairs.a], -1)
    before, after = (assess_all(rows, given.people, NAMES, 0.05, OPTIONS) for rows in (given.rows, given.other))
    thresholds = np.array([-0.9, 0.0137, 0.31, 0.8, np.nan])  # on no tie
    found = before.grouped[-1].rates_at(thresholds)
    wanted = rates_at(scores[0], given.pairs.same, within, len(given.people.groups(NAMES)), thresholds)
    for name in ("fnmr", "fmr"):
        np.testing.assert_allclose(found[name], wanted[name], atol=2e-3)
    # Other people set the thresholds: here those of the list, as if they were others.
    set_on = ThresholdData(given.pairs, *scores)
    at = [calibrated_threshold(of, given.pairs.same, 0.05) for of in scores]
    listed = compare(*zip(scores, at, strict=True), given.pairs, NAMES, OPTIONS, set_on)
    for name, change in changes_of(before, after, set_on).items():
        assert change.threshold_rounds == OPTIONS.rounds
        for group, one in change.fnmr.items():
            other = listed[name].fnmr[group]
            assert (one.low, one.high) == pytest.approx((other.low, other.high), abs=5e-3, nan_ok=True)
    assert {change.threshold_rounds for change in changes_of(before, after).values()} == {0}


def test_curves_are_those_of_the_list_without_bands(given):
    wanted = group_curves(given.scores(given.rows), given.pairs, NAMES, rounds=0)
    found = assess_all(given.rows, given.people, NAMES, 0.05, OPTIONS).curves
    assert [curve.group for curve in found] == [curve.group for curve in wanted]
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_allclose(one.tar, other.tar, atol=0.03)
        assert one.reason == (other.reason or NO_BANDS)
        assert one.auc == pytest.approx(other.auc, abs=5e-3, nan_ok=True)


def test_without_rounds_there_is_no_null():
    given = World("many")
    found = assess_all(given.rows, given.people, ["sex"], 0.05, FairnessOptions(rounds=0, min_subjects=5)).result
    scores = given.scores(given.rows)
    threshold = calibrated_threshold(scores, given.pairs.same, 0.05)
    wanted = assess(scores, given.pairs, ["sex"], threshold, FairnessOptions(rounds=0, min_subjects=5))
    assert differences(found.to_dict(), wanted.to_dict()) == []


def test_thresholds_that_cannot_be():
    given = World("few")
    for threshold, message in ((given_threshold(2.0), "is above every score"), (1e-9, "cannot set a threshold at FMR"),
                               (0.0, "must lie between 0 and 1")):  # fmt: skip
        with pytest.raises(DataError, match=message):
            assess_all(given.rows, given.people, ["sex"], threshold, OPTIONS)
    alike = np.ones_like(given.rows)
    with pytest.raises(DataError, match=r"highest score is shared by more than 0\.05 of the impostor"):
        assess_all(alike, given.people, ["sex"], 0.05, OPTIONS)


def test_more_matches_than_memory_holds_are_refused(monkeypatch):
    monkeypatch.setattr(windows, "MOST_PAIRS", 30)
    given = World("few")
    with pytest.raises(DataError, match="more than 30 pairs of subjects match at the threshold; use a lower FMR"):
        assess_all(given.rows, given.people, ["sex"], 0.2, OPTIONS)


def test_scores_of_distances_are_told():
    given = World("few")
    rng = np.random.default_rng(0)
    rows = rng.normal(size=given.rows.shape).astype(np.float32)
    for subject in np.unique(given.who):  # a subject's images look away from each other
        images = np.flatnonzero(given.who == subject)
        rows[images[::2]], rows[images[1::2]] = rows[images[0]], -rows[images[0]]
    found = assess_all(rows, given.people, ["sex"], given_threshold(0.1), OPTIONS)
    assert any("are these distances" in note for note in found.result.notes)
