"""Paired intervals over people: weighted rates against scikit-learn, rounds against a plain loop."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score, roc_curve

from fairface.comparisons import Comparisons

PAIRED: dict[str, Any] = runpy.run_path(str(Path(__file__).parents[2] / "experiments" / "paired_rounds.py"))


def test_weighted_rates_are_scikit_learns() -> None:
    rng = np.random.default_rng(0)
    same = rng.random(400) < 0.3
    scores = rng.normal(same * 1.5, 1.0)
    weights = rng.integers(0, 4, 400).astype(float)
    order, apart = np.argsort(-scores), np.ones(400, bool)
    fpr, tpr, _ = roc_curve(same, scores, sample_weight=weights, drop_intermediate=False)
    for target in (0.01, 0.05, 0.3):
        wanted = tpr[np.flatnonzero(fpr <= target + 1e-12)[-1]]
        assert PAIRED["weighted_tar"](same[order], weights[order], apart, target) == pytest.approx(wanted, abs=1e-12)
    wanted = roc_auc_score(same, scores, sample_weight=weights)
    assert PAIRED["weighted_auc"](same[order], weights[order], apart) == pytest.approx(wanted, abs=1e-12)


def test_rounds_repeat_each_persons_comparisons_and_average_the_runs() -> None:
    people = np.repeat(np.arange(6), 3)
    a, b = np.triu_indices(len(people), 1)
    who = (people[a], people[b])
    comparisons = Comparisons(a, b, who[0] == who[1], np.full(len(a), -1, np.int32), *who)
    rng = np.random.default_rng(1)
    runs = [rng.normal(comparisons.same, 1.0) for _ in range(2)]
    found = PAIRED["measure_rounds"]({"one": runs, "first": runs[:1]}, comparisons, [0.1], rounds=5)
    draws = np.random.default_rng(0)
    for round_number in range(5):
        drawn = np.bincount(draws.integers(0, 6, 6), minlength=6)
        expected = []
        for scores in runs:
            repeated: list[tuple[bool, float]] = []
            for x, y, score in zip(*who, scores, strict=True):
                repeated += [(x == y, score)] * int(drawn[x] if x == y else drawn[x] * drawn[y])
            same, values = map(np.array, zip(*repeated, strict=True))
            fpr, tpr, _ = roc_curve(same, values, drop_intermediate=False)
            expected.append([roc_auc_score(same, values), tpr[np.flatnonzero(fpr <= 0.1 + 1e-12)[-1]]])
        np.testing.assert_allclose(found["one"][round_number], np.mean(expected, axis=0), atol=1e-12)
        np.testing.assert_allclose(found["first"][round_number], expected[0], atol=1e-12)


def test_equal_scores_reach_a_threshold_together_and_equal_ways_differ_by_nothing() -> None:
    """Scores of one digit, so most are shared; the order of the list must not matter."""
    people = np.repeat(np.arange(8), 3)
    a, b = np.triu_indices(len(people), 1)
    who = (people[a], people[b])
    same = who[0] == who[1]
    scores = np.round(np.random.default_rng(2).normal(same * 1.2, 1.0), 0)
    order = np.argsort(~same, kind="stable")  # genuine comparisons first: they would win every tie
    fold = np.full(len(a), -1, np.int32)
    lists = [(rows, Comparisons(a[rows], b[rows], same[rows], fold, who[0][rows], who[1][rows]))
             for rows in (order, order[::-1])]  # fmt: skip
    found = [
        PAIRED["measure_rounds"]({"one": [scores[rows]], "other": [scores[rows]]}, comparisons, [0.1, 0.5], rounds=4)
        for rows, comparisons in lists
    ]
    np.testing.assert_allclose(found[0]["one"], found[1]["one"], atol=1e-12)
    np.testing.assert_array_equal(found[0]["one"], found[0]["other"])
    difference = found[0]["one"][:, 0] - found[0]["other"][:, 0]
    assert PAIRED["verdict"](*PAIRED["interval"](difference)) == "not distinguishable"
    draws = np.random.default_rng(0)
    for row in found[0]["one"]:
        drawn = np.bincount(draws.integers(0, 8, 8), minlength=8)
        weights = np.where(same, drawn[who[0]], drawn[who[0]] * drawn[who[1]])
        fpr, tpr, _ = roc_curve(same, scores, sample_weight=weights, drop_intermediate=False)
        expected = [roc_auc_score(same, scores, sample_weight=weights)]
        expected += [tpr[np.flatnonzero(fpr <= target + 1e-12)[-1]] for target in (0.1, 0.5)]
        np.testing.assert_allclose(row, expected, atol=1e-12)


@pytest.mark.parametrize(
    ("low", "high", "told"),
    [(0.1, 0.2, "better"), (-0.2, -0.1, "worse"), (-0.1, 0.1, "not distinguishable"), (0, 0.1, "not distinguishable")],
)
def test_verdict(low: float, high: float, told: str) -> None:
    assert PAIRED["verdict"](low, high) == told


def test_interval_is_the_middle_95_percent() -> None:
    assert PAIRED["interval"](np.arange(1001.0)) == (25.0, 975.0)
