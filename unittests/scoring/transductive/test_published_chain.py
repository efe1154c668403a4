"""The three steps against files that the published programs wrote, and against plain loops."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from fairface.errors import ConfigError, DataError
from fairface.scoring.transductive.chain import ChainSteps, run_chain
from fairface.scoring.transductive.fuse import fuse
from fairface.scoring.transductive.gap_cut import gap_cut
from fairface.scoring.transductive.rerank import rerank

VECTORS = Path(__file__).parents[2] / "vectors" / "score_paranoidai_csv.npz"
HALF = 0.5e-5 + 1e-9  # the published programs write five decimals


@pytest.fixture(scope="module")
def published():
    return np.load(VECTORS)


def random_pairs(seed, images=60, pairs=700):
    """Pairs with repetitions, pairs of an image with itself, and equal scores."""
    rng = np.random.default_rng(seed)
    a, b = rng.integers(0, images, (2, pairs))
    table = np.round(rng.uniform(-1, 1, (images, images)), 1 if seed % 2 else 6)
    table = np.triu(table, 1) + np.triu(table, 1).T + np.eye(images)
    return a, b, table[a, b]


def loop_rerank(a, b, scores, k=20, forget_first=False):
    neighbours = {}
    for one, other, score in zip(a.tolist(), b.tolist(), scores.tolist(), strict=True):
        for image, partner in ((one, other), (other, one)):
            if image not in neighbours:
                neighbours[image] = {}
                if forget_first:
                    continue
            if image != partner:
                neighbours[image][partner] = score
    best = {}
    for image, found in neighbours.items():
        chosen = sorted(found.items(), key=lambda item: (-item[1], item[0]))[: k - 1]
        best[image] = dict([(image, 1.0), *chosen])
    result = []
    for one, other, score in zip(a.tolist(), b.tolist(), scores.tolist(), strict=True):
        common = sum(best[one][c] * best[other][c] for c in best[one] if c in best[other])
        result.append(0.65 * score + 0.7 * common / 40)
    return np.array(result)


def loop_cut(a, b, scores):
    of_image = {}
    for one, other, score in zip(a.tolist(), b.tolist(), scores.tolist(), strict=True):
        for image in {one, other} if one != other else ():
            of_image.setdefault(image, []).append(score)
    gaps = {}
    for image, found in of_image.items():
        falling = sorted(found, reverse=True)
        for high, low in pairwise(falling):
            if high - low > 0.1:
                gaps[image] = (low, high - low)
    result = []
    for one, other, score in zip(a.tolist(), b.tolist(), scores.tolist(), strict=True):
        moved = score
        for image in (one, other):
            if image in gaps:
                low, gap = gaps[image]
                moved += 0.1 * gap if score > low + 1e-3 else -0.1 * gap
        result.append(moved)
    return np.array(result)


def test_rerank_of_the_published_scores(published):
    a, b = published["ids"].T
    found = rerank(a, b, published["score_step3"], forget_first=True)
    assert np.abs(found - published["score_reranked"]).max() <= HALF


def test_the_published_rerank_forgets_pairs_and_ours_does_not(published):
    a, b = published["ids"].T
    scores = published["score_step3"]
    assert np.abs(rerank(a, b, scores) - published["score_reranked"]).max() > 0.02
    turned = np.random.default_rng(0).permutation(len(a))
    np.testing.assert_allclose(rerank(a, b, scores)[turned], rerank(b[turned], a[turned], scores[turned]), atol=1e-12)
    published_order = rerank(a, b, scores, forget_first=True)[turned]
    assert np.abs(published_order - rerank(a[turned], b[turned], scores[turned], forget_first=True)).max() > 0.01


def test_cut_of_the_published_scores(published):
    a, b = published["ids"].T
    found = gap_cut(a, b, published["score_reranked"])  # which were rounded before they were cut
    assert np.abs(found - published["score_grad_cut"]).max() <= HALF


def test_fusion_of_the_published_scores(published):
    found = fuse(published["score_hard"], published["score_grad_cut"])
    np.testing.assert_array_equal(found, published["score_predictions"])
    assert 0 < (found == published["score_hard"]).sum() < len(found)


@pytest.mark.parametrize("forget_first", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_rerank_as_a_plain_loop(seed, forget_first):
    a, b, scores = random_pairs(seed)
    expected = loop_rerank(a, b, scores, forget_first=forget_first)
    np.testing.assert_allclose(rerank(a, b, scores, forget_first=forget_first), expected, atol=1e-12)


@pytest.mark.parametrize("seed", range(4))
def test_cut_as_a_plain_loop(seed):
    a, b, scores = random_pairs(seed, images=200, pairs=900)
    expected = loop_cut(a, b, scores)
    assert (expected != scores).any()
    np.testing.assert_allclose(gap_cut(a, b, scores), expected, atol=1e-12)


@pytest.mark.parametrize("step", [rerank, gap_cut])
def test_a_pair_that_is_named_again_the_other_way_round_gets_the_same_bits(step):
    a, b, scores = random_pairs(2, pairs=5000)
    both = step(np.concatenate([a, b]), np.concatenate([b, a]), np.concatenate([scores, scores]))
    np.testing.assert_array_equal(both[:5000], both[5000:])


def test_rerank_parameters():
    a, b, scores = random_pairs(2)
    np.testing.assert_allclose(rerank(a, b, scores, own=1, shared=0), scores)
    np.testing.assert_allclose(rerank(a, b, scores, k=5, own=0.65), 0.65 * scores + 0.7 / 10 * (
        (loop_rerank(a, b, scores, k=5) - 0.65 * scores) * 40 / 0.7))  # fmt: skip


def test_images_without_a_gap_keep_their_scores():
    a, b = np.array([0, 0, 1]), np.array([1, 2, 2])
    scores = np.array([0.30, 0.35, 0.25])
    np.testing.assert_array_equal(gap_cut(a, b, scores), scores)


@pytest.mark.parametrize("step", [rerank, gap_cut])
def test_no_pairs_and_only_pairs_of_an_image_with_itself(step):
    nothing = np.zeros(0, np.int64)
    assert len(step(nothing, nothing, np.zeros(0))) == 0
    itself = step(np.array([0, 3]), np.array([0, 3]), np.array([1.0, 1.0]))
    np.testing.assert_allclose(itself, 0.65 + 0.7 / 40 if step is rerank else 1.0)


@pytest.mark.parametrize("step", [rerank, gap_cut])
def test_scores_that_are_not_finite_are_refused(step):
    a, b = np.array([0, 0, 1]), np.array([1, 2, 2])
    with pytest.raises(DataError, match=r"1 of 3 scores is not finite \(first: pair 1\)"):
        step(a, b, np.array([0.1, np.nan, 0.2]))
    with pytest.raises(DataError, match="give one each"):
        step(a, b, np.array([0.1]))
    with pytest.raises(DataError, match="below 0"):
        step(-a, b, np.zeros(3))


def test_fusion_refuses_scores_that_do_not_fit():
    with pytest.raises(DataError, match="cannot be fused"):
        fuse(np.zeros(2), np.zeros(3))
    with pytest.raises(DataError, match="1 of 2 pairs"):
        fuse(np.array([np.nan, 1]), np.zeros(2))


def test_chain_runs_what_is_on_and_says_so(published):
    a, b = published["ids"].T
    step3, hard = published["score_step3"], published["score_hard"]
    whole = run_chain(a, b, step3, hard, ChainSteps())
    np.testing.assert_array_equal(whole.scores, fuse(hard, gap_cut(a, b, rerank(a, b, step3))))
    assert [step.to_dict()["kind"] for step in whole.steps] == ["transductive"] * 3
    assert whole.steps[2].changed == (hard > 0.99).sum()
    plain = run_chain(a, b, step3, None, ChainSteps(False, False, False))
    np.testing.assert_array_equal(plain.scores, step3)
    assert [step.changed for step in plain.steps] == [0, 0, 0]
    one = run_chain(a, b, step3, hard, ChainSteps(rerank=False, fuse=False))
    np.testing.assert_array_equal(one.scores, gap_cut(a, b, step3))
    assert [step.on for step in one.steps] == [False, True, False]
    with pytest.raises(ConfigError, match="fusion needs"):
        run_chain(a, b, step3, None, ChainSteps())
