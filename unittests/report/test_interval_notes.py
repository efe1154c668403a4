"""Intervals that resampling could not widen are not left to look like certainty."""

import numpy as np
import pytest
from scipy import stats

from fairface.protocols.all_pairs import all_pairs
from fairface.report.identification_table import identification_text
from fairface.report.interval_notes import without_width
from fairface.report.retrieval_table import retrieval_text
from fairface.report.verification_table import verification_table
from fairface.scoring.identification import Gallery, identify
from fairface.scoring.measure import Interval
from fairface.scoring.retrieval import ImageSet, retrieve
from fairface.scoring.retrieval.ranking import RetrievalOptions
from fairface.scoring.verification import verify

START = "no certainty, though both ends of the interval are alike (every resample gave this value): "


def noted(text):
    return [line.removeprefix(START) for line in text.splitlines() if line.startswith(START)]


def test_a_set_of_two_people_has_one_resample_only():
    comparisons = all_pairs(np.repeat([0, 1], 3))
    scores = np.random.default_rng(0).normal(comparisons.same * 0.3, 0.2)
    result = verify(scores, comparisons, fmr=(0.5,), rounds=30)
    assert 0.0 < result.auc < 1.0
    # Both people must be drawn for an impostor comparison, each once then: there is no other resample.
    assert noted(verification_table({("pair",): result}, ("set",))) == ["pair: AUC, TAR at FMR 0.5"]


def test_scores_without_an_error_have_the_exact_interval_of_what_shares_no_subject():
    comparisons = all_pairs(np.repeat(np.arange(12), 3))
    perfect = verify(comparisons.same.astype(float), comparisons, fmr=(0.1,), rounds=30)
    drawn = np.random.default_rng(0).normal(comparisons.same * 0.3, 0.2)
    flawed = verify(drawn, comparisons, fmr=(0.1,), rounds=30)
    table = verification_table({("one",): perfect, ("other",): flawed}, ("set",))
    assert noted(table) == []
    assert perfect.intervals["auc"].low == pytest.approx(stats.binomtest(6, 6).proportion_ci(0.95, "exact").low)
    assert perfect.intervals["tar@0.1"].low == pytest.approx(stats.binomtest(12, 12).proportion_ci(0.95, "exact").low)
    assert noted(verification_table({("other",): flawed}, ("set",))) == []


def test_searches_and_queries_that_come_out_alike_for_all_subjects_are_remarked_on():
    people = np.eye(20)
    probes = np.repeat(np.arange(10), 2)
    shown = probes + np.tile([0, 10], 10)  # the second image of each person looks like another one
    found = identify(people[shown], probes, Gallery(people, np.arange(20)), rounds=20)
    assert found.ranks[1] == 0.5
    assert noted(identification_text({"all": found})) == ["all: rank 1, rank 5, rank 10"]
    options = RetrievalOptions(rounds=20)
    result = retrieve(ImageSet(people[shown], probes), ImageSet(people, np.arange(20)), options=options)
    assert noted(retrieval_text({"there": result})) == [
        "there: mAP, mAP by Market-1501's convention, rank 1, rank 5, rank 10"
    ]


@pytest.mark.parametrize(("low", "high", "told"), [(0.5, 0.5, True), (0.5, 0.5 + 1e-6, False), (np.nan, np.nan, False)])
def test_only_ends_that_are_alike_count(low, high, told):
    assert bool(without_width({"set": {"auc": Interval(low, high, 0.95, 9)}})) == told


def test_searches_and_queries_without_an_error_have_the_exact_interval_of_their_subjects():
    people = np.eye(20)
    probes = np.repeat(np.arange(10), 2)
    found = identify(people[probes], probes, Gallery(people, np.arange(20)), rounds=20)
    options = RetrievalOptions(rounds=20)
    result = retrieve(ImageSet(people[probes], probes), ImageSet(people, np.arange(20)), options=options)
    exact = stats.binomtest(10, 10).proportion_ci(0.95, "exact")
    for interval in (found.intervals["rank-1"], result.intervals["map"], result.intervals["rank-5"]):
        assert (interval.low, interval.high) == (pytest.approx(exact.low), 1.0)
    assert noted(identification_text({"all": found})) == noted(retrieval_text({"there": result})) == []
