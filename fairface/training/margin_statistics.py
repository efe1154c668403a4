"""The running statistics of margins (AdaFace, CurricularFace) at a fine-tune: a head that goes on keeps them.

They stand in a checkpoint's entry of the manifest too: its state, which holds them for ``--resume``, is kept for the
newest checkpoints only, and a fine-tune usually starts from the best.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

from fairface.checkpoints import CheckpointFiles, verify
from fairface.errors import CheckpointError
from fairface.methods.base import Method
from fairface.parameters import load_arrays
from fairface.training.checkpointer import method_state
from fairface.training.log import RunLog

STATISTICS = "statistics"  # in the position of a checkpoint's entry

Values = Mapping[str, float]


def position_of(method: Method) -> dict[str, Any]:
    """What a checkpoint's position holds of them: block, name and value; empty where no margin keeps any."""
    found = {block: _values(kept.state()) for block, kept in method.margin_statistics.items()}
    statistics = {block: values for block, values in found.items() if values}
    return {STATISTICS: statistics} if statistics else {}


def take_over(method: Method, files: CheckpointFiles, reinitialized: Collection[str], log: RunLog) -> None:
    """Go on with the statistics that a checkpoint keeps of the heads that were taken from it; the log says so, and
    where they start anew."""
    saved: Mapping[str, Values] | None = None
    for block, kept in method.margin_statistics.items():
        own = _values(kept.state())
        if not own:
            continue
        saved = _saved(method, files, log) if saved is None else saved
        found = saved.get(block, {})
        if block in reinitialized:
            log.say(f"{block}: the margin's statistics start anew, as the head does ({_in_words(own)})")
        elif found.keys() != own.keys():
            log.say(f"warning: {block}: {files.name} keeps no {', '.join(own)}; they start anew ({_in_words(own)})")
        else:
            kept.load_state({name: np.array([value], np.float32) for name, value in found.items()})
            log.say(f"{block}: goes on with the margin's statistics of {files.name} ({_in_words(found)})")


def _saved(method: Method, files: CheckpointFiles, log: RunLog) -> Mapping[str, Values]:
    """By block; of runs that did not note them yet, what the state holds, where it was kept."""
    noted = files.entry.get("position", {}).get(STATISTICS)
    if isinstance(noted, dict):
        return noted
    if files.state is None:
        return {}
    try:
        verify(files.state, files.manifest["sha256"].get(files.state.name))
        state = method_state(load_arrays(str(files.state)))
    except CheckpointError as error:
        log.say(f"warning: {str(error).split(';')[0]}")
        return {}
    return {
        block: _values({name: state[f"{block}.{name}"] for name in kept.state() if f"{block}.{name}" in state})
        for block, kept in method.margin_statistics.items()
    }


def _values(state: Mapping[str, Any]) -> dict[str, float]:
    """Name to value, of arrays (1,); what is not finite is left out."""
    values = {name: float(array[0]) for name, array in state.items()}
    return {name: value for name, value in values.items() if math.isfinite(value)}


def _in_words(values: Values) -> str:
    return ", ".join(f"{name} {value:.4g}" for name, value in values.items())
