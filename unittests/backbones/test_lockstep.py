"""Devices that take turns: what they bring is joined, autograd records it, and one that fails leaves none waiting."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from fairface.backbones.lockstep import Lockstep
from fairface.mx import NDArray, autograd, mx, nd
from fairface.parallel import World


@pytest.mark.parametrize("devices", [1, 2, 3])
def test_devices_meet_in_order_and_gradients_go_back(devices: int) -> None:
    contexts = tuple(mx.cpu(number) for number in range(devices))
    inputs = [nd.array([[number + 1.0, 2.0]], ctx=context) for number, context in enumerate(contexts)]
    for array in inputs:
        array.attach_grad()
    order: list[tuple[int, str]] = []
    lockstep = Lockstep(World(contexts))

    def work(device: int) -> NDArray:
        order.append((device, "first"))
        (total,) = lockstep.meet(inputs[device] * 2, lambda rows: [rows.sum(axis=0, keepdims=True)])
        order.append((device, "second"))
        (again,) = lockstep.meet(total + device, lambda rows: [rows.max(axis=0)])
        assert again.context == contexts[device]
        return again * (device + 1)

    before = threading.active_count()
    with autograd.record():
        found = lockstep.run(work)
    autograd.backward(found)
    sums = np.array([2 * sum(range(1, devices + 1)), 4 * devices]) + devices - 1  # of the last device
    for device, array in enumerate(found):
        np.testing.assert_allclose(array.asnumpy(), sums * (device + 1))
    for array in inputs:  # each enters every sum twice; the factors of the results add up
        np.testing.assert_allclose(array.grad.asnumpy(), [[2 * sum(range(1, devices + 1))] * 2])
    assert order == [(device, part) for part in ("first", "second") for device in range(devices)]
    assert threading.active_count() == before


@pytest.mark.parametrize("failing", [0, 1, 2])
def test_a_device_that_fails_ends_all(failing: int) -> None:
    contexts = tuple(mx.cpu(number) for number in range(3))
    lockstep, after = Lockstep(World(contexts)), []

    def work(device: int) -> None:
        rows = nd.ones((1, 1), ctx=contexts[device])
        lockstep.meet(rows, lambda joined: [joined])
        if device == failing:
            raise ValueError(f"device {device}")
        lockstep.meet(rows, lambda joined: [joined])
        after.append(device)

    before = threading.active_count()
    with pytest.raises(ValueError, match=f"device {failing}"):
        lockstep.run(work)
    assert after == []
    assert threading.active_count() == before


def test_what_is_not_recorded_by_the_caller_is_not_recorded_by_any_device() -> None:
    contexts = (mx.cpu(0), mx.cpu(1))
    with autograd.pause(train_mode=True):
        found = Lockstep(World(contexts)).run(lambda device: (autograd.is_recording(), autograd.is_training()))
    assert found == [(False, True)] * 2
