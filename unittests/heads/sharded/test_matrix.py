"""A matrix in rows of several devices: read and written whole, in as many arrays as its size needs."""

from __future__ import annotations

import numpy as np
import pytest

from fairface.config.schema import HeadConfig
from fairface.errors import CheckpointError
from fairface.heads import build_sharded_head
from fairface.heads.sharded import MomentumRule, ShardUpdater, cut_classes, matrix
from fairface.heads.sharded.matrix import SplitMatrix
from fairface.mx import mx, nd
from fairface.parallel import World
from fairface.workers.world import Workers
from unittests.workers.together import together

ROWS, WIDTH = 11, 4
VALUES = np.arange(ROWS * WIDTH, dtype=np.float32).reshape(ROWS, WIDTH)


def matrix_on(world: World) -> tuple[SplitMatrix, list[nd.NDArray]]:
    here = len(world.contexts)
    own = cut_classes(ROWS, world.devices)[world.rank * here : (world.rank + 1) * here]
    parts = [nd.zeros((len(rows), WIDTH), ctx=context) for rows, context in zip(own, world.contexts, strict=True)]
    return SplitMatrix("m", (ROWS, WIDTH), list(zip(own, parts, strict=True)), world), parts


@pytest.fixture(params=[ROWS, 4, 1], ids=["one array", "of four rows", "of one row"])
def most(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """Rows of the largest array; blocks that travel have three."""
    monkeypatch.setattr(matrix, "LARGEST_ARRAY", request.param * WIDTH + 1)
    monkeypatch.setattr(matrix, "VALUES_AT_ONCE", 3 * WIDTH)
    return int(request.param)


def expected(most: int) -> dict[str, list[list[float]]]:
    if most == ROWS:
        return {"m": VALUES.tolist()}
    return {f"m.{n}": VALUES[start : start + most].tolist() for n, start in enumerate(range(0, ROWS, most))}


def read(whole: SplitMatrix) -> dict[str, list[list[float]]]:
    return {name: array.asnumpy().tolist() for name, array in whole.read().items()}


@pytest.mark.parametrize("devices", [1, 3])
def test_in_one_process(devices: int, most: int) -> None:
    whole, parts = matrix_on(World(tuple(mx.cpu(number) for number in range(devices))))
    whole.write(nd.array(VALUES[5:]), 5)
    whole.write(nd.array(VALUES[:5]))
    assert np.concatenate([part.asnumpy() for part in parts]).tolist() == VALUES.tolist()
    assert read(whole) == expected(most)
    assert whole.shapes == {name: (len(rows), WIDTH) for name, rows in expected(most).items()}


@pytest.mark.parametrize(("size", "devices"), [(2, 1), (3, 1), (2, 2)])
def test_on_workers(size: int, devices: int, most: int) -> None:
    """Worker 0 writes and reads while a run begins; then all hold their rows, and worker 0 alone gets the whole."""

    def work(world: Workers) -> tuple[object, ...]:
        whole, parts = matrix_on(world)
        values = VALUES if world.leads else -VALUES  # what others write does not count
        whole.write(nd.array(values[:7]))
        whole.write(nd.array(values[7:]), 7)
        before = read(whole)
        whole.spread()
        here = np.concatenate([part.asnumpy() for part in parts])
        for part in parts:
            part += 1
        return before, here, read(whole)

    found = together(size, work, devices)
    assert np.concatenate([here for _, here, _ in found]).tolist() == VALUES.tolist()
    moved = {name: (np.array(rows) + 1).tolist() for name, rows in expected(most).items()}
    assert [(before, after) for before, _, after in found] == [(expected(most), moved), *[({}, {})] * (size - 1)]


def test_nothing_written_leaves_zeros(most: int) -> None:
    def work(world: Workers) -> tuple[object, ...]:
        whole, parts = matrix_on(world)
        whole.spread()
        return read(whole), [part.asnumpy().any() for part in parts]

    (lead, first), (other, second) = together(2, work)
    assert lead == {name: np.zeros_like(rows).tolist() for name, rows in expected(most).items()}
    assert (other, first, second) == ({}, [False], [False])


def test_a_head_that_is_saved_in_several_arrays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matrix, "LARGEST_ARRAY", 4 * WIDTH)
    head = build_sharded_head(HeadConfig(), WIDTH, ROWS)
    head.initialize(ctx=[mx.cpu(0), mx.cpu(1)])
    updater = ShardUpdater(head, MomentumRule())
    parts = [nd.array(VALUES[start : start + 4]) for start in (0, 4, 8)]
    head.set_arrays({f"weight.{number}": part for number, part in enumerate(parts)}, "file")
    updater.load_state({f"momentum.{number}": part + 1 for number, part in enumerate(parts)}, "file")
    np.testing.assert_array_equal(np.concatenate([shard.weight.asnumpy() for shard in head.shards]), VALUES)
    np.testing.assert_array_equal(np.concatenate([shard.momentum.asnumpy() for shard in head.shards]), VALUES + 1)
    sizes = {f"weight.{number}": len(part) for number, part in enumerate(parts)}
    assert {name: len(array) for name, array in head.arrays().items()} == sizes
    whole = {"weight": nd.array(VALUES)}
    with pytest.raises(CheckpointError, match=r"holds weight for the head, which needs weight\.0, weight\.1"):
        head.set_arrays(whole, "file")
    with pytest.raises(CheckpointError, match="no fitting optimizer state"):
        updater.load_state({"momentum": whole["weight"]}, "file")
