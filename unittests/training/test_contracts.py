"""What a method may bring, all at once: two sources (one unlabeled), a column from a transform, a block on one device
with an updater of its own, two stages of which the second needs a block of the first. Resumed to the same bits.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from fairface.backbones import build_backbone
from fairface.checkpoints import resolve
from fairface.config.check import check
from fairface.config.schema import TrainConfig
from fairface.data.loading.open_sources import open_sources
from fairface.data.loading.source import Source
from fairface.errors import CheckpointError, ConfigError, DataError, TrainingError
from fairface.heads import HEADS, build_head
from fairface.methods.base import Method, ParameterGroup, Stage, StepReport, Updater
from fairface.methods.build import METHODS
from fairface.methods.common import backbone_groups, embed
from fairface.mx import Context, NDArray, gluon, mx, nd
from fairface.parallel import Shard, World
from fairface.parameters import load_arrays, structural
from fairface.training.run import train
from unittests.training.helpers import make_people, tiny_config

CENTRES = 3


class Darken:
    """A transform that darkens each image by a drawn factor and writes the factor beside it."""

    writes: Mapping[str, tuple[int, ...]] = {"factor": ()}

    def draw(self, rng: np.random.Generator, n: int, size: int) -> Darken:
        drawn = Darken()
        drawn.factors = rng.uniform(0.5, 1.0, n).astype(np.float32)
        return drawn

    factors = np.zeros(0, np.float32)

    def apply(self, image: np.ndarray, row: int, out: np.ndarray, extra: Mapping[str, np.ndarray]) -> None:
        out[:] = (image * self.factors[row]).astype(np.uint8)
        extra["factor"][row] = self.factors[row]


class Centres(gluon.HybridBlock):
    """Points that unlabeled embeddings are drawn to, on the first device only."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.points = self.params.get("points", shape=(CENTRES, size), init=mx.init.Normal(0.5))

    def initialize(self, init: object = None, ctx: Sequence[Context] | None = None, **options: object) -> None:
        super().initialize(ctx=list(ctx or [mx.cpu()])[:1])

    def arrays(self) -> dict[str, NDArray]:
        return {"all": self.points.list_data()[0].as_in_context(mx.cpu())}

    def set_arrays(self, arrays: Mapping[str, NDArray], source: str) -> None:
        if set(arrays) != {"all"} or arrays["all"].shape != self.points.shape:
            raise CheckpointError(f"{source}: has no fitting centres")
        self.points.set_data(arrays["all"])


class Heavy(Updater):
    """Momentum by hand, on one device."""

    name = "centres"

    def __init__(self, block: Centres) -> None:
        self.parameters = [block.points]
        self.velocity = nd.zeros(block.points.shape, ctx=block.points.list_ctx()[0])

    def gradients(self) -> list[list[NDArray]]:
        return [self.parameters[0].list_grad()]

    def update(self, lr: float, loss_scale: float) -> None:
        self.velocity *= 0.5
        self.velocity += self.parameters[0].list_grad()[0] / loss_scale
        data = self.parameters[0].list_data()[0]
        data -= lr * self.velocity

    def state(self) -> dict[str, NDArray]:
        return {"velocity": self.velocity.as_in_context(mx.cpu())}

    def load_state(self, state: Mapping[str, NDArray], source: str) -> None:
        if "velocity" not in state:
            raise CheckpointError(f"{source}: has no velocity of the centres")
        self.velocity = state["velocity"].as_in_context(self.velocity.context)


class Carry(Method):
    """Stage ``first`` trains backbone and head; ``second`` keeps both and trains the centres, and needs the head."""

    stages: Mapping[str, Stage] = {
        "first": Stage(("backbone", "head")),
        "second": Stage(("backbone", "centres"), needs=("head",)),
    }

    def __init__(self, config: TrainConfig) -> None:
        sources = open_sources(config)
        self.data = [sources[0], dataclasses.replace(sources[1], transform=Darken())]
        self.backbone = build_backbone(config.backbone, config.data.image_size)
        self.head = build_head(config.head, config.backbone.embedding, sources[0].dataset.num_classes)
        self.centres = Centres(config.backbone.embedding)
        self.stage = "first"

    def sources(self) -> Sequence[Source]:
        return self.data

    def blocks(self) -> Mapping[str, gluon.HybridBlock]:
        return {"backbone": self.backbone, "head": self.head, "centres": self.centres}

    def inference(self) -> gluon.HybridBlock:
        return self.backbone

    def parameter_groups(self, stage: str) -> Sequence[ParameterGroup]:
        self.stage = stage
        groups = backbone_groups(self.backbone, True)
        head = ParameterGroup("head", {f"head.{name}": p for name, p in structural(self.head).items()})
        return [*groups, head] if stage == "first" else groups

    def updaters(self, stage: str) -> Sequence[Updater]:
        return [Heavy(self.centres)] if stage == "second" else []

    def losses(self, shards: Sequence[Shard], world: World) -> StepReport:
        losses, factors = [], []
        for shard, embedding in zip(shards, embed(self.backbone, shards, world), strict=True):
            labeled, unlabeled = shard.rows
            logits = self.head(embedding[labeled], shard.labels[labeled])
            loss = -nd.pick(nd.log_softmax(logits), shard.labels[labeled]).sum() / shard.source_rows[0]
            assert (shard.labels[unlabeled].asnumpy() == -1).all()
            factor = shard.extra["factor"][unlabeled]
            if self.stage == "second":
                points = self.centres.points.data().as_in_context(embedding.context)
                gaps = nd.broadcast_sub(embedding[unlabeled].expand_dims(1), points.expand_dims(0))
                loss = loss + (gaps.square().sum(axis=2).min(axis=1) * factor).sum() / shard.source_rows[1]
            losses.append(loss)
            factors.append(factor.sum() / shard.source_rows[1])
        return StepReport({"loss": losses}, {"factor": factors})


@pytest.fixture
def people(tmp_path: Path) -> Path:
    return make_people(tmp_path / "people")


@pytest.fixture(autouse=True)
def carried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(METHODS, "carry", lambda config, on_gpu: Carry(config))


def config_of(folder: Path, people: Path, *overrides: str, **values: object) -> TrainConfig:
    sources = [
        {"name": "known", "data": {"path": str(people)}, "batch_size": 5},
        {"name": "unknown", "data": {"path": str(people)}, "batch_size": 4, "unlabeled": True},
    ]
    words = ("method=carry", "stage=first", "optimizer.clip_norm=1.0", "log.every=1", "save_every=2", "verify.every=0")
    config = tiny_config(folder, people, *words, *overrides, **{"sources": sources, **values})
    return dataclasses.replace(config, batch_size=sum(source.batch_size for source in config.sources))


def everything(run: Path) -> dict[str, bytes]:
    files = resolve(f"{run}@last", with_state=True)
    arrays = {}
    for file in (files.params, files.blocks, files.state):
        arrays.update(load_arrays(str(file)))
    return {name: array.asnumpy().tobytes() for name, array in arrays.items()}


def stop_at(monkeypatch: pytest.MonkeyPatch, calls: int) -> None:
    """Let the run fail, as if its process were killed, at a call of ``losses``."""
    counted = iter(range(1000))
    real = Carry.losses

    def losses(self: Carry, shards: Sequence[Shard], world: World) -> StepReport:
        if next(counted) == calls:
            raise TrainingError("killed")
        return real(self, shards, world)

    monkeypatch.setattr(Carry, "losses", losses)


@pytest.mark.parametrize("devices", ["cpu0", "cpu0,cpu1"])
def test_two_stages_stopped_and_resumed_give_the_bits_of_unbroken_ones(
    tmp_path: Path, people: Path, devices: str
) -> None:
    for name in ("whole", "broken"):
        folder = tmp_path / name
        for stage, start in (("first", ""), ("second", "first")):
            words = (f"stage={stage}", f"name={stage}", f"start_from={start}", f"devices={devices}")
            config = config_of(folder, people, *words)
            if name == "broken":
                with pytest.MonkeyPatch.context() as patch:
                    stop_at(patch, 5)
                    with pytest.raises(TrainingError, match="killed"):
                        train(config, quiet=True)
                assert resolve(f"{folder}/models/{stage}@last").step == 4
                assert train(config, resume=True, quiet=True) == 0
            else:
                assert train(config, quiet=True) == 0
    whole, broken = (everything(tmp_path / name / "models" / "second") for name in ("whole", "broken"))
    assert whole == broken
    assert {"centres.all", "centres.velocity", "head.weight"} <= set(whole)
    first = everything(tmp_path / "whole" / "models" / "first")
    assert first["head.weight"] == whole["head.weight"]  # frozen in the second stage
    assert first["centres.all"] != whole["centres.all"]


def test_a_stage_without_what_it_needs_names_block_and_stage(tmp_path: Path, people: Path) -> None:
    config = config_of(tmp_path, people, "stage=second")
    with pytest.raises(CheckpointError, match=r"stage second needs the block head, .*stage=first") as said:
        train(config, quiet=True)
    assert "\n" not in str(said.value)
    assert not (tmp_path / "models" / "tiny").exists()


def test_a_needed_block_of_another_shape_is_not_made_by_chance(tmp_path: Path, people: Path) -> None:
    assert train(config_of(tmp_path, people, "name=first", "steps=1"), quiet=True) == 0
    more = make_people(tmp_path / "more", people=6)
    config = config_of(tmp_path, more, "stage=second", "name=second", "start_from=first")
    with pytest.raises(CheckpointError, match=r"weight is \(4, 8\), this network needs \(6, 8\)"):
        train(config, quiet=True)


def test_old_checkpoint_with_a_missing_array_is_one_line(tmp_path: Path, people: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Centres, "arrays", lambda self: {"old": nd.zeros((1,))})
        assert train(config_of(tmp_path, people, "name=old", "steps=2"), quiet=True) == 0
    with pytest.raises(CheckpointError, match="no fitting centres"):
        train(config_of(tmp_path, people, "name=old", "steps=2"), resume=True, quiet=True)


@pytest.mark.parametrize(
    ("overrides", "error", "said"),
    [
        (["sources.unknown.name=known"], ConfigError, "known"),
        (["sources.unknown.data.path="], ConfigError, r"sources\.unknown\.data\.path"),
        (["sources.unknown.data.path=/nowhere"], DataError, "/nowhere"),
        (["sources.unknown.batch_size=1", "devices=cpu0,cpu1"], ConfigError, r"source .* has 1 row .* 2 devices"),
        (["stage=third"], ConfigError, "stage is 'third'.*first, second"),
    ],
)
def test_wrong_sources_are_one_line_before_the_first_step(
    tmp_path: Path, people: Path, overrides: list[str], error: type[Exception], said: str
) -> None:
    config = config_of(tmp_path, people, *overrides)
    with pytest.raises(error, match=said) as caught:
        check(config)
        train(config, quiet=True)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "models" / "tiny").exists()


def test_a_column_that_nobody_declared(tmp_path: Path, people: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Darken, "writes", {})
    with pytest.raises(ConfigError, match="factor"):
        train(config_of(tmp_path, people), quiet=True)
    assert not (tmp_path / "models" / "tiny").exists()


@pytest.mark.parametrize("name", sorted(HEADS))
def test_every_head_learns_from_two_sources_on_two_devices(tmp_path: Path, people: Path, name: str) -> None:
    """One labeled and one unlabeled source; the frozen backbone makes two devices equal to one."""
    weights = []
    base = {"head": {"name": name, "s": 8}, "method": "classify", "stage": "head", "steps": 2}
    for devices in ("cpu0", "cpu0,cpu1"):
        words = ("method=classify", "stage=head", "steps=2", "save_every=2", f"devices={devices}", "verify.sets=")
        config = config_of(tmp_path, people, *words, f"name=d{devices.count('cpu')}", **base)
        assert train(config, quiet=True) == 0
        files = resolve(f"{tmp_path}/models/d{devices.count('cpu')}@last")
        weights.append(load_arrays(str(files.blocks))["head.weight"].asnumpy())
    np.testing.assert_allclose(weights[1], weights[0], rtol=1e-4, atol=1e-6)
