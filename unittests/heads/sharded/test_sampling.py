"""A step's classes: which ones, how many, and that only they matter and move."""

import numpy as np
import pytest

from fairface.config.schema import HeadConfig
from fairface.errors import ConfigError
from fairface.heads import build_head
from fairface.heads.sharded import Sampling
from unittests.heads.helpers import close, run
from unittests.heads.sharded.helpers import passed, sharded

CONFIG = HeadConfig(name="arcface", s=8.0, sharded=True, sample_rate=0.4)


def test_positives_are_in_and_others_fill_up():
    classes, targets = range(100, 300), np.array([150, 150, 99, 300, 299, 100, -1])
    index = Sampling(0.1, seed=4).draw(classes, targets, step=9)
    assert len(index) == 20
    assert {0, 50, 199} <= set(index.tolist()) <= set(range(200))
    assert (np.diff(index) > 0).all()


def test_the_same_numbers_for_the_same_seed_and_step_only():
    targets = np.array([3])
    drawn = {key: tuple(Sampling(0.1, key[0]).draw(range(key[2], key[2] + 500), targets, key[1]))
             for key in [(1, 5, 0), (1, 6, 0), (2, 5, 0), (1, 5, 500)]}  # fmt: skip
    assert len(set(drawn.values())) == 4
    assert drawn[1, 5, 0] == tuple(Sampling(0.1, 1).draw(range(500), targets, 5))


def test_more_positives_than_the_rate_allows_are_the_sample():
    targets = np.arange(0, 40, 2)
    np.testing.assert_array_equal(Sampling(0.1).draw(range(40), targets, 0), targets)
    np.testing.assert_array_equal(Sampling(0.5).draw(range(40), targets, 0), targets)
    assert len(Sampling(0.525).draw(range(40), targets, 0)) == 21


def test_at_least_one_class_and_all_at_rate_1():
    assert len(Sampling(0.01).draw(range(5), np.array([-1, 7]), 0)) == 1
    np.testing.assert_array_equal(Sampling(1.0).draw(range(5), np.array([2]), 3), np.arange(5))
    for rate in (0.0, 1.01, float("nan")):
        with pytest.raises(ConfigError, match="sample_rate"):
            Sampling(rate)


def test_every_other_class_is_drawn_equally_often():
    counts = np.zeros(20)
    for step in range(2000):
        counts[Sampling(0.25, 0).draw(range(20), np.array([7, 8]), step)] += 1
    assert counts[7] == counts[8] == 2000
    others = np.delete(counts, [7, 8])
    expected = 2000 * 3 / 18  # 5 classes, 2 of them positives
    assert others.sum() == 2000 * 3
    # A class's count is binomial; five deviations.
    assert np.abs(others - expected).max() < 5 * np.sqrt(expected * (1 - 3 / 18))


@pytest.mark.parametrize("devices", [1, 2])
def test_loss_and_gradients_are_those_of_a_head_of_the_sampled_classes(devices):
    rng = np.random.default_rng(0)
    weight, label = rng.normal(size=(20, 6)), np.array([3, 11, 3, 17, -1])
    x = weight[label] + rng.normal(size=(5, 6))
    head, updater = sharded(CONFIG, weight, devices, seed=2)
    head.step = 8
    ours = passed(head, updater, x, label)
    chosen = np.concatenate([
        shard.classes.start + Sampling(0.4, 2).draw(shard.classes, label, 8) for shard in head.shards
    ])  # fmt: skip
    assert len(chosen) == 8
    small = build_head(HeadConfig(name="arcface", s=8.0), 6, 8)
    own = np.append(np.searchsorted(chosen, label[:-1]), -1)
    np.testing.assert_array_equal(chosen[own[:-1]], label[:-1])
    _, rows, dx, dweight = run(small, x, weight[chosen], own, "float64")
    close(ours.losses, rows, 1e-12)
    close(ours.dx, dx, 1e-10)
    close(ours.dweight, dweight, 1e-10)
