"""How split classes move: SGD with momentum, recomputed in float64; classes that were not sampled keep every bit."""

import numpy as np
import pytest

from fairface.config.schema import HeadConfig
from fairface.errors import CheckpointError
from fairface.heads.sharded import MomentumRule, Sampling, ShardUpdater
from fairface.mx import nd
from unittests.heads.sharded.helpers import contexts, passed, sharded

RULE = MomentumRule(momentum=0.8, weight_decay=0.01, lr_mult=2.0)
CLASSES = 11


def problem():
    rng = np.random.default_rng(1)
    weight, label = rng.normal(size=(CLASSES, 5)), rng.integers(0, CLASSES, 6)
    return weight[label] + rng.normal(size=(6, 5)), weight, label


def config(**values):
    return HeadConfig(name="cosface", s=4.0, sharded=True, **values)


def weights_of(head):
    return head.arrays()["weight"].asnumpy().astype(float)


@pytest.mark.parametrize("devices", [1, 3])
@pytest.mark.parametrize("rate", [1.0, 0.4])
def test_sgd_with_momentum_and_decay_of_the_steps_classes(rate, devices):
    x, weight, label = problem()
    head, _ = sharded(config(sample_rate=rate), weight, devices, seed=3)
    updater = ShardUpdater(head, RULE)
    expected, velocity = weight.copy(), np.zeros_like(weight)
    moved = np.zeros(CLASSES, bool)
    for step in range(4):
        head.step = step
        found = passed(head, updater, x, label, scale=16.0)
        before = weights_of(head)
        updater.update(0.1, loss_scale=16.0)
        chosen = np.arange(CLASSES)
        if rate < 1:
            chosen = np.concatenate(
                [s.classes.start + Sampling(rate, 3).draw(s.classes, label, step) for s in head.shards]
            )
        gradient = found.dweight / 16 + 0.01 * expected[chosen]
        velocity[chosen] = 0.8 * velocity[chosen] - 0.2 * gradient
        expected[chosen] += velocity[chosen]
        np.testing.assert_allclose(weights_of(head), expected, rtol=1e-6, atol=1e-9)
        np.testing.assert_allclose(updater.state()["momentum"].asnumpy(), velocity, rtol=1e-6, atol=1e-9)
        others = np.setdiff1d(np.arange(CLASSES), chosen)
        assert weights_of(head)[others].tobytes() == before[others].tobytes()
        moved[chosen] = True
    assert moved.sum() > len(chosen) or rate == 1.0  # the samples were not all the same


@pytest.mark.parametrize("rate", [1.0, 0.4])
def test_state_and_centres_go_on_on_other_devices_and_the_step_goes_on_as_before(rate):
    x, weight, label = problem()
    first, one = sharded(config(sample_rate=rate), weight, 2)
    for step in range(2):
        first.step = step
        passed(first, one, x, label)
        one.update(0.1, 1.0)
    second, other = sharded(config(sample_rate=rate), np.zeros_like(weight), 3 if rate == 1 else 2)
    second.set_arrays(first.arrays(), "file")
    other.load_state(one.state(), "file")
    for head, updater in ((first, one), (second, other)):
        head.step = 2
        passed(head, updater, x, label)
        updater.update(0.1, 1.0)
    np.testing.assert_allclose(weights_of(second), weights_of(first), rtol=1e-12, atol=0)
    np.testing.assert_allclose(other.state()["momentum"].asnumpy(), one.state()["momentum"].asnumpy(), rtol=1e-9)


def test_a_sample_that_grows_with_its_positives():
    x, weight, _ = problem()
    head, updater = sharded(config(sample_rate=0.1), weight, 1)
    for label in (np.zeros(6, int), np.arange(6), np.array([0, 1, 1, 1, 1, 1])):
        found = passed(head, updater, x, label)
        assert found.dweight.shape == (len(set(label.tolist())), 5)
        before = weights_of(head)
        updater.update(0.1, 1.0)
        changed = np.flatnonzero((weights_of(head) != before).any(axis=1))
        assert set(changed.tolist()) == set(label.tolist())


def test_state_that_does_not_fit():
    _, weight, _ = problem()
    updater = sharded(config(), weight, 2)[1]
    for state in ({}, {"momentum": nd.zeros((CLASSES, 4))}, {"momentum": nd.zeros((CLASSES - 1, 5))}):
        with pytest.raises(CheckpointError, match=r"^some\.file: has no fitting optimizer state for head\.weight"):
            updater.load_state(state, "some.file")


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"weight": (12, 5)}, r"weight is \(12, 5\), this head needs \(11, 5\)"),
        ({"weight": (11, 4)}, r"weight is \(11, 4\), this head needs \(11, 5\)"),
        ({}, "holds nothing for the head"),
        ({"weight": (11, 5), "bias": (11,)}, "holds bias, weight for the head"),
    ],
)
def test_centres_that_do_not_fit(arrays, said):
    _, weight, _ = problem()
    head, _ = sharded(config(), weight, 2)
    with pytest.raises(CheckpointError, match=rf"^some\.file: {said}"):
        head.set_arrays({name: nd.zeros(shape) for name, shape in arrays.items()}, "some.file")
    np.testing.assert_allclose(weights_of(head), weight)


def test_the_head_lies_where_it_was_put():
    _, weight, _ = problem()
    head, updater = sharded(config(sample_rate=0.5), weight, 3)
    assert [shard.weight.context for shard in head.shards] == contexts(3)
    assert updater.parameters == ()
    assert updater.name == "head"
