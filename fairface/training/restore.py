"""A stopped run's newest checkpoint, taken back."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from fairface.checkpoints import CheckpointFiles, read_manifest, resolve
from fairface.errors import CheckpointError
from fairface.mx import NDArray
from fairface.parameters import load_arrays, set_arrays
from fairface.parsing import parse_yaml
from fairface.quantity import agree, quantity
from fairface.training.checkpointer import COPIES, method_state
from fairface.training.loss_scale import LossScale
from fairface.training.setup import Prepared
from fairface.training.start import load_inference
from fairface.training.updates import Updates

MOST_CHANGED = 0.1  # share of the sampled images that may have been replaced, as a bad record is
RENAMED = {"pair": "triplet", "final": "test"}  # groups of keys (and a method) in older runs' configurations


def saved_config(folder: Path) -> dict[str, Any]:
    """The configuration the run began with.

    Raises:
        CheckpointError: it is missing or damaged.
    """
    try:
        saved = parse_yaml((folder / "config.yaml").read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise CheckpointError(
            f"{folder / 'config.yaml'}: cannot be read ({error}); the run cannot be resumed"
        ) from error
    if not isinstance(saved, dict):
        raise CheckpointError(f"{folder / 'config.yaml'}: is damaged; the run cannot be resumed")
    renamed = {RENAMED.get(str(key), str(key)): value for key, value in saved.items()}
    return {**renamed, "method": RENAMED.get(str(saved.get("method")), saved.get("method"))}


def newest_whole(folder: Path) -> tuple[CheckpointFiles, list[str]]:
    """The newest checkpoint that can be resumed, and what is wrong with those after it.

    Raises:
        CheckpointError: none of those that have a state is whole.
    """
    problems: list[str] = []
    for entry in reversed(read_manifest(folder)["checkpoints"]):
        if "state" not in entry["files"]:
            break
        try:
            return resolve(f"{folder}@{entry['step']}", with_state=True), problems
        except CheckpointError as error:
            problems.append(str(error))
    reason = problems[0] if problems else "no checkpoint with the optimizer's state was kept"
    raise CheckpointError(
        f"{folder}: cannot be resumed ({reason}); start_from={folder}@step takes the parameters of a whole one"
    )


def check_data(folder: Path, facts: Mapping[str, Any]) -> None:
    """Raise :class:`CheckpointError` when the training data are not those that the run in ``folder`` began with."""
    known = read_manifest(folder)
    what = ""
    if known.get("data_fingerprint") != facts["data_fingerprint"]:
        what = "labels or attributes"
    elif len(changed_images(known, facts)) > MOST_CHANGED * len(facts["content"]):
        what = "images"
    if what:
        raise CheckpointError(
            f"{folder}: the training data changed since the run began ({what} differ); "
            "use the data it began with, or start_from for a new run"
        )


def changed_images(known: Mapping[str, Any], facts: Mapping[str, Any]) -> list[int]:
    """Which of the sampled images are not what they were; none where the run is older than the sample."""
    before = known.get("content")
    if not isinstance(before, list):
        return []
    return [number for number, (a, b) in enumerate(zip(before, facts["content"], strict=False)) if a != b]


def differences(folder: Path, facts: Mapping[str, Any]) -> list[str]:
    """What makes a resumed run's bits differ from those of one that was never stopped, in words."""
    known = read_manifest(folder)
    names = {"threads": "OMP_NUM_THREADS", "devices": "the devices"}
    changed = len(changed_images(known, facts))
    repaired = (
        f"{changed} of {quantity(len(facts['content']), 'sampled image')} "
        f"{agree(changed, 'is not what it was', 'are not what they were')} when the run began"
    )
    return [repaired] * bool(changed) + [
        f"{what} was {known[key]} and is now {facts[key]}: the run goes on, but its end is not bit-identical"
        for key, what in names.items()
        if known.get(key, facts[key]) != facts[key]
    ]


def restore_blocks(run: Prepared, files: CheckpointFiles) -> int:
    """Load a checkpoint's parameters; returns the updates made until then.

    Raises:
        CheckpointError: the files do not fit.
    """
    load_inference(run.method.inference(), files)
    saved = load_arrays(str(files.blocks)) if files.blocks else {}
    for name, block in run.method.blocks().items():
        if block is not run.method.inference():
            own = {key[len(name) + 1 :]: value for key, value in saved.items() if key.startswith(f"{name}.")}
            set_arrays(block, own, str(files.blocks or files.name))
    return int(files.entry["position"].get("updates", files.step))


def restore_state(
    run: Prepared, files: CheckpointFiles, updates: Updates, scale: LossScale | None
) -> dict[str, NDArray]:
    """Load a checkpoint's optimizer and method state; returns what its devices had of their own.

    Raises:
        CheckpointError: something is missing.
    """
    arrays = load_arrays(str(files.state))
    updates.load_state(arrays, str(files.state))
    run.method.load_state(method_state(arrays))
    if scale is not None and "loss_scale" in files.entry["position"]:
        scale.load_state(files.entry["position"]["loss_scale"])
    return {key[len(COPIES) :]: array for key, array in arrays.items() if key.startswith(COPIES)}
