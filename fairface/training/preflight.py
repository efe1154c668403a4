"""May this run begin? Whatever can be wrong is met before the first step, and before anything is replaced."""

from __future__ import annotations

import shutil
from pathlib import Path

from fairface.checkpoints import MANIFEST, resolve
from fairface.data.images import decode
from fairface.errors import CheckpointError
from fairface.interop.weights import weights_for
from fairface.protocols.verification_set import open_verification_set
from fairface.training.setup import Prepared
from fairface.training.verifier import WORST
from fairface.training.worst_rate import check_groups

# What a run writes, and so what --overwrite removes; anything else in the folder stays.
RUN_FILES = (
    MANIFEST, "config.yaml", "log.jsonl", "metrics.json", "group.json", "batch.png", "model-symbol.json",
    "model-*.params", "blocks-*.params", "state-*.params",
)  # fmt: skip
RUN_FOLDERS = ("tensorboard", ".part-*")


def check_inputs(run: Prepared, resume: bool, overwrite: bool) -> None:
    """Open once what is read only later: a wrong name must cost neither a training run nor the run it replaces.

    Raises:
        FairfaceError: a verification or test set, or the checkpoint to start from, cannot be used.
    """
    config = run.config
    for name in (*config.verify.sets, *config.test.sets):
        found = open_verification_set(name)
        decode(found.images.encoded(0), found.images.name(0), config.data.image_size)
        if config.verify.monitor in WORST and name in config.verify.sets:
            check_groups(found.comparisons, config.verify.protected, config.verify.fmr[0], name)
    if config.start_from and not resume:
        source = resolve(config.start_from, config.output)
        weights_for(run.method.inference(), source)
        if overwrite and run.folder.resolve() in source.params.resolve().parents:
            raise CheckpointError(
                f"{run.folder}: --overwrite would delete {config.start_from}, which the run starts from; "
                "give the run another name"
            )


def claim_folder(folder: Path, resume: bool, overwrite: bool) -> None:
    """Make sure that a run's folder may be written.

    Raises:
        CheckpointError: it holds a run and neither ``resume`` nor ``overwrite`` was given, or there is none to resume.
    """
    check_claim(folder, resume, overwrite)
    if overwrite and not resume and _holds_run(folder):
        remove_run(folder)


def check_claim(folder: Path, resume: bool, overwrite: bool) -> None:
    """What :func:`claim_folder` refuses; nothing is removed."""
    saved = (folder / MANIFEST).is_file()
    holds_run = _holds_run(folder)
    if resume and not saved:
        remedy = "--overwrite starts the run anew" if holds_run else "leave out --resume to start the run"
        raise CheckpointError(f"{folder}: there is no checkpoint to resume; {remedy}")
    if holds_run and not resume and not overwrite:
        remedy = (
            "--resume continues it, --overwrite replaces it" if saved else "it saved nothing, --overwrite replaces it"
        )
        raise CheckpointError(f"{folder}: holds a run; {remedy}, name=… makes another one")
    if holds_run and overwrite and not resume and folder.is_symlink():
        raise CheckpointError(f"{folder}: is a link, which --overwrite does not follow; remove it, or what it leads to")


def _holds_run(folder: Path) -> bool:
    return (folder / MANIFEST).is_file() or (folder / "config.yaml").is_file()


def remove_run(folder: Path) -> None:
    """Remove the files of a run, and the folder when nothing else is in it."""
    for pattern in RUN_FILES:
        for file in folder.glob(pattern):
            file.unlink()
    for pattern in RUN_FOLDERS:
        for part in folder.glob(pattern):
            shutil.rmtree(part)
    if not any(folder.iterdir()):
        folder.rmdir()
