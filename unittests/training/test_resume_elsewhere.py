"""A run that stopped on one number of devices or workers goes on with another, and ends where it would have."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from fairface.checkpoints import read_manifest
from fairface.config.schema import TrainConfig
from fairface.errors import TrainingError
from fairface.methods.base import StepReport
from fairface.methods.classify import Classify
from fairface.parallel import Shard, World
from fairface.training.run import train
from fairface.workers.world import Workers
from unittests.training.helpers import make_people
from unittests.training.test_sharded_runs import SHARDED, arrays_of, config_of, killed
from unittests.workers.together import together

FROZEN = ("stage=head", "start_from=base", "steps=4", "batch_size=9", "optimizer.lr=0.2")  # BatchNorm sees no batch


def on(count: int) -> str:
    return "devices=" + ",".join(f"cpu{number}" for number in range(count))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where runs lie: ``base`` to start from, and ``one``, which nothing stopped."""
    home = tmp_path_factory.mktemp("runs")
    make_people(home / "people")
    for words in (("name=base", "steps=1"), ("name=one", *FROZEN)):
        assert train(config_of(home, home / "people", *words), quiet=True) == 0
    return home


@pytest.mark.parametrize("head", [(), SHARDED], ids=["whole", "sharded"])
@pytest.mark.parametrize(("before", "after"), [(1, 2), (2, 3), (3, 1)])
def test_on_another_number_of_devices(folder: Path, head: tuple[str, ...], before: int, after: int) -> None:
    words = (f"name={'split' if head else 'whole'}{before}to{after}", *FROZEN, *head)
    people = folder / "people"
    killed(config_of(folder, people, *words, on(before)), calls=3)
    assert train(config_of(folder, people, *words, on(after)), resume=True, quiet=True) == 0
    compare(folder / "models" / words[0].removeprefix("name="), folder / "models" / "one")


@pytest.mark.parametrize(("before", "after"), [(1, 2), (2, 1), (2, 3)])
def test_with_another_number_of_workers(folder: Path, before: int, after: int) -> None:
    config = config_of(folder, folder / "people", f"name=workers{before}to{after}", *FROZEN)
    with ending_in(call=4):
        with_workers(config, before)
    assert with_workers(config, after, resume=True) == [0] * after
    compare(folder / "models" / config.name, folder / "models" / "one")


def test_split_classes_on_workers_then_in_one_process_then_on_workers(folder: Path) -> None:
    """A step on two workers, one on one device, one on three devices, one on three workers."""
    words = ("name=wandering", *FROZEN, *SHARDED, "save_every=1", "optimizer.clip_norm=0.05")
    one = config_of(folder, folder / "people", *words)
    three = config_of(folder, folder / "people", *words, on(3))
    with ending_in(call=2):
        with_workers(one, 2)
    with ending_in(call=2):
        train(one, resume=True, quiet=True)
    with ending_in(call=2):
        train(three, resume=True, quiet=True)
    assert with_workers(one, 3, resume=True) == [0] * 3
    run = folder / "models" / "wandering"
    assert read_manifest(run)["checkpoints"][-1]["step"] == 4
    alone = config_of(folder, folder / "people", *words, "name=resting")
    assert train(alone, quiet=True) == 0
    compare(run, folder / "models" / "resting")
    assert (np.abs(arrays_of(run)["head.weight"] - arrays_of(folder / "models" / "one")["head.weight"]) > 1e-4).any()


@contextmanager
def ending_in(call: int) -> Iterator[None]:
    """Every worker's run ends in this call of its losses."""
    real, calls = Classify.losses, Counter[int]()

    def losses(self: Classify, shards: Sequence[Shard], world: World) -> StepReport:
        calls[world.rank] += 1
        if calls[world.rank] == call:
            raise TrainingError("killed")
        return real(self, shards, world)

    with pytest.MonkeyPatch.context() as patch, pytest.raises(TrainingError, match="killed"):
        patch.setattr(Classify, "losses", losses)
        yield


def with_workers(config: TrainConfig, size: int, resume: bool = False) -> list[int]:
    """The exit codes of workers that are threads."""

    def work(world: Workers) -> int:
        return train(config, resume=resume, quiet=True, join=None if size == 1 else lambda _: world)

    return together(size, work)


def compare(run: Path, whole: Path) -> None:
    """Everything of the newest checkpoints, up to rounding."""
    found, expected = arrays_of(run), arrays_of(whole)
    for name, value in expected.items():
        if name in found:
            size = max(1.0, float(np.abs(value).max()))  # sums of large and small terms are rounded as the large ones
            np.testing.assert_allclose(found[name], value, rtol=1e-4, atol=1e-6 * size, err_msg=name)
    moved = [name for name in found if name.endswith("weight") and "head" in name]
    assert moved
