"""The update: gluon.Trainer over a list of parameters in structural order, with states keyed by structural name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from fairface.config.schema import OptimizerConfig
from fairface.errors import CheckpointError
from fairface.methods.base import ParameterGroup
from fairface.mx import Context, NDArray, gluon, mx, nd
from fairface.parameters import all_finite

STATE = "optimizer."
FUSED_UPDATES = 45  # parameters in one update call; MXNet's kernel takes at most 60
FUSED_SIZE = 2**14  # values of a parameter; larger ones are updated by a call of their own


class FusedSGD(mx.optimizer.SGD):
    """MXNet's SGD, small parameters together in one call and large ones alone.

    A call for each parameter costs more than its work where that is small, as in a deep net's hundreds of vectors. The
    call for many goes through all of them side by side, value by value: for weights of convolutions that is 18 times
    slower than one after the other, 0.1 s in a step of fresnet50.
    """

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.aggregate_num = FUSED_UPDATES

    def update(
        self, index: Sequence[int], weight: Sequence[NDArray], grad: Sequence[NDArray], state: Sequence[Any]
    ) -> None:
        """Update the parameters ``index``, lists of equal length."""
        entries = list(zip(index, weight, grad, state, strict=True))
        small = [entry for entry in entries if entry[1].size <= FUSED_SIZE]
        for group in (small, *([entry] for entry in entries if entry[1].size > FUSED_SIZE)):
            if group:
                super().update(*(list(part) for part in zip(*group, strict=True)))

    update_multi_precision = update  # parameters are float32, whatever the network computes in


class Optimizer:
    """SGD, Nesterov SGD or Adam on the groups of a stage, over all contexts.

    Gradients are summed over contexts by the kvstore and each context updates its own copy, so copies stay equal.
    MXNet's trainer orders a collected dictionary by automatic names, which depend on what was built before; it is given
    a list in structural order instead.
    """

    def __init__(
        self,
        groups: Sequence[ParameterGroup],
        config: OptimizerConfig,
        contexts: Sequence[Context],
        kvstore: str,
        updates: int = 0,
    ) -> None:
        self.names: list[str] = []
        self.parameters: list[gluon.Parameter] = []
        for group in groups:
            for name, parameter in group.parameters.items():
                if parameter.grad_req == "null":
                    continue
                parameter.lr_mult, parameter.wd_mult = group.lr_mult, group.wd_mult
                self.names.append(name)
                self.parameters.append(parameter)
        self.contexts = list(contexts)
        self.clip_norm = config.clip_norm
        arguments: dict[str, Any] = {"learning_rate": config.lr, "wd": config.weight_decay}
        arguments["begin_num_update"] = updates
        if config.name != "adam":
            arguments["momentum"] = config.momentum
        rule = FusedSGD(**arguments) if config.name == "sgd" else mx.optimizer.create(config.name, **arguments)
        self.trainer = gluon.Trainer(
            self.parameters, rule, kvstore=kvstore if len(self.contexts) > 1 else None, update_on_kvstore=False
        )

    @property
    def updates(self) -> int:
        """Updates made so far; Adam's bias correction depends on it (skipped steps do not count)."""
        return int(self.trainer._optimizer.num_update)

    def step(self, lr: float, loss_scale: float = 1.0, check_finite: bool = False) -> bool:
        """Sum gradients over contexts, clip, update. Returns False, and updates nothing, when a gradient is not finite.

        Args:
            lr: learning rate of this step.
            loss_scale: factor that was on the loss; gradients are divided by it.
            check_finite: look at the gradients first (half precision); costs a pass over them.
        """
        self.trainer.set_learning_rate(lr)
        if len(self.contexts) > 1:
            self.trainer.allreduce_grads()
        if check_finite and not self._finite():
            return False
        if self.clip_norm > 0:
            for context in self.contexts:
                gradients = [parameter.grad(context) for parameter in self.parameters]
                gluon.utils.clip_global_norm(gradients, self.clip_norm * loss_scale, check_isfinite=False)
        # update() divides by its argument.
        self.trainer.update(loss_scale, ignore_stale_grad=False)
        return True

    def _finite(self) -> bool:
        return all_finite([parameter.grad(self.contexts[0]) for parameter in self.parameters])

    def state(self) -> dict[str, NDArray]:
        """``optimizer.<structural name>.<k>`` to array on the CPU."""
        states = self.trainer._updaters[0].states
        result = {}
        for index, name in enumerate(self.names):
            for k, array in enumerate(_flatten(states.get(index))):
                result[f"{STATE}{name}.{k}"] = array.as_in_context(mx.cpu())
        return result

    def load_state(self, arrays: Mapping[str, NDArray], source: str) -> None:
        """Take back what :meth:`state` gave, on every context.

        Raises:
            CheckpointError: a state is missing or has another shape.
        """
        rule = self.trainer._optimizer
        for updater, context in zip(self.trainer._updaters, self.contexts, strict=True):
            for index, (name, parameter) in enumerate(zip(self.names, self.parameters, strict=True)):
                state = rule.create_state(index, parameter.data(context))
                for k, array in enumerate(_flatten(state)):
                    saved = arrays.get(f"{STATE}{name}.{k}")
                    if saved is None or saved.shape != array.shape:
                        raise CheckpointError(
                            f"{source}: has no fitting optimizer state for {name}; use start_from instead"
                        )
                    array[:] = saved.as_in_context(context).astype(array.dtype)
                updater.states[index] = state
                updater.states_synced[index] = True


def _flatten(state: Any) -> list[NDArray]:
    """An optimizer's state of one parameter: None, an array, or nested tuples of them, as a list."""
    if state is None:
        return []
    if isinstance(state, (tuple, list)):
        return [array for part in state for array in _flatten(part)]
    return [state]


def as_arrays(state: Mapping[str, Any], prefix: str) -> dict[str, NDArray]:
    """A method's numpy state as MXNet arrays under ``prefix``; 64-bit integers and floats keep their type."""
    return {f"{prefix}{name}": nd.array(value, dtype=np.asarray(value).dtype) for name, value in state.items()}
