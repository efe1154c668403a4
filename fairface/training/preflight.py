"""May this run begin? Whatever can be wrong is met before the first step, and before anything is replaced."""

from __future__ import annotations

import shutil
from pathlib import Path

from fairface.checkpoints import MANIFEST, holds_run, resolve
from fairface.config.schema import TrainConfig
from fairface.embedding.thresholds import THRESHOLDS
from fairface.errors import CheckpointError
from fairface.interop.weights import blocks_in
from fairface.methods.base import Method
from fairface.mx import NDArray, gluon
from fairface.parameters import OwnArrays, check_values, structural
from fairface.quantity import quantity
from fairface.training.setup import Prepared
from fairface.training.starting_weights import starting_weights
from fairface.training.verifier import WORST
from fairface.training.worst_rate import check_groups

CHECKPOINTS = ("model-symbol.json", "model-*.params", "blocks-*.params", "state-*.params")
# What a run writes, and so what --overwrite removes; anything else in the folder stays. In this order: until its end
# the folder is known as a run's, and no manifest names a file that is gone.
RUN_FILES = (
    MANIFEST, "log.jsonl", "log-*.jsonl", "train.log", "metrics.json", THRESHOLDS, "group.json", "batch.png",
    "classes.json", "classes-*.json", *CHECKPOINTS, ".*.part", "config.yaml",
)  # fmt: skip
RUN_FOLDERS = ("tensorboard", "crops", ".part-*")


def check_inputs(run: Prepared, resume: bool, overwrite: bool) -> None:
    """Meet now what would stop the run later: it must cost neither a training run nor the run that it replaces.

    Raises:
        FairfaceError: a verification set without the protected groups, a checkpoint to start from that cannot be used
            or lacks a block that the stage needs.
    """
    config = run.config
    if config.verify.monitor in WORST:
        for item in run.verification:
            check_groups(item.comparisons, config.verify.protected, config.verify.fmr[0], item.name)
    if not resume:
        check_needs(run.method, config)
    if config.start_from and not resume:
        source = resolve(config.start_from, config.output)
        starting_weights(run.method.inference(), source)
        if overwrite and run.folder.resolve() in source.params.resolve().parents:
            raise CheckpointError(
                f"{run.folder}: --overwrite would delete {config.start_from}, which the run starts from; "
                "give the run another name"
            )


def check_needs(method: Method, config: TrainConfig) -> None:
    """Whether ``start_from`` brings the blocks that the stage needs, in their shapes.

    Raises:
        CheckpointError: one is missing; it is named with the stage that makes it. Or one has another shape.
    """
    needs = method.stages[config.stage].needs
    if not needs:
        return
    brought = blocks_in(resolve(config.start_from, config.output)) if config.start_from else {}
    for name in needs:
        if name not in brought and not (config.start_from and method.blocks()[name] is method.inference()):
            makes = next((stage for stage, told in method.stages.items() if name in told.trains), "")
            found = f"{config.start_from} does not hold" if config.start_from else "start_from does not name"
            remedy = f"train it first: stage={makes} name=…, then start_from=…" if makes else "start from another one"
            raise CheckpointError(f"stage {config.stage} needs the block {name}, which {found}; {remedy}")
    for name, block in method.blocks().items():
        if name in needs and block is not method.inference() and not isinstance(block, OwnArrays):
            _check_fits(name, block, brought[name], config)


def _check_fits(name: str, block: gluon.Block, arrays: dict[str, NDArray], config: TrainConfig) -> None:
    try:
        check_values(block, arrays, config.start_from)
    except CheckpointError as error:
        goes_on = f"stage {config.stage} goes on with its block {name}"
        if name != "head" or "weight" not in arrays or arrays["weight"].ndim != 2:
            raise CheckpointError(f"{error}; {goes_on}") from error
        (classes, embedding), (found, length) = structural(block)["weight"].shape, arrays["weight"].shape
        differs = f"its head has {quantity(found, 'identity')}, the data have {classes}"
        remedy = "name the data that it was trained on, or train a head for these"
        if embedding != length:
            differs = f"its embeddings have {quantity(length, 'value')}, backbone.embedding is {embedding}"
            remedy = f"set backbone.embedding={length}"
        shapes = f"weight is {found, length}, this network needs {classes, embedding}"
        raise CheckpointError(f"{config.start_from}: {differs} ({shapes}); {goes_on}: {remedy}") from error


def claim_folder(folder: Path, resume: bool, overwrite: bool) -> None:
    """Make sure that a run's folder may be written.

    Raises:
        CheckpointError: it holds a run and neither ``resume`` nor ``overwrite`` was given, or there is none to resume;
            it holds checkpoints that no run wrote.
    """
    check_claim(folder, resume, overwrite)
    if overwrite and not resume and holds_run(folder):
        remove_run(folder)


def check_claim(folder: Path, resume: bool, overwrite: bool) -> None:
    """What :func:`claim_folder` refuses; nothing is removed."""
    saved = (folder / MANIFEST).is_file()
    begun = holds_run(folder)
    foreign = [] if begun else [file.name for pattern in CHECKPOINTS for file in folder.glob(pattern)]
    if foreign and not resume:
        raise CheckpointError(
            f"{folder}: holds {foreign[0]}, which no run wrote; move it away, or give this run another name"
        )
    if resume and not saved:
        remedy = "--overwrite starts the run again" if begun else "leave out --resume to start the run"
        raise CheckpointError(f"{folder}: there is no checkpoint to resume; {remedy}")
    if begun and not resume and not overwrite:
        remedy = (
            "--resume continues it, --overwrite replaces it" if saved else "it saved nothing, --overwrite replaces it"
        )
        raise CheckpointError(f"{folder}: holds a run; {remedy}, name=… makes another one")
    if begun and overwrite and not resume and folder.is_symlink():
        raise CheckpointError(f"{folder}: is a link, which --overwrite does not follow; remove it, or what it leads to")


def remove_run(folder: Path) -> None:
    """Remove the files of a run; what else is in the folder stays."""
    for pattern in RUN_FOLDERS:
        for part in folder.glob(pattern):
            shutil.rmtree(part)
    for pattern in RUN_FILES:
        for file in folder.glob(pattern):
            file.unlink()
