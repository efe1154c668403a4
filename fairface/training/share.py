"""What worker 0 reads or draws, on every worker: only worker 0 needs the run's folder."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from fairface.methods.base import Method
from fairface.mx import NDArray, gluon, nd
from fairface.parallel import World
from fairface.parameters import SplitArrays, arrays_of, set_arrays
from fairface.training.checkpointer import METHOD, method_state
from fairface.training.optimizer import as_arrays
from fairface.training.updates import Updates, load_state_of, state_of
from fairface.workers.numbers import as_words, from_words

_EXACT = (np.float32, np.float16)  # of which float32 holds every value


def share_facts(facts: Mapping[str, Any], world: World) -> dict[str, Any]:
    """Rank 0's JSON-ready facts."""
    found: dict[str, Any] = json.loads(world.texts(json.dumps(dict(facts)) if world.leads else "")[0])
    return found


def share_arrays(arrays: Mapping[str, NDArray], world: World) -> dict[str, NDArray]:
    """Rank 0's arrays by name, bit-identical, on the CPU."""
    described = [[name, list(array.shape), np.dtype(array.dtype).name] for name, array in arrays.items()]
    told = share_facts({"arrays": described}, world)["arrays"]
    found = {}
    for name, shape, dtype in told:
        own = arrays[name] if world.leads else nd.zeros(tuple(shape), dtype=dtype)
        found[name] = world.of_lead(own) if np.dtype(dtype) in _EXACT else _as_words(own, world)
    return found


def share_block(block: gluon.Block, name: str, world: World) -> None:
    """Give every worker worker 0's parameters of a block, whose name a message would tell."""
    set_arrays(block, share_arrays(arrays_of(block), world), f"worker 0's {name}")


def share_run(method: Method, updates: Updates, world: World) -> None:
    """Give every worker worker 0's parameters, the optimizer's state and the method's; of what is split, its part."""
    for name, block in method.blocks().items():
        if isinstance(block, SplitArrays):
            block.spread()
        else:
            share_block(block, name, world)
    for updater in updates.updaters:
        if updater.is_split:
            updater.spread()
    state = share_arrays({**state_of(updates.copied), **as_arrays(method.state(), METHOD)}, world)
    if not world.leads:
        kept = {name: array for name, array in state.items() if not name.startswith(METHOD)}
        if kept:  # SGD without momentum has none
            load_state_of(updates.copied, kept, "worker 0")
        method.load_state(method_state(state))


def _as_words(array: NDArray, world: World) -> NDArray:
    values = array.asnumpy()
    words = world.of_lead(nd.array(as_words(values))).asnumpy()
    return nd.array(from_words(words, values.dtype).reshape(values.shape), dtype=values.dtype)
