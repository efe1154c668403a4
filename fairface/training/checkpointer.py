"""What happens between steps: verification every so often, checkpoints, the best one marked."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from fairface.errors import FairfaceError, TrainingError
from fairface.methods.base import Method
from fairface.mx import NDArray, nd
from fairface.parameters import SplitArrays, all_finite, arrays_of, copies_of
from fairface.training.log import RunLog
from fairface.training.loss_scale import LossScale
from fairface.training.optimizer import as_arrays
from fairface.training.run_folder import RunFolder
from fairface.training.updates import Updates
from fairface.training.verifier import Verifier

METHOD = "method."
COPIES = "copies."  # what devices have of their own


class Checkpointer:
    """Scores and saves a run.

    Args:
        save_every: steps between two checkpoints.
        verify_every: steps between two verifications; 0 = only at the end.
        position: facts that a resumed run needs besides the step (data fingerprint, seed).
        before: called on every worker before they score and worker 0 saves.
        leads: whether this process saves; the others bring what is split.
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
        before: Callable[[], None] | None = None,
        leads: bool = True,
    ) -> None:
        self.before = before
        self.leads = leads
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
        return step % self.save_every == 0 or bool(self.verify_every and step % self.verify_every == 0)

    def after_step(self, step: int, total: int, stopping: bool = False) -> None:
        """Verify when it is time (never when stopping: that must be quick) and save."""
        self._settle()
        score = None
        due = step == total or bool(self.verify_every and step % self.verify_every == 0)
        if due and not stopping and self.verifier.takes_part:
            try:
                score = self.verifier.run(self.method.inference(), step, self.log)
            except FairfaceError:
                self._write(step, None)  # a bad verification set must not cost the steps since the last checkpoint
                self.verifier.world.barrier()  # the first process that fails ends the others: not before it is saved
                raise
        self._write(step, score)

    def save(self, step: int, score: float | None = None) -> None:
        """Save after ``step`` steps without verifying.

        Raises:
            TrainingError: a parameter is not finite.
        """
        self._settle()
        self._write(step, score)

    def _settle(self) -> None:
        """Wait for the step, on every worker.

        BatchNorm writes its running statistics in the backward pass, and MXNet lets them be read before it: where that
        pass waits for other workers, those of the step before would be averaged, verified and saved.
        """
        nd.waitall()
        if self.before is not None:
            self.before()

    def _write(self, step: int, score: float | None) -> None:
        """Write the checkpoint of ``step``; every worker calls it, since what is split comes together on worker 0.

        Raises:
            TrainingError: a parameter is not finite; a checkpoint never holds such a value.
        """
        every = self.method.blocks()
        asked = {name: block for name, block in every.items() if self.leads or isinstance(block, SplitArrays)}
        blocks = {name: arrays_of(block) for name, block in asked.items()}
        state = self.updates.state()
        if not self.leads:
            return
        self._refuse_not_finite(step, blocks)
        state.update(as_arrays(self.method.state(), METHOD))
        for name, block in every.items():
            state.update({f"{COPIES}{name}.{key}": array for key, array in copies_of(block).items()})
        position = {**self.position, "updates": self.updates.optimizer.updates}
        if self.scale is not None:
            position["loss_scale"] = self.scale.state()
        best = self.folder.best_score()
        is_best = score is not None and math.isfinite(score) and (best is None or self.verifier.better(score, best))
        others = {name: arrays for name, arrays in blocks.items() if asked[name] is not self.method.inference()}
        self.folder.save(step, self.method.inference(), others, state, position, score, is_best)

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
