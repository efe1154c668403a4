"""triplet and fused: one device and several compute the same; counted steps are state; wrong batches are refused."""

import dataclasses

import numpy as np
import pytest

from fairface.config.schema import HeadConfig, SamplerConfig, TrainConfig, TripletConfig
from fairface.errors import CheckpointError, ConfigError
from fairface.heads import build_head
from fairface.heads.triplets import TRIPLET_LOSSES, build_triplet_loss
from fairface.methods.build import METHODS, build_method
from fairface.methods.classify import Classify
from fairface.methods.triplet import Fused, TripletMethod, TripletTerm
from fairface.mx import mx
from unittests.methods.helpers import CLASSES, EMBEDDING, Flat, batch, source, start, step

CONTEXTS = [mx.cpu(0), mx.cpu(1), mx.cpu(2)]


def term(loss="triplet", weight=1.0, seed=0):
    return TripletTerm(build_triplet_loss(TripletConfig(loss=loss, alpha=1.0)), 3, seed, weight)


def triplet(contexts, loss="triplet", **options):
    made = TripletMethod(Flat(), source(), term(loss, **options))
    start(made, contexts)
    return made


def head():
    return build_head(HeadConfig(name="adaface", s=8.0), EMBEDDING, CLASSES)


def fused(contexts, loss="triplet", **options):
    made = Fused(term(loss, **options), backbone=Flat(), head=head(), sources=[source()])
    start(made, contexts)
    return made


@pytest.mark.parametrize("make", [triplet, fused])
@pytest.mark.parametrize("loss", sorted(TRIPLET_LOSSES))
def test_several_devices_equal_one(make, loss):
    one, many = make(CONTEXTS[:1], loss), make(CONTEXTS, loss)
    for number in range(2):
        rows = batch(one.sources()[0], number, (4,))
        numbers, gradients = step(one, rows, CONTEXTS[:1])
        numbers_of_many, gradients_of_many = step(many, rows, CONTEXTS)
        assert numbers["triplets"] > 3
        assert numbers["triplets"] == int(numbers["triplets"])
        assert numbers_of_many == pytest.approx(numbers, rel=1e-5)
        for key, gradient in gradients.items():
            scale = np.abs(gradient).max()
            np.testing.assert_allclose(gradients_of_many[key], gradient, rtol=0, atol=1e-4 * scale)


def test_fused_is_the_class_loss_plus_the_weighted_pair_loss():
    rows = batch(source(), 0)
    both, gradients = step(fused(CONTEXTS[:1], weight=0.5), rows, CONTEXTS[:1])
    alone, triplet_gradients = step(triplet(CONTEXTS[:1]), rows, CONTEXTS[:1])
    classify = Classify(Flat(), head(), [source()])
    start(classify, CONTEXTS[:1])
    classes, class_gradients = step(classify, rows, CONTEXTS[:1])
    assert both["triplet"] == pytest.approx(0.5 * alone["loss"])
    assert (both["loss"], both["accuracy"]) == pytest.approx((classes["loss"], classes["accuracy"]))
    expected = class_gradients["backbone.dense.weight"] + 0.5 * triplet_gradients["backbone.dense.weight"]
    np.testing.assert_allclose(gradients["backbone.dense.weight"], expected, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(gradients["head.weight"], class_gradients["head.weight"], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("make", [triplet, fused])
def test_the_number_of_steps_is_kept(make):
    first = make(CONTEXTS[:1])
    for number in range(3):
        step(first, batch(first.sources()[0], number), CONTEXTS[:1])
    state = first.state()
    assert state["triplet.step"] == 3
    second = make(CONTEXTS[:1])
    second.load_state(state)
    rows = batch(first.sources()[0], 3)
    numbers, fresh = step(second, rows, CONTEXTS[:1])[0], step(make(CONTEXTS[:1]), rows, CONTEXTS[:1])[0]
    assert numbers == step(first, rows, CONTEXTS[:1])[0]
    assert numbers != fresh  # other negatives: the choice depends on the step
    with pytest.raises(CheckpointError, match=r"triplet\.step"):
        second.load_state({key: value for key, value in state.items() if key != "triplet.step"})


def test_the_seed_changes_the_choice():
    rows = batch(source(), 0)
    losses = {step(triplet(CONTEXTS[:1], seed=seed), rows, CONTEXTS[:1])[0]["loss"] for seed in range(4)}
    assert len(losses) > 1


def test_a_pair_net_has_no_head():
    made = triplet(CONTEXTS[:1])
    assert list(made.blocks()) == ["backbone"]
    assert list(made.stages) == ["all"]
    assert [group.name for group in made.parameter_groups("all")] == ["backbone"]


@pytest.mark.parametrize("method", ["triplet", "fused"])
@pytest.mark.parametrize(("kind", "images", "rows"), [("random", 4, 8), ("pk", 1, 8), ("pk", 8, 8), ("pk", 4, 10)])
def test_batches_that_hold_no_triplets_are_refused(method, kind, images, rows):
    config = TrainConfig(method=method, batch_size=rows, sampler=SamplerConfig(kind=kind, images_per_class=images))
    with pytest.raises(ConfigError, match=r"sampler\.kind=pk") as caught:
        build_method(config, on_gpu=False)
    assert method in str(caught.value)


def test_wrong_pair_values_are_refused_before_the_data_are_read():
    config = TrainConfig(method="triplet", batch_size=8, sampler=SamplerConfig(kind="pk", images_per_class=4))
    with pytest.raises(ConfigError, match=r"triplet\.alpha"):
        build_method(dataclasses.replace(config, triplet=TripletConfig(alpha=9.0)), on_gpu=False)
    assert set(METHODS) >= {"classify", "triplet", "fused"}
