"""Cosines and TAR before and after, against plain loops."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from fairface.comparisons import Comparisons
from fairface.evaluation.precision_change import cosines, tar_changes

IMAGES, PEOPLE = 60, 12


@pytest.fixture
def compared() -> tuple[Comparisons, Any, Any]:
    """All pairs of 60 images of 12 people of two sexes, and two models' embeddings, the second noisier."""
    rng = np.random.default_rng(0)
    people = np.repeat(np.arange(PEOPLE), IMAGES // PEOPLE)
    a, b = (side.astype(np.int64) for side in np.triu_indices(IMAGES, 1))
    before = rng.normal(size=(PEOPLE, 8))[people] + rng.normal(0, 0.6, (IMAGES, 8))
    after = before + rng.normal(0, 0.5, before.shape) * (people % 2)[:, None]
    comparisons = Comparisons(
        a, b, people[a] == people[b], np.full(len(a), -1, np.int32), people[a], people[b],
        (people % 2).astype(np.int8)[:, None], ("sex",), attribute_values=(("m", "f"),),
    )  # fmt: skip
    return comparisons, before, after


def by_loop(comparisons: Comparisons, embeddings: Any, fmr: float, group: int | None, sex: Any) -> float:
    scores = [float(embeddings[i] @ embeddings[j] / np.linalg.norm(embeddings[i]) / np.linalg.norm(embeddings[j]))
              for i, j in zip(comparisons.a, comparisons.b, strict=True)]  # fmt: skip
    impostor = sorted((s for s, same in zip(scores, comparisons.same, strict=True) if not same), reverse=True)
    allowed = int(fmr * len(impostor) + 1e-9)
    threshold = impostor[allowed]  # at or above it there would be one too many
    hits = [s > threshold for s, same, i in zip(scores, comparisons.same, comparisons.a, strict=True)
            if same and (group is None or sex[i] == group)]  # fmt: skip
    return sum(hits) / len(hits)


def test_tar_of_everyone_and_of_each_group(compared: tuple[Comparisons, Any, Any]) -> None:
    comparisons, before, after = compared
    sex = comparisons.attributes[:, 0]
    found = tar_changes(comparisons, before, after, 0.01, ["sex"])
    assert [(row.group, row.genuine) for row in found] == [("everyone", 120), ("sex=m", 60), ("sex=f", 60)]
    for row, group in zip(found, (None, 0, 1), strict=True):
        assert row.before == pytest.approx(by_loop(comparisons, before, 0.01, group, sex))
        assert row.after == pytest.approx(by_loop(comparisons, after, 0.01, group, sex))
    assert found[2].after < found[2].before  # who got the noise
    assert "sex=f: " in str(found[2])
    assert f"{100 * (found[2].after - found[2].before):+.2f} points" in str(found[2])


def test_no_rate_where_the_impostors_are_too_few(compared: tuple[Comparisons, Any, Any]) -> None:
    (row,) = tar_changes(*compared, 1e-6)
    assert math.isnan(row.before)
    told = row.to_dict()
    assert (told["genuine"], told["before"], told["after"], told["change"]) == (120, None, None, None)


def test_cosines_are_those_of_each_image(compared: tuple[Comparisons, Any, Any]) -> None:
    _, before, after = compared
    expected = [x @ y / math.sqrt((x @ x) * (y @ y)) for x, y in zip(before, after, strict=True)]
    np.testing.assert_allclose(cosines(before, after), expected, rtol=1e-9)
