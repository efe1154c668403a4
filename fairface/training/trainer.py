"""The loop around a method: batches in, updates out, with a log, verification, checkpoints and a clean stop."""

from __future__ import annotations

import math
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fairface.cli import progress
from fairface.config.schema import TrainConfig
from fairface.data.loading.draws import Purpose, device_seed
from fairface.data.loading.loader import BatchLoader
from fairface.data.types import Batch
from fairface.errors import DataError, TrainingError
from fairface.methods.base import Method, StepOutcome, StepReport
from fairface.mx import NDArray, autograd, mx, nd
from fairface.parallel import World, shard
from fairface.quantity import agree, quantity
from fairface.training.checkpointer import Checkpointer
from fairface.training.duration import in_words
from fairface.training.log import RunLog
from fairface.training.loss_scale import LossScale
from fairface.training.schedule import learning_rate
from fairface.training.stop import StopSignal
from fairface.training.updates import Updates


@dataclass(frozen=True)
class Pending:
    """A step whose loss was launched but not read yet."""

    step: int
    report: StepReport
    lr: float
    images: int


class Trainer:
    """Runs ``method`` from ``start`` to ``total`` steps.

    The loss of a step is read after the next step was launched, so that reading it never leaves the device idle; a loss
    that is not finite is therefore met one step late and never reaches a checkpoint.
    """

    def __init__(
        self,
        config: TrainConfig,
        method: Method,
        loader: BatchLoader,
        updates: Updates,
        world: World,
        log: RunLog,
        checkpointer: Checkpointer,
        total: int,
        start: int = 0,
        scale: LossScale | None = None,
        on_first_batch: Callable[[Batch], None] | None = None,
        draw: Callable[[int], None] | None = None,
    ) -> None:
        self.config = config
        self.method = method
        self.loader = loader
        self.updates = updates
        self.world = world
        self.log = log
        self.checkpointer = checkpointer
        self.total = total
        self.start = start
        self.scale = scale
        self.on_first_batch = on_first_batch
        self.draw = draw  # called with the number of steps after each of them
        self._window: list[dict[str, float]] = []
        self._window_images = 0
        self._window_began = 0.0

    def run(self) -> int | None:
        """Train to the end or to a stop signal; returns the signal's number, or None when the run is complete.

        Raises:
            TrainingError: a loss that is not finite.
        """
        step = self.start
        pending: Pending | None = None
        with StopSignal() as stop, self._progress() as bar:
            bar.update(self.start)
            self.checkpointer.make_up(self.total)
            self._restart_window()
            batches = self.loader.iterate(self.start, self.total)
            while (batch := self._next(batches, step, pending)) is not None:
                if step == self.start and self.on_first_batch is not None:
                    self.on_first_batch(batch)
                pending = self.step(step, batch, pending)
                step += 1
                self._show(bar)
                stopped = self._stopped(stop)
                if self._due(step) or stopped is not None:
                    self._read(pending)
                    pending = None
                    pause = time.monotonic()
                    self.checkpointer.after_step(step, self.total, stopping=stopped is not None)
                    self._window_began += time.monotonic() - pause  # images/s is that of training alone
                if self.draw is not None:
                    pause = time.monotonic()
                    self.draw(step)
                    self._window_began += time.monotonic() - pause
                if stopped is not None:
                    return stopped
            self._read(pending)
        return None

    def _progress(self) -> Any:
        return progress(total=self.total, label="train", unit="step", quiet=self.log.quiet)

    def step(self, step: int, batch: Batch, before: Pending | None = None) -> Pending:
        """Launch one step; a pure function of the parameters, the batch and ``(seed, step)``.

        The numbers of the step ``before`` are read once there is work for the devices again.
        """
        mx.random.seed(device_seed(self.config.seed, step, Purpose.STEP, self.world.rank))  # processes' dropout differs
        lr = learning_rate(self.config.optimizer, step, self.total)
        factor = 1.0 if self.scale is None else self.scale.value
        shards = shard(batch, self.world, self.loader.counts if self.world.size > 1 else ())
        self.world.begin_step()
        with autograd.record():
            report = self.method.losses(shards, self.world)
            totals = [_sum(arrays) * factor for arrays in zip(*report.losses.values(), strict=True)]
        joined = self.world.joined()
        autograd.backward([*totals, *joined], [*map(nd.ones_like, totals), *map(nd.zeros_like, joined)])
        self._read(before)
        applied = self.updates.step(lr, factor, check_finite=self.scale is not None)
        self.method.after_step(StepOutcome(step, lr, factor, applied))
        if self.scale is not None:
            self.scale.update(applied)
            if self.scale.exhausted:
                self._stop_not_finite(step, "every gradient", math.nan, lr)
        return Pending(step, report, lr, shards[0].batch_rows)

    def _next(self, batches: Iterator[Batch], step: int, pending: Pending | None) -> Batch | None:
        """The next batch, None at the end. A record that cannot be used does not cost the steps before it.

        Raises:
            DataError: a bad record; the steps before it are saved.
        """
        batch, problem = None, None
        try:
            batch = next(batches, None)
        except DataError as error:
            problem = error
        # All processes stop at the same step, whichever of them has the record.
        told = [text for text in self.world.texts("" if problem is None else str(problem)) if text]
        if not told:
            return batch
        if step == self.start:
            raise DataError(told[0]) from problem
        self._read(pending)
        self.checkpointer.save(step, None)
        self.world.barrier()  # the first process that fails ends the others: not before rank 0 has saved
        raise DataError(
            f"{told[0]}; the {quantity(step, 'step')} before it {agree(step, 'is', 'are')} saved, --resume goes on "
            "from there"
        ) from problem

    def _show(self, bar: Any) -> None:
        try:
            bar.update(1)
        except OSError:  # the terminal is gone
            self.log.cut_off = True

    def _stopped(self, stop: StopSignal) -> int | None:
        """The signal that stops the run after this step; a closed pipe or terminal counts as one."""
        received = stop.received
        if received is None and self.log.cut_off:
            received = signal.SIGPIPE
        if not self.world.any(received is not None):
            return None
        return signal.SIGTERM if received is None else received

    def _due(self, step: int) -> bool:
        return step == self.total or self.checkpointer.due(step)

    def _read(self, pending: Pending | None) -> None:
        """Wait for a step's numbers, stop when its loss is not finite, and log every N steps."""
        if pending is None:
            return
        numbers = {
            name: float(np.sum([array.asscalar() for array in arrays]))
            for name, arrays in {**pending.report.losses, **pending.report.metrics}.items()
        }
        bad = [name for name in pending.report.losses if not math.isfinite(numbers[name])]
        if bad and self.scale is None:
            self._stop_not_finite(pending.step, bad[0], numbers[bad[0]], pending.lr)
        self._window.append(numbers)
        self._window_images += pending.images
        if (pending.step + 1) % self.config.log.every == 0 or pending.step + 1 == self.total:
            self._write_line(pending)

    def _write_line(self, pending: Pending) -> None:
        seconds = max(1e-9, time.monotonic() - self._window_began)
        own = np.array([np.mean([line[name] for line in self._window]) for name in self._window[0]])
        means = dict(zip(self._window[0], self.world.sum(own).tolist(), strict=True))
        values = {**means, "lr": pending.lr, "images_per_second": self._window_images / seconds}
        if self.scale is not None:
            values["loss_scale"] = self.scale.value
        shown = "  ".join(f"{name} {value:.4g}" for name, value in means.items())
        speed = f"lr {pending.lr:.3g}  {values['images_per_second']:.0f} images/s"
        left = (self.total - pending.step - 1) * seconds / len(self._window)
        eta = f"  ETA {in_words(left)}" if pending.step + 1 < self.total else ""
        text = f"step {pending.step + 1}/{self.total}  {shown}  {speed}{eta}"
        self.log.record("train", pending.step + 1, values, text)
        self._restart_window()

    def _restart_window(self) -> None:
        self._window = []
        self._window_images = 0
        self._window_began = time.monotonic()

    def _stop_not_finite(self, step: int, name: str, value: float, lr: float) -> None:
        last = self.checkpointer.folder.last_step()
        where = f"{self.checkpointer.folder.folder}@{last}" if last is not None else "none was saved"
        raise TrainingError(
            f"step {step + 1}: {name} is {value} at learning rate {lr:g}; "
            f"last good checkpoint: {where}. "
            "Lower optimizer.lr, add optimizer.warmup or optimizer.clip_norm, or start with head.name=softmax"
        )


def _sum(arrays: Sequence[NDArray]) -> NDArray:
    total = arrays[0]
    for array in arrays[1:]:
        total = total + array
    return total
