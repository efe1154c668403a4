"""BatchNorm's running statistics of several devices: scored and saved as their mean, each device's own kept."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from fairface.checkpoints import read_manifest
from fairface.config.schema import TrainConfig
from fairface.mx import mx, nd, nn
from fairface.parallel import World
from fairface.parameters import structural, values
from fairface.training.running import RunningStatistics
from unittests.training.helpers import make_people
from unittests.training.test_resume_elsewhere import ending_in, with_workers
from unittests.training.test_sharded_runs import arrays_of, config_of
from unittests.workers.together import together

CHANNELS = 5


def own_of(number: int) -> np.ndarray:
    return np.random.default_rng(number).normal(size=CHANNELS).astype(np.float32)


def net_of(world: World) -> nn.HybridSequential:
    """A BatchNorm whose mean each device has of its own and whose variance all have alike, as frozen layers have."""
    here = len(world.contexts)
    net = nn.HybridSequential()
    net.add(nn.BatchNorm(in_channels=CHANNELS))
    net.initialize(ctx=list(world.contexts))
    for name, parameter in structural(net).items():
        for number, data in enumerate(parameter.list_data(), world.rank * here):
            data[:] = own_of(number) if name.endswith("mean") else own_of(99)
    return net


def seen(world: World) -> dict[str, list[np.ndarray]]:
    """Of a process: statistics while the mean holds, after it, and loaded from what was told of every device."""
    net, other = net_of(world), net_of(world)
    method = SimpleNamespace(blocks=lambda: {"net": net})
    running = RunningStatistics(method, world)
    copies = lambda block, name: [data.asnumpy() for data in structural(block)[f"0.{name}"].list_data()]  # noqa: E731
    with running.mean() as told:
        mean, variance = copies(net, "running_mean"), copies(net, "running_var")
        saved = values(net)["0.running_mean"].asnumpy()
    structural(other)["0.running_mean"].set_data(nd.zeros(CHANNELS))
    again = RunningStatistics(SimpleNamespace(blocks=lambda: {"net": other}), world)
    again.load(again.rows_of(told))
    assert again.rows_of({}) == again.rows_of({name: told[name] for name in list(told)[1:]}) == {}
    return {
        "mean": [*mean, saved], "variance": variance, "after": copies(net, "running_mean"),
        "loaded": copies(other, "running_mean"), "told": [told[name].asnumpy() for name in sorted(told)],
    }  # fmt: skip


@pytest.mark.parametrize(("size", "here"), [(1, 2), (1, 3), (2, 1), (3, 1), (3, 2)])
def test_the_mean_and_each_devices_own(size: int, here: int) -> None:
    one = World(tuple(mx.cpu(number) for number in range(here)))
    found = [seen(one)] if size == 1 else together(size, seen, here)
    owns = [own_of(number) for number in range(size * here)]
    mean = np.float32([sum(float(own[channel]) for own in owns) / len(owns) for channel in range(CHANNELS)])
    for rank, of_worker in enumerate(found):
        mine = owns[rank * here : (rank + 1) * here]
        assert all((array == mean).all() for array in of_worker["mean"])
        assert all((array == own_of(99)).all() for array in of_worker["variance"])  # to the bit, also of three
        np.testing.assert_array_equal(of_worker["after"], mine)
        np.testing.assert_array_equal(of_worker["loaded"], mine)
        np.testing.assert_array_equal(of_worker["told"][0::2], owns)


def test_one_device_has_nothing_to_bring_together() -> None:
    world = World((mx.cpu(0),))
    net = net_of(world)
    with RunningStatistics(SimpleNamespace(blocks=lambda: {"net": net}), world).mean() as told:
        assert told == {}
        assert (structural(net)["0.running_mean"].data().asnumpy() == own_of(0)).all()


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_people(tmp_path_factory.mktemp("data") / "people")


def bits(config: TrainConfig) -> dict[str, bytes]:
    return {name: array.tobytes() for name, array in arrays_of(Path(config.output) / config.name).items()}


@pytest.mark.parametrize(("workers", "devices"), [(2, "cpu0"), (1, "cpu0,cpu1,cpu2")])
def test_when_it_is_saved_and_resumed_changes_no_bit(tmp_path: Path, people: Path, workers: int, devices: str) -> None:
    """Three devices, too: a mean of three equal weights in float32 is not that weight."""
    words = ("steps=4", "batch_size=9", "backbone.dropout=0", "optimizer.lr=0.05", f"devices={devices}")
    whole = config_of(tmp_path, people, *words, "name=whole", "save_every=4")
    assert with_workers(whole, workers) == [0] * workers
    broken = config_of(tmp_path, people, *words, "name=broken", "save_every=2")
    with ending_in(call=4):
        with_workers(broken, workers)
    assert read_manifest(tmp_path / "models" / "broken")["checkpoints"][-1]["step"] == 2
    assert with_workers(broken, workers, resume=True) == [0] * workers
    found = bits(broken)
    assert found == bits(whole)
    own = [found[f"copies.backbone.{number}.bn0.running_mean"] for number in range(max(workers, devices.count("c")))]
    assert len(set(own)) == len(own)
