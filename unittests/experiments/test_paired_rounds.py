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
    order = np.argsort(-scores)
    fpr, tpr, _ = roc_curve(same, scores, sample_weight=weights, drop_intermediate=False)
    for target in (0.01, 0.05, 0.3):
        wanted = tpr[np.flatnonzero(fpr <= target + 1e-12)[-1]]
        assert PAIRED["weighted_tar"](same[order], weights[order], target) == pytest.approx(wanted, abs=1e-12)
    wanted = roc_auc_score(same, scores, sample_weight=weights)
    assert PAIRED["weighted_auc"](same[order], weights[order]) == pytest.approx(wanted, abs=1e-12)


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


@pytest.mark.parametrize(
    ("low", "high", "told"),
    [(0.1, 0.2, "better"), (-0.2, -0.1, "worse"), (-0.1, 0.1, "not distinguishable"), (0, 0.1, "not distinguishable")],
)
def test_verdict(low: float, high: float, told: str) -> None:
    assert PAIRED["verdict"](low, high) == told


def test_interval_is_the_middle_95_percent() -> None:
    assert PAIRED["interval"](np.arange(1001.0)) == (25.0, 975.0)
