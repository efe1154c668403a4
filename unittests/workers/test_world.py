"""Workers as threads: what is gathered, summed and cut is what one process with all devices has."""

from __future__ import annotations

import numpy as np
import pytest

from fairface.mx import autograd, mx, nd
from fairface.parallel import World, cut_sources
from unittests.workers.together import together


def rows_of(rank: int, rows: int) -> np.ndarray:
    return np.random.default_rng(rank).normal(size=(rows, 3)).astype(np.float32)


@pytest.mark.parametrize("sizes", [(2, 2), (1, 3), (3, 1, 2)])
def test_gather_and_its_gradient(sizes):
    """Worker r's loss is r+1 times the sum over all joined rows, weighted; computed by a loop beside it."""
    weights = np.random.default_rng(9).normal(size=(sum(sizes), 3)).astype(np.float32)

    def work(world):
        x = nd.array(rows_of(world.rank, sizes[world.rank]), ctx=world.contexts[0])
        x.attach_grad()
        with autograd.record():
            (whole,) = world.gather([x * 2])
            loss = (whole * nd.array(weights, ctx=x.context)).sum() * (world.rank + 1)
        autograd.backward([loss, *world.joined()], [nd.ones_like(loss), *map(nd.zeros_like, world.joined())])
        return whole.asnumpy(), x.grad.asnumpy()

    expected = np.concatenate([rows_of(rank, rows) * 2 for rank, rows in enumerate(sizes)])
    factor = 2 * sum(rank + 1 for rank in range(len(sizes)))
    begin = 0
    for rank, (whole, gradient) in enumerate(together(len(sizes), work)):
        np.testing.assert_array_equal(whole, expected)
        np.testing.assert_allclose(gradient, weights[begin : begin + sizes[rank]] * factor, rtol=1e-6)
        begin += sizes[rank]


def test_a_worker_whose_loss_takes_nothing_from_the_others_still_sends_gradients_back():
    def work(world):
        x = nd.ones((2, 1), ctx=world.contexts[0])
        x.attach_grad()
        with autograd.record():
            (whole,) = world.gather([x])
            loss = (whole * 5).sum() if world.rank == 0 else (x * 3).sum()
        heads = world.joined()
        autograd.backward([loss, *heads], [nd.ones_like(loss), *map(nd.zeros_like, heads)])
        world.begin_step()
        return x.grad.asnumpy().ravel().tolist(), len(heads), len(world.joined())

    assert together(2, work) == [([5.0, 5.0], 1, 0), ([8.0, 8.0], 1, 0)]


def test_what_leads_to_no_parameter_is_not_taken_back():
    """As the embeddings of a frozen net: a backward pass cannot begin there."""

    def work(world):
        frozen = nd.full((1, 2), world.rank + 1, ctx=world.contexts[0])
        moving = nd.ones((1, 2), ctx=world.contexts[0])
        moving.attach_grad()
        with autograd.record():
            (rows,), total = world.gather([frozen * 2]), world.add(frozen)
            loss = (rows.sum(axis=0, keepdims=True) * total * world.add(moving * 3)).sum()
        heads = world.joined()
        autograd.backward([loss, *heads], [nd.ones_like(loss), *map(nd.zeros_like, heads)])
        return rows.asnumpy().tolist(), len(heads), moving.grad.asnumpy().tolist()

    # Each worker's loss has the factor 6 * 3 on the sum; both losses depend on both workers' arrays.
    assert together(2, work) == [([[2.0, 2.0], [4.0, 4.0]], 1, [[2 * 6 * 3 * 3.0] * 2])] * 2


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_arrays_are_added_up_and_so_are_their_gradients(dtype):
    """Worker r's loss is r+1 times the weighted sum; outside of the record nothing is to take back."""
    weights = np.arange(1.0, 7.0).reshape(2, 3)

    def work(world):
        x = nd.array(rows_of(world.rank, 2), ctx=world.contexts[0], dtype=dtype)
        x.attach_grad()
        with autograd.record():
            total = world.add(x)
            loss = (total * nd.array(weights, ctx=x.context, dtype=dtype)).sum() * (world.rank + 1)
        heads = world.joined()
        autograd.backward([loss, *heads], [nd.ones_like(loss), *map(nd.zeros_like, heads)])
        return total.asnumpy(), x.grad.asnumpy(), world.add(x).asnumpy(), len(world.joined())

    parts = [rows_of(rank, 2).astype(dtype) for rank in range(3)]
    expected = sum(part.astype(np.float64) for part in parts)
    for total, gradient, again, heads in together(3, work):
        assert (total.dtype, heads) == (np.dtype(dtype), 1)
        np.testing.assert_allclose(total, expected, rtol=0, atol=2e-3 if dtype == "float16" else 1e-6)
        np.testing.assert_array_equal(again, total)
        np.testing.assert_allclose(gradient, weights * 6, rtol=1e-3)


def test_joined_rows_keep_the_sign_of_zero():
    def work(world):
        x = nd.array(np.float32([-0.0, 0.0]), ctx=world.contexts[0])
        x.attach_grad()
        with autograd.record():
            recorded = world.join([x], x.context)
        return recorded.asnumpy().tobytes(), world.join([x], x.context).asnumpy().tobytes()

    assert together(2, work) == [(np.float32([-0.0, 0.0, -0.0, 0.0]).tobytes(),) * 2] * 2


def test_join_keeps_types_and_large_labels():
    def work(world):
        context = world.contexts[0]
        labels = nd.array([2**31 - 1 - world.rank, -1], ctx=context, dtype="int32")
        halves = nd.array([0.1, -2.0], ctx=context, dtype="float16")
        joined = world.join([labels], context), world.join([halves], context)
        return [(array.dtype, array.asnumpy().tolist()) for array in joined]

    for labels, halves in together(2, work):
        assert labels == (np.int32, [2**31 - 1, -1, 2**31 - 2, -1])
        assert halves == (np.float16, [float(np.float16(0.1)), -2.0] * 2)


def test_two_devices_a_worker():
    def work(world):
        parts = [nd.full((1, 2), 10 * world.rank + number, ctx=own) for number, own in enumerate(world.contexts)]
        return [(array.context, array.asnumpy()[:, 0].tolist()) for array in world.gather(parts)]

    found = together(2, work, devices=2)
    assert [context for worker in found for context, _ in worker] == [mx.cpu(number) for number in range(4)]
    assert all(values == [0, 1, 10, 11] for worker in found for _, values in worker)


def test_sum_keeps_more_than_single_precision():
    values = np.array([1 / 3, 1e30, np.inf, 12345.678901234])
    found = together(2, lambda world: world.sum(values if world.rank else np.zeros(4)))
    for total in found:
        np.testing.assert_allclose(total, values, rtol=1e-13)
    assert np.isnan(together(2, lambda world: world.sum(np.array([np.nan])))[0][0])


def test_flags_numbers_and_texts():
    def work(world):
        world.barrier()
        return (
            world.any(world.rank == 1), world.any(False), world.counts(world.rank + 7),
            world.texts("nö" if world.rank else ""), world.texts(""),
            world.of_lead(nd.full((2,), world.rank + 3, ctx=world.contexts[0])).asnumpy().tolist(),
        )  # fmt: skip

    assert together(2, work) == [(True, False, [7, 8], ["", "nö"], ["", ""], [3.0, 3.0])] * 2


def test_gradients_are_summed_small_and_large():
    def work(world):
        small = [nd.full((3,), 1.0 + world.rank, ctx=own) for own in world.contexts]
        large = [nd.full((130, 130), 10.0 + world.rank, ctx=own) for own in world.contexts]
        world.sum_gradients([small, large])
        return [float(copy.asnumpy().min()) for copy in (*small, *large)] + [float(large[1].asnumpy().max())]

    assert together(2, work, devices=2) == [[3.0, 3.0, 21.0, 21.0, 21.0]] * 2


@pytest.mark.parametrize("counts", [[8], [5, 4], [7, 9, 4]])
@pytest.mark.parametrize("devices", [1, 2])
def test_rows_are_those_of_one_process_with_all_devices(counts, devices):
    """The rows of worker r's devices, taken out of its part, are those of devices r*n..r*n+n-1 of all."""
    whole = [f"{source}.{row}" for source, rows in enumerate(counts) for row in range(rows)]

    def work(world):
        part = [row for rows in world.rows(counts) for row in whole[rows]]
        return [[part[rows] for rows in device] for device in world.cut(counts)]

    found = [device for worker in together(2, work, devices) for device in worker]
    assert found == [[whole[rows] for rows in device] for device in cut_sources(counts, 2 * devices)]


def test_one_process_answers_for_itself():
    world = World((mx.cpu(0),))
    assert world.add(nd.array([2.0])).asnumpy() == 2
    assert (world.counts(3), world.texts("a"), world.joined(), world.devices, world.leads) == ([3], ["a"], [], 1, True)
    assert world.rows([3, 2]) == [slice(0, 3), slice(3, 5)]
