"""What happens between steps: verification every so often, checkpoints, the best one marked."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from fairface.errors import FairfaceError, TrainingError
from fairface.methods.base import Method
from fairface.mx import NDArray, nd
from fairface.parameters import SplitArrays, all_finite, arrays_of
from fairface.training.log import RunLog
from fairface.training.loss_scale import LossScale
from fairface.training.optimizer import as_arrays
from fairface.training.run_folder import RunFolder
from fairface.training.running import RunningStatistics
from fairface.training.updates import Updates
from fairface.training.verifier import EVENT, Verifier

METHOD = "method."
STEP = "step"
COPIES = "copies."  # what devices have of their own


class Checkpointer:
    """Scores and saves a run.

    Args:
        save_every: steps between two checkpoints.
        verify_every: steps between two verifications; 0 = only at the end.
        position: facts that a resumed run needs besides the step (data fingerprint, seed).
        running: what every device has of its own; scored and saved is the mean.
        leads: whether this process saves; the others bring what is split.
        unscored: the step of the checkpoint that a resumed run goes on from, where that has no score.
        further: facts for the position that change from checkpoint to checkpoint, asked at each.
    """

    def __init__(
        self,
        folder: RunFolder,
        method: Method,
        updates: Updates,
        verifier: Verifier,
        log: RunLog,
        save_every: int,
        verify_every: int,
        position: Mapping[str, Any],
        scale: LossScale | None = None,
        running: RunningStatistics | None = None,
        leads: bool = True,
        unscored: int | None = None,
        further: Callable[[], Mapping[str, Any]] | None = None,
    ) -> None:
        self.running = running
        self.leads = leads
        self.unscored = unscored
        self.further = further
        self._saved: int | None = None
        self.folder = folder
        self.method = method
        self.updates = updates
        self.verifier = verifier
        self.log = log
        self.save_every = save_every
        self.verify_every = verify_every
        self.position = dict(position)
        self.scale = scale

    def due(self, step: int) -> bool:
        """Whether something is to be done after ``step`` steps."""
        return step % self.save_every == 0 or self._verifies(step)

    def _verifies(self, step: int, total: int | None = None) -> bool:
        return step == total or bool(self.verify_every and step % self.verify_every == 0)

    def make_up(self, total: int) -> None:
        """Score the checkpoint that the run goes on from, where a signal or a fault kept it from being scored.

        Raises:
            FairfaceError: a set cannot be scored.
        """
        step, self.unscored = self.unscored, None
        if step is None or not self._verifies(step, total):
            return
        self.log.forget_event(EVENT, step)  # of a verification that failed at one of its sets, or gave no score
        with self._settled():
            score = self.verifier.run(self.method.inference(), step, self.log) if self.verifier.takes_part else None
        if self.leads and score is not None:
            self.folder.score(step, score, self._is_best(score))

    def after_step(self, step: int, total: int, stopping: bool = False) -> None:
        """Verify when it is time, and save. Never when stopping: that must be quick, and :meth:`make_up` follows."""
        with self._settled() as copies:
            score = None
            if self._verifies(step, total) and not stopping and self.verifier.takes_part:
                try:
                    score = self.verifier.run(self.method.inference(), step, self.log)
                except FairfaceError:
                    self._write(step, None, copies)  # a bad set must not cost the steps since the last checkpoint
                    self.verifier.world.barrier()  # the first process that fails ends the others: not before that
                    raise
            self._write(step, score, copies)

    def save(self, step: int, score: float | None = None) -> None:
        """Save after ``step`` steps without verifying; nothing where that was saved just now, with its score.

        Raises:
            TrainingError: a parameter is not finite.
        """
        if step == self._saved:
            return
        with self._settled() as copies:
            self._write(step, score, copies)

    @contextmanager
    def _settled(self) -> Iterator[Mapping[str, NDArray]]:
        """Wait for the step, on every worker; while it is entered, all devices have the same running statistics.

        BatchNorm writes its running statistics in the backward pass, and MXNet lets them be read before it: where that
        pass waits for other workers, those of the step before would be averaged, verified and saved.
        """
        nd.waitall()
        if self.running is None:
            yield {}
        else:
            with self.running.mean() as copies:
                yield copies

    def _write(self, step: int, score: float | None, copies: Mapping[str, NDArray]) -> None:
        """Write the checkpoint of ``step``; every worker calls it, since what is split comes together on worker 0.

        Raises:
            TrainingError: a parameter is not finite; a checkpoint never holds such a value.
        """
        self._saved = step
        every = self.method.blocks()
        asked = {name: block for name, block in every.items() if self.leads or isinstance(block, SplitArrays)}
        blocks = {name: arrays_of(block) for name, block in asked.items()}
        state = self.updates.state()
        if not self.leads:
            return
        self._refuse_not_finite(step, blocks)
        # Nothing else may be there to save: SGD without momentum has no state. A checkpoint without one is an old one.
        state.update(as_arrays({STEP: np.array([step])}, ""))
        state.update(as_arrays(self.method.state(), METHOD))
        state.update({f"{COPIES}{name}": array for name, array in copies.items()})
        further = self.further() if self.further is not None else {}
        position = {**self.position, **further, "updates": self.updates.optimizer.updates}
        if self.scale is not None:
            position["loss_scale"] = self.scale.state()
        others = {name: arrays for name, arrays in blocks.items() if asked[name] is not self.method.inference()}
        self.folder.save(step, self.method.inference(), others, state, position, score, self._is_best(score))

    def _is_best(self, score: float | None) -> bool:
        best = self.folder.best_score()
        return score is not None and math.isfinite(score) and (best is None or self.verifier.better(score, best))

    def _refuse_not_finite(self, step: int, blocks: Mapping[str, Mapping[str, NDArray]]) -> None:
        for name, arrays in blocks.items():
            if not all_finite(list(arrays.values())):
                last = self.folder.last_step()
                raise TrainingError(
                    f"step {step}: a parameter of {name} is not finite; last good checkpoint: "
                    f"{'none was saved' if last is None else f'{self.folder.folder}@{last}'}; lower optimizer.lr"
                )


def method_state(arrays: Mapping[str, NDArray]) -> dict[str, Any]:
    """The method's part of a checkpoint's state, as numpy arrays."""
    return {name[len(METHOD) :]: array.asnumpy() for name, array in arrays.items() if name.startswith(METHOD)}
