"""Waiting for the other workers of this machine without using a core: each has a pipe that the others write to."""

from __future__ import annotations

import os
import struct
import threading
from collections import defaultdict

from fairface.workers.segment import Shared

_RING = struct.Struct("<II")  # who rings, and for which meeting; a pipe takes so few bytes whole or not at all
_READ = 512 * _RING.size


class Bells:
    """This worker's bell and those of the others.

    A thread reads the own pipe. A worker that has ended is not noticed here: the roll call ends this process.

    Args:
        rank: this worker.
        shared: its descriptors.
    """

    def __init__(self, rank: int, shared: Shared) -> None:
        self.rank = rank
        self._shared = shared
        self._rung: dict[int, list[int]] = defaultdict(lambda: [0] * len(shared.bells))
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="fairface-bells", daemon=True)
        self._thread.start()

    def meet(self, meeting: int) -> None:
        """Wait until all workers have come to this meeting as often as this one. What they wrote before is there."""
        with self._changed:
            rung = self._rung[meeting]
            rung[self.rank] += 1
            times = rung[self.rank]
        for other, bell in enumerate(self._shared.bells):
            if other != self.rank:
                os.write(bell, _RING.pack(self.rank, meeting))
        with self._changed:
            self._changed.wait_for(lambda: min(rung) >= times)

    def close(self) -> None:
        """End the thread and let go of the pipes."""
        os.write(self._shared.bells[self.rank], _RING.pack(self.rank, 0))
        self._thread.join()
        for number in (self._shared.own, *self._shared.bells):
            os.close(number)

    def _run(self) -> None:
        while True:
            rings = list(_RING.iter_unpack(os.read(self._shared.own, _READ)))
            if not rings:
                return  # nobody is left to write
            with self._changed:
                for who, meeting in rings:
                    if who == self.rank:
                        return  # only close() rings the own bell
                    self._rung[meeting][who] += 1
                self._changed.notify_all()
