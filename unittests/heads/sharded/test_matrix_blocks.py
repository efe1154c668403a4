"""A matrix that travels between workers in blocks: every bit arrives, and no worker has room for more than a few."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import pytest

from fairface.heads.sharded import cut_classes, matrix
from fairface.heads.sharded.matrix import SplitMatrix
from fairface.mx import NDArray, mx, nd
from fairface.workers.world import Workers
from unittests.workers.together import ThreadExchange, together

ROWS, WIDTH, AT_ONCE = 40, 4, 3  # 14 blocks, the last of one row
ODD = [-0.0, 0.0, 1e-40, -1e-45, 3.4e38, -1.17549435e-38]


def any_bits() -> np.ndarray[Any, Any]:
    """(ROWS, WIDTH) float32 of random bits, with both zeros and numbers that are not normal; none is NaN."""
    bits = np.random.default_rng(0).integers(0, 2**32, ROWS * WIDTH, dtype=np.uint64).astype(np.uint32)
    values = bits.view(np.float32)
    values[:: len(values) // len(ODD)][: len(ODD)] = ODD
    return np.where(np.isfinite(values), values, np.float32(-0.0)).reshape(ROWS, WIDTH)


@pytest.fixture(autouse=True)
def of_three_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matrix, "VALUES_AT_ONCE", AT_ONCE * WIDTH)


def begun(world: Workers) -> tuple[SplitMatrix, list[NDArray]]:
    """A matrix that worker 0 has filled."""
    own = cut_classes(ROWS, world.devices)[world.rank]
    parts = [nd.zeros((len(own), WIDTH), ctx=world.contexts[0])]
    whole = SplitMatrix("m", (ROWS, WIDTH), [(own, parts[0])], world)
    if world.leads:
        whole.write(nd.array(any_bits()))
    return whole, parts


@pytest.mark.parametrize("size", [2, 3])
def test_every_bit_arrives(size: int) -> None:
    """On the workers when a run begins, and on worker 0 when it saves."""

    def work(world: Workers) -> tuple[bytes, bytes]:
        whole, parts = begun(world)
        whole.spread()
        return parts[0].asnumpy().tobytes(), b"".join(array.asnumpy().tobytes() for array in whole.read().values())

    found = together(size, work)
    assert b"".join(here for here, _ in found) == any_bits().tobytes()
    assert [saved for _, saved in found] == [any_bits().tobytes(), *[b""] * (size - 1)]


def test_no_array_that_travels_is_larger_than_a_block(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[int] = []
    real = ThreadExchange.sum

    def noted(self: ThreadExchange, name: str, vector: NDArray) -> NDArray:
        sent.append(vector.size)
        return real(self, name, vector)

    def work(world: Workers) -> None:
        whole, _ = begun(world)
        whole.spread()
        whole.read()

    monkeypatch.setattr(ThreadExchange, "sum", noted)
    together(2, work)
    assert max(sent) == AT_ONCE * WIDTH
    assert sum(sent) == 2 * 2 * ROWS * WIDTH


class Late(mx.operator.CustomOp):  # type: ignore[misc]
    """Hands on an array, a little later, and notes that it has."""

    came: ClassVar[list[int]]  # sizes of what was handed on

    def forward(
        self, is_train: bool, req: Sequence[str], in_data: Sequence[NDArray], out_data: Sequence[NDArray], aux: Any
    ) -> None:
        time.sleep(0.005)
        self.assign(out_data[0], req[0], in_data[0])
        Late.came.append(in_data[0].size)


@mx.operator.register("unittest_late")
class LateProp(mx.operator.CustomOpProp):  # type: ignore[misc]
    def create_operator(self, *of: Any) -> Late:
        return Late()


def test_a_block_is_there_before_the_next_one_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else all blocks, the whole matrix, would lie in the memory of every worker: a sum over kvstore does not wait."""
    launched: list[int] = []
    ahead: list[int] = []
    real = ThreadExchange.sum

    def late(self: ThreadExchange, name: str, vector: NDArray) -> NDArray:
        ahead.append(len(launched) - len(Late.came))
        launched.append(vector.size)
        return nd.Custom(real(self, name, vector), op_type="unittest_late")

    def work(world: Workers) -> None:
        whole, _ = begun(world)
        whole.spread()
        whole.read()

    monkeypatch.setattr(Late, "came", [], raising=False)
    monkeypatch.setattr(ThreadExchange, "sum", late)
    together(2, work)
    assert len(ahead) == 2 * 2 * 14
    assert max(ahead) <= 1  # the other worker's
