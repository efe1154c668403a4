"""A stopped run's newest checkpoint, taken back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from fairface.checkpoints import MANIFEST, resolve
from fairface.errors import CheckpointError
from fairface.parameters import load_arrays, set_values
from fairface.training.checkpointer import method_state
from fairface.training.loss_scale import LossScale
from fairface.training.optimizer import Optimizer
from fairface.training.setup import Prepared
from fairface.training.start import load_inference


def saved_config(folder: Path) -> dict[str, Any]:
    """The configuration the run began with.

    Raises:
        CheckpointError: it is missing or damaged.
    """
    try:
        saved = yaml.safe_load((folder / "config.yaml").read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise CheckpointError(
            f"{folder / 'config.yaml'}: cannot be read ({error}); the run cannot be resumed"
        ) from error
    if not isinstance(saved, dict):
        raise CheckpointError(f"{folder / 'config.yaml'}: is damaged; the run cannot be resumed")
    return saved


def restore_blocks(run: Prepared) -> tuple[int, int]:
    """Load the newest checkpoint's parameters; returns its step and the updates made until then.

    Raises:
        CheckpointError: the training data are not those the run began with, or the files do not fit.
    """
    files = resolve(f"{run.folder}@last", with_state=True)
    known = json.loads((run.folder / MANIFEST).read_text(encoding="utf-8")).get("data_fingerprint")
    if known != run.facts["data_fingerprint"]:
        raise CheckpointError(
            f"{run.folder}: the training data changed since the run began (labels or attributes differ); "
            "use the data it began with, or start_from for a new run"
        )
    load_inference(run.method.inference(), files)
    saved = load_arrays(str(files.blocks)) if files.blocks else {}
    for name, block in run.method.blocks().items():
        if block is not run.method.inference():
            own = {key[len(name) + 1 :]: value for key, value in saved.items() if key.startswith(f"{name}.")}
            set_values(block, own, str(files.blocks))
    return files.step, int(files.entry["position"].get("updates", files.step))


def restore_state(run: Prepared, optimizer: Optimizer, scale: LossScale | None) -> None:
    """Load the newest checkpoint's optimizer and method state."""
    files = resolve(f"{run.folder}@last", with_state=True)
    arrays = load_arrays(str(files.state)) if files.state else {}
    optimizer.load_state(arrays, str(files.state))
    run.method.load_state(method_state(arrays))
    if scale is not None and "loss_scale" in files.entry["position"]:
        scale.load_state(files.entry["position"]["loss_scale"])
