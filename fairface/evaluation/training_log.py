"""The log of the run that a model comes from, as curves."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from fairface.checkpoints import run_and_step, run_folder
from fairface.errors import CheckpointError
from fairface.parsing import parse_json
from fairface.report.page.panel import Panel
from fairface.report.page.training import Series, training_panel

_LOG = "log.jsonl"
_TRAIN = "train"
_VERIFY = "verify/"
_MEASURES = ("auc", "accuracy", "fmr_worst", "fnmr_worst")
_NO_LOSSES = ("time", "accuracy", "lr", "images_per_second", "loss_scale")


def training_curves(model: str) -> Panel | None:
    """The curves of the run that ``model`` (``run`` or ``run@step``) names; None where it is no run or left no log."""
    try:
        folder = run_folder(run_and_step(model)[0])
    except CheckpointError:
        return None
    log = folder / _LOG
    if not log.is_file():
        return None
    losses: dict[str, list[tuple[int, float]]] = {}
    verified: dict[str, list[tuple[int, float]]] = {}
    for event, step, values in _entries(log):
        set_name = event.removeprefix(_VERIFY)
        for name, value in values.items():
            if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
                continue
            if event == _TRAIN and name not in _NO_LOSSES:
                losses.setdefault(name, []).append((step, float(value)))
            elif event != _TRAIN and name in _MEASURES:
                verified.setdefault(f"{name} of {set_name}", []).append((step, float(value)))
    if not losses and not verified:
        return None
    return training_panel(folder.name, _series(losses), _series(verified))


def _entries(log: Path) -> Iterator[tuple[str, int, dict[str, Any]]]:
    """Of training and verification; a last line that a power cut left half-written is passed over."""
    with log.open(encoding="utf-8", errors="replace") as file:
        for line in file:
            try:
                entry = parse_json(line)
            except ValueError:
                continue
            if not isinstance(entry, dict) or not isinstance(entry.get("step"), int):
                continue
            event = str(entry.pop("event", ""))
            if event == _TRAIN or event.startswith(_VERIFY):
                yield event, entry.pop("step"), entry


def _series(found: dict[str, list[tuple[int, float]]]) -> dict[str, Series]:
    return {
        name: Series(np.array([step for step, _ in of], np.int64), np.array([value for _, value in of], np.float64))
        for name, of in found.items()
    }
