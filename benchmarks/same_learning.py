"""Whether ours and PyTorch learn the same: their losses from the same weights on the same batches, step by step.

Both run as they are timed (same programs, optimizer, momentum, weight decay), in float32, without dropout, whose masks
differ between frameworks, and at a small learning rate: a difference in rounding grows with every update. Two batches
take turns, so that from the third step on a loss depends on what was learnt from the same images.
"""

from __future__ import annotations

import json
import math
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from same_start import write_batches
from sides import Kind, command, environment, require

from fairface.cli import table
from fairface.errors import FairfaceError

LIMIT = 0.02
LEARNING_RATE = 1e-4
BATCHES = 2


def compare_losses(ours: Kind, other: Kind, python: str, job: Mapping[str, Any], steps: int) -> dict[str, Any]:
    """Losses of ``steps`` steps of both sides and their largest relative difference; ``agree`` up to :data:`LIMIT`.

    Args:
        ours: writes its first weights to the job's ``start`` folder, and trains.
        other: reads them there, and trains.
        python: the other framework's Python.
        job: what both sides are told.
        steps: steps to take, 1 or more.

    Raises:
        FairfaceError: a module is missing, or a side failed.
    """
    require(python, {"other": other})
    with tempfile.TemporaryDirectory() as folder:
        write_batches(Path(folder), BATCHES, job["batch"], job["image_size"], job["classes"])
        told = {**job, "start": folder, "loss_steps": steps, "dropout": 0.0, "lr": LEARNING_RATE}
        first, second = (losses_of(kind, python, told) for kind in (ours, other))
    largest = max(difference(a, b) for a, b in zip(first, second, strict=True))
    return {"ours": first, "torch": second, "largest_difference": largest, "limit": LIMIT, "agree": largest <= LIMIT}


def losses_of(kind: Kind, python: str, job: Mapping[str, Any]) -> list[float]:
    """The losses that a side prints, in a process of its own."""
    done = subprocess.run(
        command(kind, python, job), env=environment(kind, job), text=True, stdout=subprocess.PIPE, check=False
    )
    if done.returncode:
        raise FairfaceError(f"{kind.script}: ended with code {done.returncode} (the cause stands above)")
    losses: list[float] = json.loads(done.stdout)["losses"]
    if not all(math.isfinite(loss) for loss in losses):
        raise FairfaceError(f"{kind.script}: its losses are {losses}; it does not learn")
    return losses


def difference(a: float, b: float) -> float:
    """``|a - b|`` as a share of the larger of the two; 0 where they are equal."""
    return 0.0 if a == b else abs(a - b) / max(abs(a), abs(b))


def show_losses(losses: Mapping[str, Any] | None) -> None:
    """The losses for people; nothing where they were not compared."""
    if losses is None:
        return
    pairs = zip(losses["ours"], losses["torch"], strict=True)
    rows = [(step, f"{a:.4f}", f"{b:.4f}", f"{difference(a, b):.3%}") for step, (a, b) in enumerate(pairs, 1)]
    print(table(rows, ["step", "loss, ours", "loss, PyTorch", "difference"]))
    print(f"largest difference {losses['largest_difference']:.3%}, allowed {losses['limit']:.0%}: "
          f"{'they learn the same' if losses['agree'] else 'THEY DO NOT LEARN THE SAME'}")  # fmt: skip
