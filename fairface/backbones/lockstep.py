"""The devices of one process at the same place of a network at the same time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

from fairface.mx import NDArray, autograd
from fairface.parallel import World

T = TypeVar("T")


class _AbandonedError(Exception):
    """Another device has failed; what comes after is of no use."""


class Lockstep:
    """Runs the same work for every device, one at a time and always in the same order, from meeting to meeting.

    The work is Python that only launches operators, so taking turns costs the devices nothing. Each device has a
    thread, since its work is halted in the middle of a network; the first one has the caller's.

    Args:
        world: whose devices they are.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._turn = 0
        self._moved = threading.Condition()
        self._brought: dict[int, NDArray] = {}
        self._found: Sequence[NDArray] = ()
        self._failure: BaseException | None = None

    def run(self, work: Callable[[int], T]) -> list[T]:
        """``work(number of the device)`` of each device; autograd records it as it does the caller.

        All must meet equally often. Raises what the first device to fail has raised.
        """
        results: dict[int, T] = {}
        recording, training = autograd.is_recording(), autograd.is_training()

        def in_thread(device: int) -> None:
            if recording:
                with autograd.record(train_mode=training):
                    self._take_part(device, work, results)
            else:
                with autograd.pause(train_mode=training):
                    self._take_part(device, work, results)

        devices = range(len(self._world.contexts))
        threads = [threading.Thread(target=in_thread, args=(device,), daemon=True) for device in devices[1:]]
        for thread in threads:
            thread.start()
        self._take_part(0, work, results)
        for thread in threads:
            thread.join()
        if self._failure is not None:
            raise self._failure
        return [results[device] for device in devices]

    def meet(self, rows: NDArray, combine: Callable[[NDArray], Sequence[NDArray]]) -> list[NDArray]:
        """What ``combine`` makes of ``rows (n, …)`` of every device of every process, joined along axis 0; on each
        device. All bring equally many rows. Recorded by autograd."""
        contexts = self._world.contexts
        device = contexts.index(rows.context)
        self._brought[device] = rows
        if device == len(contexts) - 1:
            arrays = [self._brought.pop(number) for number in range(len(contexts))]
            self._found = combine(self._world.join(arrays, contexts[0], equal=True))
        self._pass_on(device)
        self._wait(device)
        return [array.as_in_context(rows.context) for array in self._found]

    def _take_part(self, device: int, work: Callable[[int], T], results: dict[int, T]) -> None:
        try:
            self._wait(device)
            results[device] = work(device)
            self._pass_on(device)
        except _AbandonedError:
            pass
        except BaseException as error:
            with self._moved:
                self._failure = self._failure or error
                self._moved.notify_all()

    def _wait(self, device: int) -> None:
        with self._moved:
            self._moved.wait_for(lambda: self._turn == device or self._failure is not None)
            if self._failure is not None:
                raise _AbandonedError

    def _pass_on(self, device: int) -> None:
        with self._moved:
            self._turn = (device + 1) % len(self._world.contexts)
            self._moved.notify_all()
