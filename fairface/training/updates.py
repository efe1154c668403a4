"""One step's update over all updaters of a run: finite or not, clipped together, applied or skipped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from fairface.errors import ConfigError
from fairface.methods.base import Updater
from fairface.mx import Context, NDArray, nd
from fairface.parallel import World
from fairface.parameters import all_finite
from fairface.training.optimizer import Optimizer

_SMALLEST_NORM = 1e-8  # added to the norm, so that a gradient of zeros is not divided by zero


class Updates:
    """The run's optimizer and the updaters that its method brings, as one.

    Args:
        optimizer: updates the parameter groups of the stage.
        others: updaters that the method brings; all names differ.
        clip_norm: largest norm of all gradients together; 0 = no clipping.
        world: all processes skip a step together.

    Raises:
        ConfigError: two updaters with one name, or one with a dot in its name.
    """

    def __init__(self, optimizer: Optimizer, others: Sequence[Updater], clip_norm: float, world: World) -> None:
        self.optimizer = optimizer
        self.updaters: tuple[Updater, ...] = (optimizer, *others)
        self.clip_norm = clip_norm
        self.world = world
        names = [updater.name for updater in self.updaters]
        if len(set(names)) < len(names) or any("." in name or not name for name in names):
            raise ConfigError(f"updaters are named {', '.join(names)}; each needs a name of its own without a dot")

    def step(self, lr: float, loss_scale: float = 1.0, check_finite: bool = False) -> bool:
        """Bring gradients together, clip, update. Returns False, and updates nothing, when a gradient is not finite.

        Args:
            lr: learning rate of this step.
            loss_scale: factor that was on the loss; gradients are divided by it.
            check_finite: look at the gradients first (half precision); costs a pass over them.
        """
        copied = [copies for updater in self.copied for copies in updater.gradients()]
        split = [copies for updater in self.updaters if updater.is_split for copies in updater.gradients()]
        self.world.sum_gradients(copied)
        if check_finite and self.world.any(not _finite([*copied, *split])):
            return False
        if self.clip_norm > 0:
            clip(copied, self.clip_norm * loss_scale, split, self.world)
        for updater in self.updaters:
            updater.update(lr, loss_scale)
        return True

    @property
    def copied(self) -> tuple[Updater, ...]:
        """Those whose arrays every process has in the same state."""
        return tuple(updater for updater in self.updaters if not updater.is_split)

    def state(self) -> dict[str, NDArray]:
        """``<updater>.<name>`` to array on the CPU. Every process calls it; all that is split comes to rank 0, which
        alone gets what a checkpoint holds."""
        return state_of(self.updaters if self.world.leads else [u for u in self.updaters if u.is_split])

    def load_state(self, arrays: Mapping[str, NDArray], source: str) -> None:
        """Take back what :meth:`state` gave.

        Raises:
            CheckpointError: an array is missing or has another shape.
        """
        load_state_of(self.updaters, arrays, source)


def state_of(updaters: Sequence[Updater]) -> dict[str, NDArray]:
    """``<updater>.<name>`` to array on the CPU."""
    return {f"{updater.name}.{name}": array for updater in updaters for name, array in updater.state().items()}


def load_state_of(updaters: Sequence[Updater], arrays: Mapping[str, NDArray], source: str) -> None:
    """Take back what :func:`state_of` gave.

    Raises:
        CheckpointError: an array is missing or has another shape.
    """
    for updater in updaters:
        prefix = f"{updater.name}."
        own = {name[len(prefix) :]: array for name, array in arrays.items() if name.startswith(prefix)}
        updater.load_state(own, source)


def clip(
    gradients: Sequence[Sequence[NDArray]], largest: float, split: Sequence[Sequence[NDArray]] = (),
    world: World | None = None,
) -> None:  # fmt: skip
    """Scale all gradients, in place, so that their common norm is at most ``largest``; copies stay equal.

    The norm is summed on the device of the first gradient; nothing waits.

    Args:
        gradients: equal on all processes.
        largest: norm.
        split: gradients of which every process has others.
        world: the processes; None = this one alone.
    """
    together = [*gradients, *split]
    if not together:
        return
    first = together[0][0].context
    squares = [_square(copies, first) for copies in gradients]
    if split:
        own = nd.add_n(*[_square(copies, first) for copies in split])
        squares.append(own if world is None else world.add(own))
    factor = nd.minimum(largest / (nd.add_n(*squares).sqrt() + _SMALLEST_NORM), 1.0)
    factors: dict[Any, NDArray] = {}
    for copies in together:
        for copy in copies:
            if copy.context not in factors:
                factors[copy.context] = factor.as_in_context(copy.context)
            copy *= factors[copy.context]


def _square(copies: Sequence[NDArray], context: Context) -> NDArray:
    flat = copies[0].reshape((-1,))
    return nd.dot(flat, flat).as_in_context(context)


def _by_context(gradients: Sequence[Sequence[NDArray]]) -> dict[Any, list[NDArray]]:
    """The first copy of every gradient, by the device that it lies on."""
    found: dict[Any, list[NDArray]] = {}
    for copies in gradients:
        found.setdefault(copies[0].context, []).append(copies[0])
    return found


def _finite(gradients: Sequence[Sequence[NDArray]]) -> bool:
    return bool(np.all([all_finite(part) for part in _by_context(gradients).values()]))
