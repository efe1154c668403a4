"""LPD: losses and gradients against a float64 loop, several devices equal to one, statistics, the crops."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from fairface.backbones import build_lpd
from fairface.config.schema import BackboneConfig, HeadConfig, LPDConfig
from fairface.data.types import Batch
from fairface.errors import CheckpointError
from fairface.heads import build_head
from fairface.methods.lpd import LPD
from fairface.mx import gluon, mx, nd, nn
from fairface.parameters import structural
from unittests.methods.helpers import CLASSES, EMBEDDING, SIZE, batch, source, start, step

CONTEXTS = [mx.cpu(0), mx.cpu(1), mx.cpu(2)]
WEIGHTS = LPDConfig(global_weight=0.7, partial_weight=1.3, height_weight=2.1)
S, MARGIN = 8.0, 0.2


class TwoStreams(gluon.HybridBlock):
    """Two layers in place of the two streams, without BatchNorm, and one in place of the localiser."""

    def __init__(self) -> None:
        super().__init__()
        values = 3 * SIZE * SIZE
        self.whole, self.partial = (nn.Dense(EMBEDDING, in_units=values) for _ in range(2))
        self.where = nn.Dense(4, in_units=values)

    def streams(self, F: Any, x: Any) -> tuple[Any, Any, Any]:
        flat = F.flatten(x) * (1 / 255.0) - 0.5
        where = F.tanh(self.where(flat))
        # The part depends on where it lies, as behind a crop.
        sy = F.slice_axis(where, axis=1, begin=1, end=2)
        return self.whole(flat), F.broadcast_mul(self.partial(flat), sy), where

    def hybrid_forward(self, F: Any, x: Any) -> Any:
        whole, partial, _ = self.streams(F, x)
        return F.concat(whole, partial, dim=1)


def method(contexts: list[mx.Context], options: LPDConfig = WEIGHTS, name: str = "cosface") -> LPD:
    head = HeadConfig(name=name, s=S, m3=MARGIN) if name == "cosface" else HeadConfig(name=name, s=S)
    heads = [build_head(head, EMBEDDING, CLASSES) for _ in range(2)]
    made = LPD(options, heads[1], TwoStreams(), head=heads[0], sources=[source()])  # type: ignore[arg-type]
    start(made, contexts)
    return made


def rows(made: LPD, number: int) -> Batch:
    found = batch(made.sources()[0], number)
    heights = np.random.default_rng(number).uniform(0.3, 0.8, len(found)).astype(np.float32)
    return dataclasses.replace(found, extra={"nose_height": heights})


def looped(values: dict[str, np.ndarray], data: Batch, options: LPDConfig) -> dict[str, float]:
    """Every loss, image by image."""
    losses = {"loss": 0.0, "partial": 0.0, "height": 0.0}
    for image, label, height in zip(data.images, data.labels, data.extra["nose_height"], strict=True):
        flat = image.transpose(2, 0, 1).reshape(-1) / 255 - 0.5

        def layer(name: str, flat: np.ndarray = flat) -> np.ndarray:
            return values[f"backbone.{name}.weight"] @ flat + values[f"backbone.{name}.bias"]

        sy = np.tanh(layer("where"))[1]
        losses["height"] += options.height_weight * abs(sy - height) / len(data)
        streams = {"loss": ("head", layer("whole")), "partial": ("partial_head", layer("partial") * sy)}
        for name, (head, embedding) in streams.items():
            classes = values[f"{head}.weight"]
            cosines = classes @ embedding / np.linalg.norm(classes, axis=1) / np.linalg.norm(embedding)
            logits = S * (cosines - MARGIN * (np.arange(CLASSES) == label))
            weight = options.global_weight if name == "loss" else options.partial_weight
            losses[name] += weight * (np.log(np.exp(logits).sum()) - logits[label]) / len(data)
    return losses


@pytest.mark.parametrize("weights", [(0.7, 1.3, 2.1), (1, 0, 0), (0, 1, 0), (0, 0, 1)])
def test_losses_and_gradients_equal_a_loop_with_finite_differences(weights: tuple[float, float, float]) -> None:
    options = LPDConfig(global_weight=weights[0], partial_weight=weights[1], height_weight=weights[2])
    made = method(CONTEXTS[:1], options)
    data = rows(made, 0)
    values = {
        f"{name}.{key}": p.data().asnumpy().astype(np.float64)
        for name, block in made.blocks().items() for key, p in structural(block).items()
    }  # fmt: skip
    numbers, gradients = step(made, data, CONTEXTS[:1])
    wanted = looped(values, data, options)
    assert {name: numbers[name] for name in wanted} == pytest.approx(wanted, rel=1e-5)
    rng = np.random.default_rng(1)
    for key, value in values.items():
        direction = rng.normal(size=value.shape)
        ends = [
            sum(looped({**values, key: value + sign * 1e-6 * direction}, data, options).values()) for sign in (1, -1)
        ]
        slope = (ends[0] - ends[1]) / 2e-6
        assert float((gradients[key] * direction).sum()) == pytest.approx(slope, rel=1e-4, abs=1e-5), key


@pytest.mark.parametrize("name", ["softmax", "cosface", "adaface", "curricularface"])
def test_several_devices_equal_one(name: str) -> None:
    one, *more = (method(CONTEXTS[:count], name=name) for count in (1, 2, 3))
    for number in range(2):
        numbers, gradients = step(one, rows(one, number), CONTEXTS[:1])
        for count, many in enumerate(more, 2):
            of_many, gradients_of_many = step(many, rows(one, number), CONTEXTS[:count])
            assert of_many == pytest.approx(numbers, rel=1e-5)
            for key, gradient in gradients.items():
                np.testing.assert_allclose(gradients_of_many[key], gradient, rtol=1e-4, atol=2e-6)
            for key, value in one.state().items():
                np.testing.assert_allclose(many.state()[key], value, rtol=1e-5)


def test_each_head_has_statistics_of_its_own() -> None:
    first, second = method(CONTEXTS[:1], name="adaface"), method(CONTEXTS[:1], name="adaface")
    step(first, rows(first, 0), CONTEXTS[:1])
    state = first.state()
    assert set(state) == {f"{head}.batch_{what}" for head in ("head", "partial_head") for what in ("mean", "std")}
    assert state["head.batch_mean"] != state["partial_head.batch_mean"]
    second.load_state(state)
    results = [step(made, rows(first, 1), CONTEXTS[:1])[0] for made in (first, second)]
    assert results[0] == results[1]
    with pytest.raises(CheckpointError, match="belongs to another head"):
        second.load_state({name: value for name, value in state.items() if name.startswith("head.")})


def test_what_is_logged_of_the_crop() -> None:
    made = method(CONTEXTS[:1])
    data = rows(made, 0)
    numbers, _ = step(made, data, CONTEXTS[:1])
    flat = data.images.transpose(0, 3, 1, 2).reshape(len(data), -1) / 255 - 0.5
    where = np.tanh(flat @ made.net.where.weight.data().asnumpy().T + made.net.where.bias.data().asnumpy())
    assert numbers["sy"] == pytest.approx(where[:, 1].mean(), rel=1e-4)
    assert numbers["ty"] == pytest.approx(where[:, 2].mean(), rel=1e-4)


def test_only_the_heads_train_in_their_stage() -> None:
    made = method(CONTEXTS[:1])
    assert [group.name for group in made.parameter_groups("all")] == ["backbone", "head", "partial_head"]
    assert not made.backbone_is_frozen
    groups = made.parameter_groups("head")
    assert [list(group.parameters) for group in groups] == [["head.weight"], ["partial_head.weight"]]
    assert made.backbone_is_frozen


@pytest.mark.parametrize("decay_norm", [True, False])
def test_the_localiser_has_a_learning_rate_of_its_own(decay_norm: bool) -> None:
    net = build_lpd(BackboneConfig(name="lpd_tiny", embedding=32, width=0.25), 32, LPDConfig())
    heads = [build_head(HeadConfig(name="softmax"), 16, CLASSES) for _ in range(2)]
    options = LPDConfig(localiser_lr_mult=0.25)
    made = LPD(options, heads[1], net, head=heads[0], sources=[source()], decay_norm=decay_norm, head_lr_mult=3)
    rates, decays = {}, {}
    for group in made.parameter_groups("all"):
        assert not rates.keys() & group.parameters.keys()
        rates.update(dict.fromkeys(group.parameters, group.lr_mult))
        decays.update(dict.fromkeys(group.parameters, group.wd_mult))
    blocks = {f"{name}.{key}" for name, block in made.blocks().items() for key in structural(block)}
    assert rates.keys() == blocks
    for name, rate in rates.items():
        assert rate == (0.25 if name.startswith("backbone.localiser.") else 3 if "head" in name else 1)
    assert decays["backbone.localiser.bn2.beta"] == decays["backbone.trunk.bn1.beta"] == (1 if decay_norm else 0)
    assert decays["backbone.localiser.fc1.weight"] == 1


def test_crops_are_what_the_net_cuts_out() -> None:
    net = build_lpd(BackboneConfig(name="lpd_tiny", embedding=256, width=0.25), 32, LPDConfig())
    net.initialize()
    heads = [build_head(HeadConfig(name="softmax"), 128, CLASSES) for _ in range(2)]
    made = LPD(LPDConfig(), heads[1], net, head=heads[0], sources=[source()])
    net.localiser.bn2.gamma.set_data(nd.zeros(4))
    net.localiser.bn2.beta.set_data(nd.array(np.arctanh([1 - 1e-7, 0.5, -0.5, 0])))  # the upper half, row by row
    images = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3)).astype(np.float32)
    found = made.crops(nd.array(images.transpose(0, 3, 1, 2)))
    assert found.shape == (2, 32, 32, 3)
    assert found.dtype == np.uint8
    np.testing.assert_allclose(found[:, 0].astype(float), images[:, 0], atol=1)  # the first row stays
    halfway = (images[:, 15] + images[:, 16]) / 2  # the last row is the image's middle
    np.testing.assert_allclose(found[:, 31].astype(float), halfway, atol=1)
    assert set(made.pictures) == {"crops"}
    part = net.normalise.undo(net.part(nd, nd.array(images.transpose(0, 3, 1, 2))).asnumpy())
    assert np.abs(part.transpose(0, 2, 3, 1) - found).max() <= 0.5 + 1e-3
