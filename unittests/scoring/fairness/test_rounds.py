"""Rounds by products of matrices against rounds that are written out; shuffles against a loop."""

import numpy as np
import pytest

from fairface.scoring.bootstrap import subject_draws
from fairface.scoring.fairness import permutation, rounds
from fairface.scoring.fairness.counts import count_pairs, node_ends
from fairface.scoring.fairness.spread import spread
from unittests.scoring.fairness.helpers import small_world, with_attribute

ROUNDS, SEED = 25, 5


def counted(comparisons, of_image, groups, wrong, genuine):
    nodes, *ends = node_ends(comparisons, of_image, groups)
    return count_pairs(nodes, tuple(ends), wrong, comparisons.same == genuine, genuine)


@pytest.fixture(scope="module", params=["sex", "glasses"])
def world(request):
    scores, comparisons = small_world(subjects=16, images=3, seed=1)
    wrong = ((scores >= 0.35) != comparisons.same).astype(float)
    if request.param == "sex":
        return comparisons, comparisons.attributes[:, 0].astype(np.int64), wrong
    glasses = np.random.default_rng(0).integers(0, 2, 48)  # varies within a subject
    return with_attribute(comparisons, glasses), glasses, wrong


def written_out(comparisons, of_image, wrong, genuine, drawn):
    """Errors and comparisons within each group, each comparison as often as its subjects were drawn."""
    sums = np.zeros((2, 2))
    subjects = np.unique(comparisons.subject_a)
    times = dict(zip(subjects.tolist(), drawn.tolist(), strict=True))
    for a, b, same, s, t, w in zip(
        comparisons.a, comparisons.b, comparisons.same, comparisons.subject_a, comparisons.subject_b, wrong, strict=True
    ):
        if same == genuine and of_image[a] == of_image[b]:
            weight = times[s] if genuine else times[s] * times[t]
            sums[:, of_image[a]] += [weight * w, weight]
    return np.divide(sums[0], sums[1], where=sums[1] > 0, out=np.full(2, np.nan))


@pytest.mark.parametrize("genuine", [True, False])
@pytest.mark.parametrize("dense", [0.0, 1.0])
def test_rounds_equal_rounds_that_are_written_out(world, genuine, dense, monkeypatch):
    monkeypatch.setattr(rounds, "_DENSE_SHARE", dense)  # below: matrices, above: sparse ones
    monkeypatch.setattr(rounds, "_VALUES", 16 * 7)  # seven rounds at a time
    comparisons, of_image, wrong = world
    counts = counted(comparisons, of_image, 2, wrong, genuine).within()
    found = rounds.rate_rounds([counts, counts.with_errors(counts.comparisons)], ROUNDS, SEED)
    expected = [written_out(comparisons, of_image, wrong, genuine, drawn) for drawn in subject_draws(16, ROUNDS, SEED)]
    np.testing.assert_allclose(found[0], expected, rtol=0, atol=1e-12)
    np.testing.assert_allclose(found[1], np.where(np.isnan(expected), np.nan, 1.0), rtol=0, atol=1e-12)


def test_settled_rounds_spread_as_the_variance_says(world):
    comparisons, of_image, wrong = world
    counts = counted(comparisons, of_image, 2, wrong, False)
    found = spread(counts, counts.cell, 4)
    within = np.array([0, 3])
    settled = rounds.match_variance(rounds.rate_rounds([counts.within()], 400, SEED)[0], found, within)
    clipped = (settled == 0).any()
    wanted = np.sqrt(found.variance[within])
    np.testing.assert_allclose(np.nanstd(settled, axis=0), wanted, rtol=0.1 if clipped else 1e-9)


def test_rates_that_fit_a_group_without_errors():
    drawn = rounds.draw_zero_error_rates(20, 200_000, 0)
    assert np.quantile(drawn, 0.975) == pytest.approx(1 - 0.025 ** (1 / 20), rel=0.01)


@pytest.mark.parametrize("genuine", [True, False])
@pytest.mark.parametrize("limit", [4000, 0])
def test_shuffled_rates_equal_a_loop(world, genuine, limit, monkeypatch):
    monkeypatch.setattr(permutation, "_DENSE_NODES", limit)
    comparisons, of_image, wrong = world
    counts = counted(comparisons, of_image, 2, wrong, genuine)
    found = permutation.shuffled_rates(counts, np.array([0, 1]), 4, SEED)
    node_of, group = {}, counts.nodes.group
    for node, (subject, g) in enumerate(zip(counts.nodes.subject, group, strict=True)):
        node_of[int(subject), int(g)] = node
    subjects = {s: i for i, s in enumerate(np.unique(comparisons.subject_a).tolist())}
    rows = [
        (node_of[subjects[s], of_image[a]], node_of[subjects[t], of_image[b]], w)
        for a, b, same, s, t, w in zip(comparisons.a, comparisons.b, comparisons.same, comparisons.subject_a.tolist(),
                                       comparisons.subject_b.tolist(), wrong, strict=True) if same == genuine
    ]  # fmt: skip

    def sums(labels):
        result = np.zeros((2, 2))
        for first, second, w in rows:
            if labels[first] == labels[second]:
                result[:, labels[first]] += [w, 1]
        return result

    real = sums(group)
    rng = np.random.default_rng(SEED)
    for rates in found.rates:
        errors, total = sums(rng.permutation(group))
        scale = real[0].sum() / real[1].sum() / (errors.sum() / total.sum())
        np.testing.assert_allclose(rates, errors / total * scale, rtol=1e-6)
    assert 0.3 < found.kept <= 1.3
