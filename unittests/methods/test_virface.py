"""VirFace: losses and gradients against a float64 loop, every option, several devices equal to one."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from fairface.config.schema import HeadConfig, VirFaceConfig
from fairface.data.array import ArrayDataset
from fairface.data.loading.samplers import RandomSampler
from fairface.data.loading.source import Source
from fairface.data.types import Batch
from fairface.data.unlabeled import without_labels
from fairface.heads import HEADS, build_head
from fairface.methods.generator import Generator
from fairface.methods.virface import WITH_GENERATOR, WITH_UNLABELED, VirFace
from fairface.mx import mx, nd
from fairface.parameters import structural
from unittests.methods import virface_reference as reference
from unittests.methods.helpers import CLASSES, EMBEDDING, SIZE, Flat, start, step

CONTEXTS = [mx.cpu(0), mx.cpu(1), mx.cpu(2)]
LABELED, UNLABELED, LATENT = 7, 5, 3
SMALL = VirFaceConfig(gen_num=2, l2_weight=3.0, kl_weight=0.5, instance_weight=0.7, hidden=6, latent=LATENT)
OPTIONS = {
    "paper": {},
    "mean": {"instance_mean": True},
    "instances stay": {"instances_train_backbone": False},
    "centres fixed": {"centres_train_backbone": False},
    "classes move": {"l2_moves_classes": True},
    "overlap": {"overlap": 0.72},
    "none kept": {"overlap": 0.01},
    "released": {"instance_mean": True, "instances_train_backbone": False, "l2_moves_classes": True},
}


def batch(seed: int = 0, unlabeled: int = UNLABELED) -> Batch:
    rng = np.random.default_rng(seed)
    rows = LABELED + unlabeled
    labels = np.concatenate([rng.integers(0, CLASSES, LABELED), np.full(unlabeled, -1)]).astype(np.int32)
    return Batch(
        images=rng.integers(0, 256, (rows, SIZE, SIZE, 3), dtype=np.uint8),
        labels=labels,
        source=np.repeat(np.array([0, 1], np.int16), [LABELED, unlabeled]),
        attributes=np.zeros((rows, 0), np.int8),
        indices=np.arange(rows),
    )


def method(stage: str, contexts: list[mx.Context], options: VirFaceConfig = SMALL, head: str = "cosface") -> VirFace:
    labels = np.arange(CLASSES).repeat(2)
    images = np.zeros((len(labels), SIZE, SIZE, 3), np.uint8)
    known = Source(ArrayDataset(images, labels), LABELED, RandomSampler(len(labels), LABELED, 0), name="known")
    unknown = Source(without_labels(known.dataset), UNLABELED, RandomSampler(len(labels), UNLABELED, 0), name="unknown")
    generator = Generator(EMBEDDING, options.hidden, LATENT) if stage in WITH_GENERATOR else None
    made = VirFace(
        stage, options, generator, backbone=Flat(), head=build_head(HeadConfig(name=head, s=4.0), EMBEDDING, CLASSES),
        sources=[known, unknown][: 1 + (stage in WITH_UNLABELED)],
    )  # fmt: skip
    start(made, contexts)
    made.parameter_groups(stage)
    return made


def seeded_step(made: VirFace, rows: Batch, contexts: list[mx.Context]):
    mx.random.seed(11)
    return step(made, rows, contexts)


def values_of(made: VirFace) -> dict[str, np.ndarray]:
    return {
        f"{name}.{key}": parameter.data(CONTEXTS[0]).asnumpy().astype(np.float64)
        for name, block in made.blocks().items()
        for key, parameter in structural(block).items()
    }


def reference_step(rows: Batch, virtual: int, options: VirFaceConfig) -> reference.Step:
    mx.random.seed(11)
    noise = nd.random.normal(shape=(LABELED + options.gen_num * virtual, LATENT)).asnumpy().astype(np.float64)
    images = rows.images.transpose(0, 3, 1, 2).reshape(len(rows), -1).astype(np.float64)
    return reference.Step(images, rows.labels[:LABELED], noise, s=4.0, m3=0.35)


@pytest.mark.parametrize("stage", WITH_UNLABELED)
@pytest.mark.parametrize("name", OPTIONS)
def test_losses_and_gradients_are_those_of_a_float64_loop(stage: str, name: str) -> None:
    options = dataclasses.replace(SMALL, **OPTIONS[name])
    made, rows = method(stage, CONTEXTS[:1], options), batch()
    numbers, gradients = seeded_step(made, rows, CONTEXTS[:1])
    values = values_of(made)
    bare = reference_step(rows, 0, options)
    virtual = len(reference.kept(bare, reference.embeddings(bare, values)[LABELED:], values["head.weight"], options))
    assert virtual == {"overlap": 3, "none kept": 0}.get(name, UNLABELED)
    of_step = reference_step(rows, virtual, options)
    expected = reference.losses(of_step, values, values, options)
    found = {key: numbers[key] for key in expected}
    assert found == pytest.approx(expected, rel=1e-5, abs=1e-6)
    if options.overlap:
        assert numbers["unlabeled_kept"] == pytest.approx(virtual / UNLABELED)
    rng = np.random.default_rng(5)
    for key, gradient in gradients.items():
        direction = rng.normal(0, 1, gradient.shape)
        ends = []
        for sign in (1, -1):
            moved = {**values, key: values[key] + sign * 1e-5 * direction}
            ends.append(sum(reference.losses(of_step, moved, values, options).values()))
        assert (gradient * direction).sum() == pytest.approx((ends[0] - ends[1]) / 2e-5, rel=2e-3, abs=2e-4), key


def test_the_generator_alone_has_only_its_own_losses() -> None:
    made, rows = method("generator", CONTEXTS[:1]), batch(unlabeled=0)
    numbers, gradients = seeded_step(made, rows, CONTEXTS[:1])
    values = values_of(made)
    of_step = reference_step(rows, 0, SMALL)
    plain = reference.embeddings(of_step, values)
    expected = reference.reconstruction(of_step, values, values, plain, SMALL)
    assert set(numbers) == {"l2", "kl", "accuracy"}
    assert {key: numbers[key] for key in expected} == pytest.approx(expected, rel=1e-5)
    hits = []
    for row, label, noise in zip(plain, of_step.labels, of_step.noise, strict=False):
        output = reference.generated(row, noise, values)[0]
        cosines = [reference.unit(output) @ reference.unit(column) for column in values["head.weight"]]
        hits.append(int(np.argmax(cosines)) == label)
    assert numbers["accuracy"] == pytest.approx(np.mean(hits))
    assert not any(gradients[key].any() for key in gradients if not key.startswith("generator."))
    assert all(gradients[key].any() for key in gradients if key.startswith("generator."))


@pytest.mark.parametrize("stage", VirFace.stages)
@pytest.mark.parametrize("devices", [2, 3])
def test_several_devices_equal_one(stage: str, devices: int) -> None:
    """Seven labeled and five unlabeled rows: no device has as many as another. The overlap leaves some with none."""
    for options in (SMALL, dataclasses.replace(SMALL, overlap=0.72), dataclasses.replace(SMALL, overlap=0.5)):
        one, many = method(stage, CONTEXTS[:1], options), method(stage, CONTEXTS[:devices], options)
        rows = batch(unlabeled=UNLABELED if stage in WITH_UNLABELED else 0)
        numbers, gradients = seeded_step(one, rows, CONTEXTS[:1])
        numbers_of_many, gradients_of_many = seeded_step(many, rows, CONTEXTS[:devices])
        assert numbers_of_many == pytest.approx(numbers, rel=1e-5)
        for key, gradient in gradients.items():
            np.testing.assert_allclose(gradients_of_many[key], gradient, rtol=1e-4, atol=2e-6, err_msg=key)


@pytest.mark.parametrize("head", sorted(HEADS))
def test_virtual_classes_beside_every_head(head: str) -> None:
    one, many = method("virface", CONTEXTS[:1], head=head), method("virface", CONTEXTS[:2], head=head)
    numbers, _ = seeded_step(one, batch(), CONTEXTS[:1])
    assert seeded_step(many, batch(), CONTEXTS[:2])[0] == pytest.approx(numbers, rel=2e-5)
    assert all(np.isfinite(value) for value in numbers.values())
    assert 0 <= numbers["accuracy"] <= 1


def test_dropout_acts_on_labeled_embeddings_and_only_beside_virtual_classes() -> None:
    options = dataclasses.replace(SMALL, dropout=0.5)
    with_unlabeled = [
        seeded_step(method("virclass", CONTEXTS[:1], o), batch(), CONTEXTS[:1])[0] for o in (SMALL, options)
    ]
    assert with_unlabeled[0]["loss"] != with_unlabeled[1]["loss"]
    alone = [
        seeded_step(method("pretrain", CONTEXTS[:1], o), batch(unlabeled=0), CONTEXTS[:1])[0] for o in (SMALL, options)
    ]
    assert alone[0] == alone[1]


def test_each_stage_has_the_blocks_that_it_saves_and_trains_what_it_says() -> None:
    for stage, blocks in {"pretrain": 2, "generator": 3, "virclass": 2, "virface": 3}.items():
        made = method(stage, CONTEXTS[:1])
        assert len(made.blocks()) == blocks
        groups = made.parameter_groups(stage)
        trained = {name.split(".")[0] for group in groups for name in group.parameters}
        assert trained == set(VirFace.stages[stage].trains)
        assert made.backbone_is_frozen == (stage == "generator")


@pytest.mark.parametrize("decay_norm", [True, False])
def test_decay_that_spares_biases_spares_those_of_the_generator(decay_norm: bool) -> None:
    made = method("virface", CONTEXTS[:1])
    made.decay_norm = decay_norm
    decays = {name: group.wd_mult for group in made.parameter_groups("virface") for name in group.parameters}
    layers = ("en1", "en_mean", "en_var", "de1", "de2")
    assert [decays[f"generator.{layer}.weight"] for layer in layers] == [1.0] * 5
    assert [decays[f"generator.{layer}.bias"] for layer in layers] == [1.0 if decay_norm else 0.0] * 5
