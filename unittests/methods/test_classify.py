"""Classification: one device and several compute the same, for every kind of head; the head's statistics are state."""

import numpy as np
import pytest

from fairface.config.schema import HeadConfig
from fairface.errors import CheckpointError
from fairface.heads import HEADS, build_head
from fairface.methods.base import StepOutcome
from fairface.methods.classify import Classify
from fairface.mx import mx, nd
from fairface.parallel import World, shard
from unittests.methods.helpers import CLASSES, EMBEDDING, Flat, batch, source, start, step

CONTEXTS = [mx.cpu(0), mx.cpu(1), mx.cpu(2)]
STATES = {"adaface": {"head.batch_mean", "head.batch_std"}, "curricularface": {"head.t"}}


def method(name, contexts, smoothing=0.1):
    head = build_head(HeadConfig(name=name, s=8.0), EMBEDDING, CLASSES)
    made = Classify(Flat(), head, [source()], label_smoothing=smoothing)
    start(made, contexts)
    return made


@pytest.mark.parametrize("name", sorted(HEADS))
def test_several_devices_equal_one(name):
    one, many = method(name, CONTEXTS[:1]), method(name, CONTEXTS)
    assert set(one.state()) == STATES.get(name, set())
    for number, unlabeled in enumerate([(), (0, 5), tuple(range(11))]):
        rows = batch(one.sources()[0], number, unlabeled)
        numbers, gradients = step(one, rows, CONTEXTS[:1])
        numbers_of_many, gradients_of_many = step(many, rows, CONTEXTS)
        assert numbers_of_many == pytest.approx(numbers, rel=1e-5)
        for key, gradient in gradients.items():
            np.testing.assert_allclose(gradients_of_many[key], gradient, rtol=1e-4, atol=1e-6)
        for key, value in one.state().items():
            np.testing.assert_allclose(many.state()[key], value, rtol=1e-6)


@pytest.mark.parametrize("name", sorted(STATES))
def test_statistics_move_with_labeled_rows_only_and_come_back(name):
    first = method(name, CONTEXTS[:1])
    before = first.state()
    step(first, batch(first.sources()[0], 0, tuple(range(12))), CONTEXTS[:1])
    assert first.state() == before
    step(first, batch(first.sources()[0], 0), CONTEXTS[:1])
    assert all(first.state()[key] != value for key, value in before.items())
    second = method(name, CONTEXTS[:1])
    second.load_state({**first.state(), "other": np.zeros(1)})
    numbers = [step(made, batch(first.sources()[0], 1), CONTEXTS[:1])[0] for made in (first, second)]
    assert numbers[0] == numbers[1]
    with pytest.raises(CheckpointError, match="belongs to another head"):
        second.load_state({})


def test_a_step_that_is_not_applied_leaves_no_trace():
    made = method("adaface", CONTEXTS[:1])
    before = made.state()
    world = World((CONTEXTS[0],))
    made.losses(shard(batch(made.sources()[0], 0), world), world)
    made.after_step(StepOutcome(0, 0.1, 1.0, applied=False))  # half precision, gradients overflowed
    assert made.state() == before


def test_a_batch_of_one_does_no_harm():
    made = method("adaface", CONTEXTS[:1])
    rows = batch(made.sources()[0], 0, tuple(range(1, 12)))
    for _ in range(3):
        numbers, gradients = step(made, rows, CONTEXTS[:1])
    assert np.isfinite(numbers["loss"])
    assert all(np.isfinite(gradient).all() for gradient in gradients.values())
    assert made.state()["head.batch_std"] == 100
    assert made.state()["head.batch_mean"] < 20


def test_the_watched_accuracy_counts_rows_recognised_without_margin():
    made = method("arc_circle", CONTEXTS[:1])
    rows = batch(made.sources()[0], 0)
    numbers, _ = step(made, rows, CONTEXTS[:1])
    images = nd.array(rows.images.transpose(0, 3, 1, 2).astype(np.float32))
    embedding, weight = made.backbone(images).asnumpy(), made.head.weight.data().asnumpy()
    cosine = embedding @ (weight / np.linalg.norm(weight, axis=1, keepdims=True)).T
    assert numbers["accuracy"] == pytest.approx((cosine.argmax(1) == rows.labels).mean())
