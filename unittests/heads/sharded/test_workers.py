"""Classes split over two and three workers: loss, gradients, samples and arrays are those of one process."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from fairface.config.schema import HeadConfig
from fairface.heads import HEADS, build_head, build_sharded_head
from fairface.heads.sharded import MomentumRule, Sampling, ShardedClassifier, ShardUpdater, cut_classes
from fairface.heads.statistics import RunningStatistics
from fairface.mx import autograd, mx, nd
from fairface.parallel import World
from fairface.workers.world import Workers
from unittests.heads.helpers import close, run, start_of
from unittests.heads.sharded.helpers import Passed, contexts, sharded
from unittests.heads.sharded.helpers import passed as passed_alone
from unittests.heads.test_heads import STATISTICS
from unittests.workers.together import together

CLASSES, WIDTH = 7, 6  # 4 + 3 on two devices, 3 + 2 + 2 on three
RULE = MomentumRule(momentum=0.8, weight_decay=0.01)


def problem(rows: int = 8) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows, centres and labels in float32; the last row has no label."""
    rng = np.random.default_rng(4)
    weight, label = rng.normal(size=(CLASSES, WIDTH)), np.append(rng.integers(0, CLASSES, rows - 1), -1)
    return (weight[label] + rng.normal(size=(rows, WIDTH))).astype(np.float32), weight.astype(np.float32), label


def head_of(config: HeadConfig, weight: np.ndarray, world: Workers, seed: int = 0) -> ShardedClassifier:
    """A head on this worker, whose worker 0 alone was given the centres, as by a checkpoint."""
    head = build_sharded_head(config, WIDTH, CLASSES, seed)
    head.join(world)
    head.initialize(ctx=list(world.contexts))
    if world.leads:
        head.set_arrays({"weight": nd.array(weight)}, "test")
    head.spread()
    return head


def pass_through(
    head: ShardedClassifier, world: Workers, x: np.ndarray, label: np.ndarray, given: Sequence[float] | None
) -> Passed:
    """One step on one worker: its rows' losses and gradients, its classes' gradients. ``given``: the statistics; None =
    those after this batch."""
    here = len(world.contexts)
    mine = slice(world.rank * here, (world.rank + 1) * here)
    parts = [nd.array(p, ctx=c) for p, c in zip(np.array_split(x, world.devices)[mine], world.contexts, strict=True)]
    labels = [nd.array(p, ctx=c, dtype="int32")
              for p, c in zip(np.array_split(label, world.devices)[mine], world.contexts, strict=True)]  # fmt: skip
    for part in parts:
        part.attach_grad()
    world.begin_step()
    with autograd.record():
        batch = head.gathered(parts, labels, world)
        if given is None:
            statistics = RunningStatistics(head.statistic)
            values = statistics.move(head.measured(batch), batch.labeled[0].reshape((-1,)), world.contexts)
        else:
            values = [tuple(nd.array([value], ctx=c) for value in given) for c in world.contexts]
        found = head.losses(batch, values)
        means = [rows.sum() / len(x) for rows in found.losses]
    joined = world.joined()
    autograd.backward([*means, *joined], [*map(nd.ones_like, means), *map(nd.zeros_like, joined)])
    return Passed(
        *(np.concatenate([rows.asnumpy() for rows in each]) for each in (found.losses, found.correct)),
        dx=np.concatenate([part.grad.asnumpy() for part in parts]),
        dweight=np.concatenate([shard.active.grad.asnumpy() for shard in head.shards]),
    )


def on_workers(
    config: HeadConfig, size: int, devices: int, given: Sequence[float] | None = (), seed: int = 0
) -> Passed:
    x, weight, label = problem()

    def work(world: Workers) -> Passed:
        head = head_of(config, weight, world, seed)
        ShardUpdater(head, RULE)
        return pass_through(head, world, x, label, given)

    found = together(size, work, devices)
    return Passed(*(np.concatenate([getattr(each, name) for each in found])
                    for name in ("losses", "correct", "dx", "dweight")))  # fmt: skip


@pytest.mark.parametrize(("size", "devices"), [(2, 1), (3, 1), (2, 2)])
@pytest.mark.parametrize("name", sorted(HEADS))
def test_losses_and_gradients(name: str, size: int, devices: int) -> None:
    """Against the whole matrix in float64."""
    x, weight, label = problem()
    smoothing, filtered = {1: (0.0, 0.0), 2: (0.1, 0.0 if name == "softmax" else 0.2)}[devices]
    config = HeadConfig(name=name, s=8.0, label_smoothing=smoothing, interclass_filter=filtered)
    given = STATISTICS.get(name, ())
    _, rows, dx, dweight = run(
        build_head(config, WIDTH, CLASSES), x, weight, label, "float64", statistics=given, smoothing=smoothing
    )
    ours = on_workers(config, size, devices, given)
    close(ours.losses, rows, 3e-6)
    close(ours.dx, dx, 5e-6)
    close(ours.dweight, dweight, 5e-6)
    assert ours.losses[-1] == 0
    assert not ours.dx[-1].any()


@pytest.mark.parametrize("rate", [1.0, 0.5])
@pytest.mark.parametrize(("size", "devices"), [(2, 1), (3, 1), (2, 2)])
def test_samples_and_accuracy_are_those_of_one_process_with_all_devices(size: int, devices: int, rate: float) -> None:
    x, weight, label = problem()
    config = HeadConfig(name="arcface", s=8.0, sharded=True, sample_rate=rate, label_smoothing=0.1)
    alone = passed_alone(*sharded(config, weight, size * devices, "float32", seed=3), x, label)
    ours = on_workers(config, size, devices, seed=3)
    if rate < 1:
        cut = cut_classes(CLASSES, size * devices)
        assert len(ours.dweight) == sum(len(Sampling(rate, 3).draw(part, label, 0)) for part in cut) < CLASSES
    np.testing.assert_array_equal(ours.correct, alone.correct)
    assert 0 < ours.correct.sum() < len(x) - 1
    for name in ("losses", "dx", "dweight"):
        close(getattr(ours, name), getattr(alone, name), 1e-6)


@pytest.mark.parametrize("name", sorted(STATISTICS))
def test_statistics_are_those_of_the_whole_batch(name: str) -> None:
    x, weight, label = problem()
    config = HeadConfig(name=name, s=8.0)
    whole = build_head(config, WIDTH, CLASSES)
    whole.initialize()
    whole.weight.set_data(nd.array(weight))
    statistics = RunningStatistics(whole.statistic, whole.measured)
    values = statistics.update([nd.array(x)], [nd.array(label, dtype="int32")], World((mx.cpu(),)))[0]
    given = [float(value.asscalar()) for value in values]
    assert not np.allclose(given, start_of(whole))
    expected, ours = on_workers(config, 2, 1, given), on_workers(config, 2, 1, None)
    close(ours.losses, expected.losses, 1e-6)
    close(ours.dx, expected.dx, 1e-6)


@pytest.mark.parametrize("rate", [1.0, 0.5])
def test_updates_are_saved_by_worker_0_and_go_on_on_other_devices(rate: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two steps on two workers, then one in one process with as many devices: as three steps there."""
    monkeypatch.setattr("fairface.heads.sharded.matrix.VALUES_AT_ONCE", 2 * WIDTH)  # four blocks, the last of one row
    x, weight, label = problem()
    config = HeadConfig(name="cosface", s=8.0, sharded=True, sample_rate=rate)

    def work(world: Workers) -> tuple[dict, dict]:
        head = head_of(config, weight, world)
        updater = ShardUpdater(head, RULE)
        updater.spread()  # nothing was loaded
        for step in range(2):
            head.step = step
            pass_through(head, world, x, label, ())
            updater.update(0.1, 1.0)
        return head.arrays(), updater.state()

    (arrays, state), nothing = together(2, work)
    assert nothing == ({}, {})
    alone, updater = sharded(config, weight, 2, "float32")
    updater.rule = RULE
    for step in range(2):
        alone.step = step
        passed_alone(alone, updater, x, label)
        updater.update(0.1, 1.0)
    saved = [array.asnumpy() for array in (arrays["weight"], state["momentum"])]
    for found, expected in zip(saved, (alone.arrays()["weight"], updater.state()["momentum"]), strict=True):
        close(found, expected.asnumpy(), 1e-6)
    assert (np.abs(saved[0] - weight).max(axis=1) > 0).sum() > (CLASSES // 2 if rate < 1 else CLASSES - 1)
    taken = resumed(config, {"weight": arrays["weight"]}, state, 3)
    for found, expected in zip(taken, saved, strict=True):
        np.testing.assert_array_equal(found, expected)


def resumed(config: HeadConfig, arrays: dict, state: dict, size: int) -> list[np.ndarray]:
    """Centres and momentum as ``size`` workers hold them, of which worker 0 loaded a checkpoint."""

    def work(world: Workers) -> list[list[np.ndarray]]:
        head = build_sharded_head(config, WIDTH, CLASSES)
        head.join(world)
        head.initialize(ctx=list(world.contexts))
        updater = ShardUpdater(head, RULE)
        if world.leads:
            head.set_arrays(arrays, "file")
            updater.load_state(state, "file")
        head.spread()
        updater.spread()
        assert [len(shard.classes) for shard in head.shards] == [len(cut_classes(CLASSES, size)[world.rank])]
        return [[shard.weight.asnumpy() for shard in head.shards], [shard.momentum.asnumpy() for shard in head.shards]]

    found = together(size, work)
    return [np.concatenate([part for each in found for part in each[kind]]) for kind in (0, 1)]


def test_one_workers_random_centres_are_everybodys() -> None:
    def work(world: Workers) -> tuple[np.ndarray, np.ndarray]:
        head = build_sharded_head(HeadConfig(), 50, 11)
        head.join(world)
        head.initialize(ctx=list(world.contexts))
        drawn = head.arrays()
        head.spread()
        return (drawn["weight"].asnumpy() if world.leads else drawn), [s.weight.asnumpy() for s in head.shards]

    (drawn, first), (nothing, second) = together(2, work, devices=2)
    np.testing.assert_array_equal(np.concatenate([*first, *second]), drawn)
    assert nothing == {}
    assert len({row.tobytes() for row in drawn}) == 11
    assert drawn.std() == pytest.approx(0.01, rel=0.1)


def test_a_head_of_one_process_asks_nobody() -> None:
    _, weight, _ = problem()
    head, updater = sharded(HeadConfig(), weight, 3, "float32")
    head.spread()
    updater.spread()
    np.testing.assert_array_equal(head.arrays()["weight"].asnumpy(), weight)
    assert [shard.context for shard in head.shards] == contexts(3)
