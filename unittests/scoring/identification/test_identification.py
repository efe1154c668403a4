"""Identification against AdaFace's and insightface's numbers and a plain loop over probes."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from fairface.errors import DataError
from fairface.scoring.identification import Gallery, identify
from fairface.scoring.identification.measures import det_curve, per_probe_recall, tpir_at_fpir
from fairface.scoring.identification.search import search
from unittests.scoring.wilson import wilson_ends

VECTORS = Path(__file__).parents[2] / "vectors" / "score_identification_1n.npz"


@pytest.fixture(scope="module")
def reference():
    with np.load(VECTORS) as file:
        return dict(file)


@pytest.fixture(scope="module")
def people():
    """Probes of 30 subjects, of whom 20 are enrolled with one entry each, in no order."""
    rng = np.random.default_rng(0)
    centres = rng.standard_normal((30, 6))
    subjects = rng.integers(0, 30, 200) * 7
    probes = (centres[subjects // 7] + rng.standard_normal((200, 6))).astype(np.float32)
    enrolled = rng.permutation(30)[:20]
    return probes, subjects, Gallery(centres[enrolled] + rng.standard_normal((20, 6)), enrolled * 7)


def by_loop(probes, subjects, gallery):
    """(mate score, rank, best other) of each probe; None where there is no mate."""
    result = []
    for probe, subject in zip(probes.astype(np.float64), subjects, strict=True):
        scores = [float(probe @ entry / np.linalg.norm(probe) / np.linalg.norm(entry)) for entry in gallery.features]
        own = [score for score, who in zip(scores, gallery.subjects, strict=True) if who == subject]
        others = [score for score, who in zip(scores, gallery.subjects, strict=True) if who != subject]
        rank = 1 + sum(score >= max(own) for score in others) if own else 0
        result.append((max(own, default=None), rank, max(others)))
    return result


def test_the_closed_set_is_adafaces(reference):
    gallery = Gallery(reference["gallery_feats"], reference["gallery_ids"])
    found = search(reference["probe_feats"], reference["probe_ids"], gallery, keep=24)
    np.testing.assert_array_equal(found.rank - 1, reference["rank"])
    result = identify(reference["probe_feats"], reference["probe_ids"], gallery)
    assert [result.ranks[rank] for rank in (1, 5, 10)] == pytest.approx(
        [float(reference[name]) for name in ("top1", "top5", "top10")], abs=1e-12
    )
    np.testing.assert_allclose([(row.target, row.recall, row.threshold) for row in result.per_probe],
                               reference["far_recall_threshold"], rtol=0, atol=1e-6)  # fmt: skip
    assert (result.mated, result.non_mated) == (240, 0)
    assert result.reasons == {"open set": "every probe's subject is enrolled, so there is no non-mated search"}
    assert math.isnan(result.open_set[0].tpir)


def test_the_open_set_at_insightfaces_thresholds_gives_its_recalls(reference):
    keep = reference["open_keep"]
    gallery = Gallery(reference["gallery_feats"][keep], reference["gallery_ids"][keep])
    found = search(reference["probe_feats"], reference["probe_ids"], gallery)
    counts = [(found.rank[found.mated] <= rank).sum() for rank in (1, 5, 10)]
    np.testing.assert_array_equal(counts, reference["open_counts"])
    curve = det_curve(found)
    for threshold, recall in zip(reference["open_thresholds"], reference["open_recalls"], strict=True):
        place = int(np.argmin(np.abs(curve.thresholds - threshold)))  # it accepts scores above the threshold
        assert abs(curve.thresholds[place] - threshold) < 1e-6
        assert 1 - curve.fnir[place] == pytest.approx(recall, abs=1e-12)


@pytest.mark.parametrize("products", [1, 50, 1 << 20])
def test_searches_equal_a_loop_over_probes(people, products, monkeypatch):
    monkeypatch.setattr("fairface.scoring.identification.search._PRODUCTS", products)
    expected = by_loop(*people)
    found = search(*people, keep=33)
    assert found.rank.tolist() == [rank for _, rank, _ in expected]
    assert found.mated.tolist() == [mate is not None for mate, _, _ in expected]
    np.testing.assert_allclose(found.mate_score, [math.nan if mate is None else mate for mate, _, _ in expected],
                               rtol=0, atol=1e-12)  # fmt: skip
    np.testing.assert_allclose(found.top_other, [other for _, _, other in expected], rtol=0, atol=1e-12)
    probes, subjects, gallery = people
    rows, columns = (x / np.linalg.norm(x, axis=1)[:, None] for x in (probes.astype(np.float64), gallery.features))
    impostors = np.sort((rows @ columns.T)[subjects[:, None] != gallery.subjects])[::-1]
    np.testing.assert_allclose(found.best_impostors, impostors[:33], rtol=0, atol=1e-12)
    assert (found.entries, found.gallery_subjects) == (20, 20)


def test_several_entries_of_a_subject_count_by_the_best_one(people):
    probes, subjects, gallery = people
    rng = np.random.default_rng(3)
    again = rng.integers(0, 20, 15)
    features = np.concatenate([gallery.features, gallery.features[again] + rng.standard_normal((15, 6))])
    more = Gallery(features, np.concatenate([gallery.subjects, gallery.subjects[again]]))
    with pytest.raises(DataError, match="subjects are in the gallery more than once"):
        search(probes, subjects, more)
    found = search(probes, subjects, more, several=True)
    assert found.rank.tolist() == [rank for _, rank, _ in by_loop(probes, subjects, more)]
    assert (found.entries, found.gallery_subjects) == (35, 20)


def test_one_subject_with_two_entries_is_enough_to_be_refused():
    gallery = Gallery(np.eye(3), np.array([4, 9, 4]))
    with pytest.raises(DataError, match=r"1 subject is in the gallery more than once \(4\); keep one entry of each"):
        search(np.eye(3), np.array([4, 9, 9]), gallery)
    assert search(np.eye(3), np.array([4, 9, 9]), gallery, several=True).rank.tolist() == [1, 1, 3]


def test_tpir_is_the_best_that_keeps_the_fpir(people):
    expected = by_loop(*people)
    non_mated = np.array([other for mate, _, other in expected if mate is None])
    mated = [(mate, rank) for mate, rank, _ in expected if mate is not None]
    found = search(*people)
    for target in (0.02, 0.1, 0.35, 0.9):
        row = tpir_at_fpir(found, target)
        allowed = [t for t in np.append(non_mated, 2.0) if (non_mated > t).mean() <= target]
        best = min(allowed)
        assert row.fpir == pytest.approx((non_mated > best).mean(), abs=1e-12)
        assert row.tpir == pytest.approx(np.mean([rank == 1 and mate > best for mate, rank in mated]), abs=1e-12)
        assert row.threshold == pytest.approx(best, abs=1e-12)
        assert (non_mated >= row.threshold + 1e-12).mean() <= target
    row = tpir_at_fpir(found, 0.001)
    assert math.isnan(row.tpir)
    assert row.reason == f"{len(non_mated)} non-mated searches; FPIR 0.001 needs at least 1000"


def test_every_point_of_the_det_is_counted(people):
    found = search(*people)
    curve = det_curve(found)
    for threshold, fpir, fnir in zip(curve.thresholds, curve.fpir, curve.fnir, strict=True):
        assert fpir == (found.top_other[~found.mated] >= threshold).mean()
        hits = found.mated & (found.rank == 1) & (np.nan_to_num(found.mate_score) >= threshold)
        assert fnir == pytest.approx(1 - hits.sum() / found.mated.sum(), abs=1e-12)
    assert curve.fpir[0] == 0
    assert curve.fpir[-1] == 1


def test_equal_scores_of_others_count_against_the_own_subject():
    gallery = Gallery(np.array([[1.0, 0], [1, 0], [0, 1]]), np.array([1, 2, 3]))
    found = search(np.array([[1.0, 0], [1, 0], [0, 1]]), np.array([1, 2, 3]), gallery)
    assert found.rank.tolist() == [2, 2, 1]


def test_per_probe_recall_needs_scores_and_counts_any_rank(people):
    expected = by_loop(*people)
    result = identify(*people, fpirs=(0.1,))
    (row,) = result.per_probe
    mates = [mate for mate, _, _ in expected if mate is not None]
    assert row.recall == pytest.approx(np.mean(np.array(mates) > row.threshold))
    assert per_probe_recall(search(*people, keep=3), 0.1) is None


def test_intervals_resample_the_probes_subjects(people):
    probes, subjects, gallery = people
    result = identify(probes, subjects, gallery, fpirs=(0.1, 0.2), rounds=300, seed=4)
    outcome = by_loop(probes, subjects, gallery)
    names, codes = np.unique(subjects, return_inverse=True)
    rng, ranked, tpirs = np.random.default_rng(4), [], []
    for _ in range(300):
        drawn = np.bincount(rng.integers(0, len(names), len(names)), minlength=len(names))
        taken = [outcome[i] for i in range(len(probes)) for _ in range(drawn[codes[i]])]
        mated = [(mate, rank) for mate, rank, _ in taken if mate is not None]
        others = np.sort([other for mate, _, other in taken if mate is None])[::-1]
        ranked.append(np.mean([rank == 1 for _, rank in mated]))
        cut = min(t for t in np.append(others, 2.0) if (others > t).mean() <= 0.2)
        tpirs.append(np.mean([rank == 1 and mate > cut for mate, rank in mated]))
    enrolled = len({who for who, (mate, _, _) in zip(subjects.tolist(), outcome, strict=True) if mate is not None})
    for key, value, values in (("rank-1", result.ranks[1], ranked), ("tpir@0.2", result.open_set[1].tpir, tpirs)):
        interval = result.intervals[key]
        ends = wilson_ends(value, values, 0.95, enrolled)
        assert (interval.low, interval.high) == pytest.approx(ends, abs=1e-12)
        assert (interval.level, interval.rounds) == (0.95, 300)
    assert set(result.intervals) == {"rank-1", "rank-5", "rank-10", "tpir@0.1", "tpir@0.2"}


def test_the_result_is_json_with_reasons(people):
    found = json.loads(json.dumps(identify(*people, fpirs=(0.001, 0.1), rounds=20).to_dict(), allow_nan=False))
    assert found["open_set"][0]["tpir"] is None
    assert "needs at least 1000" in found["open_set"][0]["reason"]
    assert "tpir@0.001" not in found["intervals"]
    assert found["ranks"]["1"] <= found["ranks"]["5"] <= found["ranks"]["10"]
    assert (found["gallery_entries"], found["mated"] + found["non_mated"]) == (20, 200)


def test_what_cannot_be_searched_is_an_error(people):
    probes, subjects, gallery = people
    with pytest.raises(DataError, match="none of the 200 probes shows a subject of the gallery"):
        identify(probes, subjects + 1, gallery)
    with pytest.raises(DataError, match="probes have 5 values, the gallery 6"):
        identify(probes[:, :5], subjects, gallery)
    with pytest.raises(DataError, match="the gallery is empty"):
        identify(probes, subjects, Gallery(np.zeros((0, 6)), np.zeros(0, np.int64)))
    with pytest.raises(DataError, match="no probe"):
        identify(probes[:0], subjects[:0], gallery)
    with pytest.raises(DataError, match=r"\(199,\) subjects"):
        identify(probes, subjects[1:], gallery)
    with pytest.raises(DataError, match=r"\(19,\) subjects"):
        identify(probes, subjects, Gallery(gallery.features, gallery.subjects[1:]))
    with pytest.raises(DataError, match="FPIR 0 cannot"):
        identify(probes, subjects, gallery, fpirs=(0,))
    with pytest.raises(DataError, match="rank 0 cannot"):
        identify(probes, subjects, gallery, ranks=(0, 1))
    bad = probes.copy()
    bad[3] = np.nan
    with pytest.raises(DataError, match=r"not finite \(index 3\)"):
        identify(bad, subjects, gallery)
