"""What the measured processes share: work when told to, say how long it took. Imports neither framework."""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

WARM_UP = 2


def serve(about: dict[str, Any], step: Callable[[], float]) -> None:
    """Take warm-up steps and print ``about`` as a JSON line; then, for every line {"steps": n}, what n steps took.

    ``step`` returns a number that must be finite: the loss, or the sum of the embeddings.
    """
    check = [step() for _ in range(WARM_UP)][-1]
    print(json.dumps({**about, "check": check}), flush=True)
    for line in sys.stdin:
        seconds, begun = [], time.process_time()
        for _ in range(json.loads(line)["steps"]):
            start = time.perf_counter()
            check = step()
            seconds.append(time.perf_counter() - start)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        cpu = (time.process_time() - begun) / len(seconds)
        answer = {"seconds": seconds, "cpu_seconds": cpu, "peak_bytes": peak, "held_bytes": held(), "check": check}
        print(json.dumps(answer), flush=True)


def held() -> int:
    """Bytes of memory that belong to this process alone, now; pages of mapped files do not count."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) * 1024
    return 0


class Trained(Protocol):
    """What can be trained on given batches."""

    def take(self, images: Any, labels: Any) -> None: ...

    def step(self) -> float: ...


def trained(side: Trained, batches: Sequence[tuple[Any, Any]], steps: int) -> list[float]:
    """The losses of ``steps`` steps on ``batches`` in turns."""
    losses = []
    for step in range(steps):
        side.take(*batches[step % len(batches)])
        losses.append(side.step())
    return losses
