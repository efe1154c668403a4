"""fairface.scoring.retrieval against LPD's own numbers, scikit-learn, and loops that sort every ranking."""

from itertools import product
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from fairface.errors import DataError
from fairface.scoring.retrieval import ImageSet, distractor_hits, matches, retrieve, retrieve_scores
from fairface.scoring.retrieval.ranking import RetrievalOptions
from unittests.scoring.wilson import wilson_ends

VECTORS = Path(__file__).parents[2] / "vectors" / "score_map_cmc.npz"


@pytest.fixture(scope="module")
def reference():
    with np.load(VECTORS) as file:
        return dict(file)


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_lpds_numbers(reference, metric):
    queries, gallery = (ImageSet(reference[f"{side}_feats"], reference[f"{side}_labels"]) for side in "qg")
    found = retrieve(queries, gallery, metric)
    assert found.mean_average_precision == pytest.approx(float(reference[f"{metric}_mAP"]), abs=1e-9)
    np.testing.assert_allclose(found.average_precision, reference[f"{metric}_ap"], rtol=0, atol=1e-9)
    np.testing.assert_allclose(found.cmc, reference[f"{metric}_cmc"], rtol=0, atol=1e-9)
    assert (found.queries, found.absent, found.gallery) == (60, 0, 90)


def test_images_of_the_querys_camera_are_left_out(reference):
    queries, gallery = (
        ImageSet(*(reference[f"{side}_{what}"] for what in ("feats", "labels", "cams"))) for side in "qg"
    )
    found = retrieve(queries, gallery, "euclidean")
    assert found.mean_average_precision == pytest.approx(float(reference["gugu_cam_mAP"]), abs=1e-9)
    np.testing.assert_allclose(found.cmc, reference["gugu_cam_cmc"], rtol=0, atol=1e-9)
    same = (queries.subjects[:, None] == gallery.subjects) & (queries.cameras[:, None] != gallery.cameras)
    assert found.comparisons[0] == same.sum()


def by_sorting(scores, query_subjects, gallery_subjects):
    """For each query with a match: Market-1501's average precision, and the rank of the first match; others before."""
    areas, ranks = [], []
    for row, subject in zip(scores, query_subjects, strict=True):
        own = gallery_subjects == subject
        if not own.any():
            continue
        ranking = sorted(zip(row, own, strict=True), key=lambda image: (-image[0], image[1]))
        area, recall, precision, found = 0.0, 0.0, 1.0, 0
        for place, (_, is_match) in enumerate(ranking, 1):
            found += is_match
            area += (found / own.sum() - recall) * (precision + found / place) / 2
            recall, precision = found / own.sum(), found / place
        areas.append(area)
        ranks.append(1 + [is_match for _, is_match in ranking].index(True))
    return np.array(areas), np.array(ranks)


@pytest.mark.parametrize(("levels", "few"), [*product([4, 1000], [0, 2, 48])])
def test_given_scores_with_and_without_ties(levels, few, monkeypatch):
    monkeypatch.setattr(matches, "_FEW", few)
    monkeypatch.setattr(matches, "_BLOCK", 200)  # blocks of five queries
    rng = np.random.default_rng(levels)
    query_subjects, gallery_subjects = rng.integers(0, 9, 33), rng.integers(2, 12, 40)
    scores = rng.integers(0, levels, (33, 40)) / levels
    found = retrieve_scores(scores, query_subjects, gallery_subjects, RetrievalOptions(ranks=(1, 3, 50)))
    there = np.isin(query_subjects, gallery_subjects)
    expected = [average_precision_score(gallery_subjects == subject, row)
                for row, subject in zip(scores[there], query_subjects[there], strict=True)]  # fmt: skip
    np.testing.assert_allclose(found.average_precision[there], expected, rtol=0, atol=1e-12)
    assert found.mean_average_precision == pytest.approx(np.mean(expected), abs=1e-12)
    areas, ranks = by_sorting(scores, query_subjects, gallery_subjects)
    assert found.mean_average_precision_market1501 == pytest.approx(areas.mean(), abs=1e-12)
    np.testing.assert_array_equal(found.first_rank, spread(there, ranks))
    assert found.ranks == pytest.approx({k: (ranks <= k).mean() for k in (1, 3, 50)})
    assert len(found.cmc) == 50
    assert found.cmc[2] == found.ranks[3]
    assert found.absent == (~there).sum() > 0
    assert np.isnan(found.average_precision[~there]).all()
    assert found.absent_subjects == tuple(sorted(set(query_subjects[~there].tolist())))
    assert found.distractors == sum(subject not in set(query_subjects.tolist()) for subject in gallery_subjects)
    assert found.gallery_subjects == len(set(gallery_subjects.tolist()))
    assert found.subjects == len(set(query_subjects[there].tolist()))


def test_scores_that_are_whole_numbers():
    scores, who = np.array([[3, 1, 2], [1, 1, 5]]), np.array([0, 1, 0])
    found = retrieve_scores(scores, np.array([0, 1]), who, RetrievalOptions(fmr=(0.4,)))
    assert found.average_precision.tolist() == [1.0, 1 / 3]
    assert found.tar[0].tar == pytest.approx(2 / 3)  # impostors 5, 1, 1: one may match, so matches score above 1


def spread(there, values):
    result = np.zeros(len(there), np.int64)
    result[there] = values
    return result


def test_equal_gallery_images_get_equal_scores():
    """A matrix product rounds columns at its edge another way; a copy of a match must tie with it."""
    rng = np.random.default_rng(1)
    image = rng.standard_normal((1, 67))
    others = rng.standard_normal((200, 67))
    gallery = np.concatenate([image, others, image, image]).astype(np.float32)
    subjects = np.array([0, *range(1, 201), 300, 301])
    queries = ImageSet(image + rng.standard_normal((1, 67)) / 9, np.array([0]))
    for metric in ("cosine", "euclidean"):
        found = retrieve(queries, ImageSet(gallery, subjects), metric)
        assert found.first_rank.tolist() == [3]  # two copies of other people stand beside the match
        assert found.average_precision.tolist() == [1 / 3]


def test_euclidean_is_the_order_of_distances():
    rng = np.random.default_rng(2)
    queries, gallery = rng.standard_normal((20, 8)) * 3, rng.standard_normal((50, 8)) * rng.uniform(0.5, 4, (50, 1))
    one, other = rng.integers(0, 6, 20), rng.integers(0, 6, 50)
    distances = np.array([[sum((a - b) ** 2) for b in gallery] for a in queries])
    found = retrieve(ImageSet(queries, one), ImageSet(gallery, other), "euclidean")
    expected = [average_precision_score(other == subject, -row) for row, subject in zip(distances, one, strict=True)]
    np.testing.assert_allclose(found.average_precision, expected, rtol=0, atol=1e-12)


def test_tar_of_every_query_with_every_gallery_image():
    rng = np.random.default_rng(3)
    one, other = rng.integers(0, 5, 30), rng.integers(0, 6, 40)
    scores = rng.normal((one[:, None] == other) * 1.5, 1.0)
    found = retrieve_scores(scores, one, other, RetrievalOptions(fmr=(0.1, 0.01, 1e-4)))
    same = one[:, None] == other
    genuine, impostor = scores[same], np.sort(scores[~same])[::-1]
    for row in found.tar[:2]:
        allowed = max(k for k in range(len(impostor)) if k / len(impostor) <= row.target)
        assert row.threshold == impostor[allowed]
        assert row.tar == pytest.approx((genuine > impostor[allowed]).mean())
    assert np.isnan(found.tar[2].tar)
    assert found.tar[2].reason == f"{len(impostor)} impostor comparisons; FMR 0.0001 needs 10000"
    assert found.comparisons == (same.sum(), (~same).sum())
    assert found.to_dict()["tar"][2]["tar"] is None


def test_intervals_draw_the_subjects_of_the_queries():
    rng = np.random.default_rng(4)
    one, other = np.repeat(np.arange(8), [1, 2, 3, 4, 5, 6, 7, 8]), rng.integers(0, 7, 60)
    scores = rng.normal((one[:, None] == other) * 0.8, 1.0)
    options = RetrievalOptions(ranks=(1, 2), rounds=40, level=0.8, seed=5)
    found = retrieve_scores(scores, one, other, options)
    draws = np.random.default_rng(5)
    valid = np.flatnonzero(found.first_rank > 0)
    people = sorted(set(one[valid].tolist()))
    means = {"map": [], "rank-2": []}
    for _ in range(40):
        drawn = draws.integers(0, len(people), len(people))
        rows = [query for place in drawn for query in valid if one[query] == people[place]]
        means["map"].append(np.mean(found.average_precision[rows]))
        means["rank-2"].append(np.mean(found.first_rank[rows] <= 2))
    whole = {"map": found.mean_average_precision, "rank-2": found.ranks[2]}
    for key, values in means.items():
        interval = found.intervals[key]
        assert (interval.low, interval.high) == pytest.approx(wilson_ends(whole[key], values, 0.8, len(people)))
        assert (interval.level, interval.rounds) == (0.8, 40)
    assert set(found.intervals) == {"map", "map_market1501", "rank-1", "rank-2"}
    assert retrieve_scores(scores, one, other).intervals == {}


def test_pairs_against_distractors_by_loops():
    rng = np.random.default_rng(6)
    centres = rng.standard_normal((7, 6))
    one, other = rng.integers(0, 6, 20), rng.integers(1, 7, 25)
    zj, jk = (centres[who] + rng.standard_normal((len(who), 6)) * scale for who, scale in ((one, 1.0), (other, 0.6)))
    strangers = rng.standard_normal((15, 6))
    found = distractor_hits(ImageSet(zj, one), ImageSet(jk, other), strangers, rounds=20)

    def cosine(a, b):
        return float(a @ b / np.sqrt((a @ a) * (b @ b)))

    hits = [[], []]
    for a, b in product(range(20), range(25)):
        if one[a] == other[b]:
            for place, image in enumerate((zj[a], jk[b])):
                hits[place].append(cosine(zj[a], jk[b]) > max(cosine(image, stranger) for stranger in strangers))
    assert found.pairs == len(hits[0])
    assert (found.zj2jk, found.jk2zj) == pytest.approx((np.mean(hits[0]), np.mean(hits[1])))
    assert found.zj2jk != found.jk2zj
    assert found.mean == pytest.approx((found.zj2jk + found.jk2zj) / 2)
    assert found.intervals["zj2jk"].low <= found.zj2jk <= found.intervals["zj2jk"].high
    with pytest.raises(DataError, match="distractors have shape"):
        distractor_hits(ImageSet(zj, one), ImageSet(jk, other), strangers[:, :5])
    with pytest.raises(DataError, match="no identity is in both"):
        distractor_hits(ImageSet(zj, one), ImageSet(jk, other + 10), strangers)


def faulty(rows, place):
    changed = rows.copy()
    changed[place, 1] = np.nan
    return changed


@pytest.mark.parametrize(
    ("queries", "gallery", "metric", "message"),
    [
        (np.ones((3, 2)), np.ones((0, 2)), "cosine", "gallery: holds no image"),
        (np.ones((0, 2)), np.ones((3, 2)), "cosine", "queries: holds no image"),
        (np.ones((3, 2)), np.ones((3, 4)), "cosine", "queries have 2 values, the gallery 4"),
        (np.ones((3, 2)), faulty(np.ones((3, 2)), 1), "cosine", "gallery: 1 of 3 embeddings is not finite .index 1"),
        (faulty(np.ones((3, 2)), 2), np.ones((3, 2)), "euclidean", r"queries: 1 of 3 embeddings is not .*first: 2"),
        (np.zeros((3, 2)), np.ones((3, 2)), "cosine", "queries: 3 of 3 embeddings are of length zero"),
        (np.ones((3, 2)), np.ones((3, 2)), "manhattan", "metric 'manhattan' is unknown"),
        (np.ones(3), np.ones((3, 2)), "cosine", "queries: features have shape"),
    ],
)
def test_sets_that_cannot_be_ranked(queries, gallery, metric, message):
    one, other = (ImageSet(of, np.arange(len(of))) for of in (queries, gallery))
    with pytest.raises(DataError, match=message):
        retrieve(one, other, metric)


def test_what_else_is_refused():
    scores = np.ones((2, 3))
    for subjects, message in ((np.array([7, 8]), "none of the 2 queries"), (np.array([1]), "there are 1 query")):
        with pytest.raises(DataError, match=message):
            retrieve_scores(scores, subjects, np.arange(3))
    with pytest.raises(DataError, match="1 of 2 queries has scores that are not finite"):
        retrieve_scores(faulty(scores, 1), np.arange(2), np.arange(3))
    with pytest.raises(DataError, match="scores have shape"):
        retrieve_scores(np.ones((2, 0)), np.arange(2), np.arange(0))
    for options in (RetrievalOptions(ranks=(0,)), RetrievalOptions(ranks=()), RetrievalOptions(fmr=(0.0,))):
        with pytest.raises(DataError, match=r"cannot be used"):
            retrieve_scores(scores, np.arange(2), np.arange(3), options)
    cameras = ImageSet(np.ones((2, 2)), np.arange(2), np.arange(2))
    with pytest.raises(DataError, match="cameras are known of one"):
        retrieve(cameras, ImageSet(np.ones((2, 2)), np.arange(2)))


def test_the_ranks_of_the_documents_table_unless_others_are_asked_for():
    found = retrieve_scores(np.eye(3), np.arange(3), np.arange(3))
    assert found.ranks == {1: 1.0, 5: 1.0, 10: 1.0}
    assert found.cmc.tolist() == [1.0] * 10


def test_the_first_of_several_faulty_rows_is_named():
    faulty_rows = np.ones((4, 2))
    faulty_rows[[1, 3], 0] = np.inf
    with pytest.raises(DataError, match=r"2 of 4 queries have scores that are not finite .first: 1"):
        retrieve_scores(faulty_rows, np.arange(4), np.arange(2))
    with pytest.raises(DataError, match=r"gallery: 2 of 4 embeddings are not finite .first: 1"):
        retrieve(ImageSet(np.ones((1, 2)), np.zeros(1)), ImageSet(faulty_rows, np.arange(4)), "euclidean")
