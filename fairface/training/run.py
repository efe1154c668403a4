"""One training run from its configuration to its final score."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from fairface.config.load import dump
from fairface.config.schema import TrainConfig, VerifyConfig
from fairface.data.opening import verification_sets
from fairface.data.types import Batch
from fairface.embedding.mxnet import NetEmbedder
from fairface.errors import CheckpointError
from fairface.interop.grammar import MANIFEST, resolve
from fairface.parameters import load_arrays, set_values
from fairface.protocols.verification_set import open_verification_set
from fairface.report.sheet import contact_sheet, save_png
from fairface.training.checkpointer import Checkpointer, method_state
from fairface.training.final import final_metrics
from fairface.training.freeze import freeze_all_but
from fairface.training.log import RunLog
from fairface.training.loss_scale import LossScale
from fairface.training.optimizer import Optimizer
from fairface.training.run_folder import RunFolder
from fairface.training.setup import Prepared, check_resumable, prepare
from fairface.training.start import fine_tune, head_from_mean_embeddings, initialize, load_inference
from fairface.training.trainer import Trainer
from fairface.training.verifier import Verifier

SHEET_IMAGES = 64


def train(config: TrainConfig, resume: bool = False, overwrite: bool = False, quiet: bool = False) -> int:
    """Run ``config`` to its end. Returns 0, or 128 + the signal's number when a signal stopped it (after saving).

    Raises:
        FairfaceError: whatever stops the run; nothing half-written is left.
    """
    run = prepare(config)
    claim_folder(run.folder, resume, overwrite)
    log = RunLog(run.folder, config.log.tensorboard, quiet)
    try:
        return _train(run, resume, log)
    finally:
        log.close()


def claim_folder(folder: Path, resume: bool, overwrite: bool) -> None:
    """Make sure that a run's folder may be written.

    Raises:
        CheckpointError: it holds a run and neither ``resume`` nor ``overwrite`` was given, or there is none to resume.
    """
    holds_run = (folder / MANIFEST).is_file() or (folder / "config.yaml").is_file()
    if resume and not (folder / MANIFEST).is_file():
        raise CheckpointError(f"{folder}: there is no checkpoint to resume; leave out --resume to start the run")
    if holds_run and not resume and not overwrite:
        raise CheckpointError(
            f"{folder}: holds a run; --resume continues it, --overwrite replaces it, name=… makes another one"
        )
    if holds_run and overwrite and not resume:
        shutil.rmtree(folder)


def _train(run: Prepared, resume: bool, log: RunLog) -> int:
    describe_data(run, log)
    trainer = assemble(run, log, resume)
    stopped = trainer.run()
    report_skipped(run, log)
    if stopped is not None:
        log.say(f"stopped; saved in {run.folder}; the same command with --resume goes on")
        return 128 + stopped
    finish(run, trainer.checkpointer.folder)
    return 0


def assemble(run: Prepared, log: RunLog, resume: bool = False) -> Trainer:
    """Parameters, freezing, optimizer, checkpoints: everything between the prepared run and its first step."""
    config = run.config
    folder = RunFolder(run.folder, config.keep, run.facts)
    initialize(run.method, run.contexts, config.seed, config.data.image_size)
    verifier = make_verifier(run)
    start = 0
    if resume:
        check_resumable(config, saved_config(run.folder))
        start = restore_blocks(run)
    else:
        folder.write_text("config.yaml", dump(config))
        if config.start_from:
            start_fine_tune(run, log)
    groups = run.method.parameter_groups(config.stage)
    freeze_all_but(run.method.blocks(), [p for group in groups for p in group.parameters.values()])
    scale = LossScale() if config.precision == "fp16" else None
    optimizer = Optimizer(groups, config.optimizer, run.contexts, config.kvstore, begin_step=start)
    if resume:
        restore_state(run, optimizer, scale)
    checkpointer = Checkpointer(
        folder, run.method, optimizer, verifier, log, run.save_every, run.verify_every, {"total": run.total}, scale
    )
    sheet = (lambda batch: write_sheet(batch, run.folder)) if config.log.sheet and start == 0 else None
    return Trainer(
        config, run.method, run.loader, optimizer, run.contexts, log, checkpointer, run.total, start, scale, sheet
    )


def make_verifier(run: Prepared) -> Verifier:
    """The verification sets that the configuration names, else the ``.bin`` files beside the training data."""
    names = list(run.config.verify.sets)
    if not names and Path(run.config.data.path).is_dir():
        names = [str(path) for path in verification_sets(run.config.data.path).values()]
    sets = [open_verification_set(name) for name in names]
    return Verifier(sets, run.config.verify, run.contexts, run.config.data.image_size)


def describe_data(run: Prepared, log: RunLog) -> None:
    """Say what is trained on, and warn of people with a single image."""
    for source in run.method.sources():
        labels = source.dataset.labels
        counts = np.bincount(labels[labels >= 0], minlength=source.dataset.num_classes)
        single = int((counts == 1).sum())
        log.say(f"data: {len(labels)} images of {int((counts > 0).sum())} people, batch {source.batch_size}")
        if single:
            log.say(f"warning: {single} people have one image only; a classifier learns little from them")
    devices = ", ".join(str(context) for context in run.contexts)
    log.say(f"run: {run.folder}, {run.total} steps on {devices}")


def start_fine_tune(run: Prepared, log: RunLog) -> None:
    """Take parameters from ``start_from``; a head that does not fit is made from mean embeddings when asked for."""
    config = run.config
    anew = fine_tune(run.method, config.start_from, config.output, log)
    if "head" in anew and config.head.init_from == "mean_embedding":
        source = run.method.sources()[0]
        embedder = NetEmbedder(run.method.inference(), run.contexts, config.verify.batch_size, config.verify.flip)
        head_from_mean_embeddings(run.method.blocks()["head"], embedder, source.dataset)
        log.say("head starts from the mean embedding of each person")


def restore_blocks(run: Prepared) -> int:
    """Load the newest checkpoint's parameters; returns its step.

    Raises:
        CheckpointError: the training data are not those the run began with, or the files do not fit.
    """
    files = resolve(f"{run.folder}@last")
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
    return files.step


def restore_state(run: Prepared, optimizer: Optimizer, scale: LossScale | None) -> None:
    """Load the newest checkpoint's optimizer and method state."""
    files = resolve(f"{run.folder}@last")
    arrays = load_arrays(str(files.state)) if files.state else {}
    optimizer.load_state(arrays, str(files.state))
    run.method.load_state(method_state(arrays))
    if scale is not None and "loss_scale" in files.entry["position"]:
        scale.load_state(files.entry["position"]["loss_scale"])


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


def write_sheet(batch: Batch, folder: Path) -> None:
    """Write ``batch.png``: the first batch as the net sees it."""
    images = batch.images[:SHEET_IMAGES]
    save_png(folder / "batch.png", contact_sheet(images, columns=8))


def report_skipped(run: Prepared, log: RunLog) -> None:
    """List the records that could not be used (``data.on_bad_record=skip``)."""
    skipped = run.loader.skipped
    for name, reason in skipped.items():
        log.record("skipped", run.total, {"record": name, "reason": reason})
    if skipped:
        log.say(f"warning: {len(skipped)} bad records were skipped; log.jsonl lists them")


def finish(run: Prepared, folder: RunFolder) -> None:
    """Score the test sets with the best checkpoint, print the table and write ``metrics.json``."""
    final = run.config.final
    if not final.sets:
        return
    load_inference(run.method.inference(), resolve(f"{run.folder}@{final.checkpoint}"))
    config = VerifyConfig(folds=run.config.verify.folds, fmr=final.fmr, batch_size=run.config.verify.batch_size)
    sets = [open_verification_set(name) for name in final.sets]
    scorer = Verifier(sets, config, run.contexts, run.config.data.image_size)
    metrics, text = final_metrics(run, scorer, run.method.inference())
    folder.write_json("metrics.json", metrics)
    print(text)
