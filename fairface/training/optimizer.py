"""The update: gluon.Trainer over a list of parameters in structural order, with states keyed by structural name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from fairface.config.schema import OptimizerConfig
from fairface.errors import CheckpointError
from fairface.methods.base import ParameterGroup, Updater
from fairface.mx import Context, NDArray, gluon, mx, nd
from fairface.training.nesterov import NesterovSGD

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


RULES = {"sgd": FusedSGD, "nag": NesterovSGD, "adam": mx.optimizer.Adam}


class Optimizer(Updater):
    """SGD, Nesterov SGD or Adam on the groups of a stage, over all contexts.

    Gradients are summed over contexts by the kvstore and each context updates its own copy, so copies stay equal.
    MXNet's trainer orders a collected dictionary by automatic names, which depend on what was built before; it is given
    a list in structural order instead.
    """

    name = "optimizer"

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
        arguments: dict[str, Any] = {"learning_rate": config.lr, "wd": config.weight_decay}
        arguments["begin_num_update"] = updates
        if config.name != "adam":
            arguments["momentum"] = config.momentum
        self.rule = RULES[config.name](**arguments)
        kvstore_or_none = kvstore if len(self.contexts) > 1 else None
        self.trainer = None  # of nothing, where a stage trains only what the method's own updaters update
        if self.parameters:
            self.trainer = gluon.Trainer(self.parameters, self.rule, kvstore=kvstore_or_none, update_on_kvstore=False)

    @property
    def updates(self) -> int:
        """Updates made so far; Adam's bias correction depends on it (skipped steps do not count)."""
        return int(self.rule.num_update)

    def gradients(self) -> list[list[NDArray]]:
        """Each parameter's gradient, summed over contexts.

        Where no loss of this step reached a parameter on a device (a batch without rows of a kind), MXNet leaves the
        gradient of an earlier step there; it is 0.
        """
        for parameter in self.parameters:
            for data, gradient in zip(parameter.list_data(), parameter.list_grad(), strict=True):
                if not data._fresh_grad:
                    gradient[:] = 0
                    data._fresh_grad = True
        if self.trainer is not None and len(self.contexts) > 1:
            self.trainer.allreduce_grads()
        return [parameter.list_grad() for parameter in self.parameters]

    def update(self, lr: float, loss_scale: float = 1.0) -> None:
        """Update every parameter on every context."""
        if self.trainer is None:
            return
        self.trainer.set_learning_rate(lr)
        self.trainer.update(loss_scale, ignore_stale_grad=False)  # divides by its argument

    def state(self) -> dict[str, NDArray]:
        """``<structural name>.<k>`` to array on the CPU; what a state begins with, where no update has made it yet."""
        if self.trainer is None:
            return {}
        states = self.trainer._updaters[0].states
        result = {}
        for index, (name, parameter) in enumerate(zip(self.names, self.parameters, strict=True)):
            made = states[index] if index in states else self.rule.create_state(index, parameter.list_data()[0])
            for k, array in enumerate(_flatten(made)):
                result[f"{name}.{k}"] = array.as_in_context(mx.cpu())
        return result

    def load_state(self, state: Mapping[str, NDArray], source: str) -> None:
        """Take back what :meth:`state` gave, on every context.

        Raises:
            CheckpointError: a state is missing or has another shape.
        """
        if self.trainer is None:
            return
        for updater, context in zip(self.trainer._updaters, self.contexts, strict=True):
            for index, (name, parameter) in enumerate(zip(self.names, self.parameters, strict=True)):
                made = self.rule.create_state(index, parameter.data(context))
                for k, array in enumerate(_flatten(made)):
                    saved = state.get(f"{name}.{k}")
                    if saved is None or saved.shape != array.shape:
                        raise CheckpointError(
                            f"{source}: has no fitting optimizer state for {name}; use start_from instead"
                        )
                    array[:] = saved.as_in_context(context).astype(array.dtype)
                updater.states[index] = made
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
