"""The worst group's rate while training, against plain counting."""

import math

import numpy as np
import pytest

from fairface.comparisons import Comparisons
from fairface.config.check import check
from fairface.config.schema import TrainConfig, VerifyConfig
from fairface.errors import ConfigError, DataError
from fairface.parallel import World
from fairface.training.verifier import Verifier
from fairface.training.worst_rate import worst_rate


@pytest.fixture
def world():
    """40 subjects of two sexes with two images each, and scores that favour matches among f."""
    rng = np.random.default_rng(3)
    who = np.repeat(np.arange(40), 2)
    a, b = np.triu_indices(len(who), 1)
    sex = who % 2
    comparisons = Comparisons(
        a=a, b=b, same=who[a] == who[b], fold=np.full(len(a), -1, np.int32), subject_a=who[a], subject_b=who[b],
        attributes=sex[:, None].astype(np.int8), attribute_names=("sex",), attribute_values=(("m", "f"),),
    )  # fmt: skip
    scores = rng.normal(2.0 * comparisons.same + 0.7 * (sex[a] * sex[b]), 1.0)
    return comparisons, scores


@pytest.mark.parametrize("error", ["fmr", "fnmr"])
def test_as_counted_by_hand(world, error):
    comparisons, scores = world
    impostor = np.sort(scores[~comparisons.same])
    threshold = next(t for t in impostor if np.mean(impostor >= t) <= 0.05)
    rates = []
    for sex in (0, 1):
        inside = (comparisons.attributes[comparisons.a, 0] == sex) & (comparisons.attributes[comparisons.b, 0] == sex)
        kind = comparisons.same if error == "fnmr" else ~comparisons.same
        matches = scores[inside & kind] >= threshold
        rates.append(np.mean(matches) if error == "fmr" else 1 - np.mean(matches))
    found = worst_rate(scores, comparisons, ["sex"], error, 0.05, 5)
    assert found == pytest.approx(max(rates), abs=1e-12)


def test_undefined_where_subjects_are_few_or_scores_equal(world):
    comparisons, scores = world
    assert math.isnan(worst_rate(scores, comparisons, ["sex"], "fmr", 0.05, 30))
    assert math.isnan(worst_rate(np.zeros(len(scores)), comparisons, ["sex"], "fmr", 0.05, 5))
    with pytest.raises(DataError, match="impostor"):
        worst_rate(scores, comparisons, ["sex"], "fmr", 1e-6, 5)
    with pytest.raises(DataError, match="age"):
        worst_rate(scores, comparisons, ["age"], "fmr", 0.05, 5)


def test_lower_is_better_and_attributes_are_needed():
    verifier = Verifier([], VerifyConfig(monitor="fmr_worst", protected=("sex",)), World(()), 32)
    assert verifier.better(0.1, 0.2)
    assert not verifier.better(0.2, 0.1)
    with pytest.raises(ConfigError, match="protected"):
        check(TrainConfig(name="x", verify=VerifyConfig(monitor="fnmr_worst")))
