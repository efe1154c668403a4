"""One training run from its configuration to its final score."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from fairface.checkpoints import LAUNCH, STARTED_FROM, CheckpointFiles, identity, resolve
from fairface.config.load import dump
from fairface.config.schema import TrainConfig, VerifyConfig
from fairface.data.types import Batch
from fairface.errors import DeviceError, FairfaceError
from fairface.files import atomic_write, write_json
from fairface.mx import mx
from fairface.printable import printable
from fairface.quantity import agree, quantity
from fairface.report.sheet import contact_sheet, save_png
from fairface.training.alike import check_alike, fingerprints
from fairface.training.cautions import cautions
from fairface.training.checkpointer import Checkpointer
from fairface.training.freeze import freeze_all_but
from fairface.training.lock import locked
from fairface.training.log import RunLog
from fairface.training.loss_scale import LossScale
from fairface.training.margin_statistics import position_of
from fairface.training.mean_embeddings import INIT, heads_from_mean_embeddings
from fairface.training.optimizer import Optimizer
from fairface.training.pictures import pictures_of
from fairface.training.preflight import check_inputs, claim_folder
from fairface.training.restore import (
    check_data,
    differences,
    newest_whole,
    restore_blocks,
    restore_state,
    saved_config,
)
from fairface.training.resumable import check_resumable, unlike_scores
from fairface.training.run_folder import RunFolder
from fairface.training.running import RunningStatistics
from fairface.training.setup import Join, Prepared, prepare
from fairface.training.share import share_arrays, share_block, share_facts, share_run
from fairface.training.start import fine_tune, initialize, load_inference
from fairface.training.test_metrics import score_test_sets
from fairface.training.trainer import Trainer
from fairface.training.updates import Updates
from fairface.training.verifier import WORST, Verifier

SHEET_IMAGES = 64


def train(
    config: TrainConfig, resume: bool = False, overwrite: bool = False, quiet: bool = False,
    files: Mapping[str, Any] | None = None, join: Join | None = None, mark: str = "",
) -> int:  # fmt: skip
    """Run ``config`` to its end. Returns 0, or 128 + the signal's number when a signal stopped it (after saving).

    Args:
        resume, overwrite: go on with, or replace, the run in its folder.
        quiet: print nothing but results.
        files: written into the run's folder as JSON, by name, before the first step.
        join: makes the world of one of several workers, of which worker 0 reads and writes the folder.
        mark: of the launch that started these workers, for the manifest: it tells that a checkpoint is its own.

    Raises:
        FairfaceError: whatever stops the run; nothing half-written is left.
    """
    run = prepare(config, join)
    if mark:
        run = replace(run, facts={**run.facts, LAUNCH: mark})
    if run.world.size > 1:
        check_alike(run.world, fingerprints(config, run.facts, (*run.verification, *run.test)))
    if not run.world.leads:
        own = RunLog(run.folder, quiet=True, name=f"log-{run.world.rank}.jsonl", history="")
        return _logged(run, resume, own, {})
    with locked(run.folder):
        check_inputs(run, resume, overwrite)
        claim_folder(run.folder, resume, overwrite)
        return _logged(run, resume, RunLog(run.folder, config.log.tensorboard, quiet), files or {})


def _logged(run: Prepared, resume: bool, log: RunLog, files: Mapping[str, Any]) -> int:
    try:
        return _train(run, resume, log, files)
    except FairfaceError as error:
        with suppress(FairfaceError):  # train.log cannot be written either
            log.keep(f"error: {error}")
        raise
    except (mx.base.MXNetError, MemoryError) as error:
        lines = str(error).strip().splitlines()
        raise DeviceError(
            f"{run.folder}: the device gave up ({lines[-1] if lines else 'out of memory'}); a smaller batch_size needs "
            "less memory, --debug shows the whole message"
        ) from error
    finally:
        report_skipped(run, log)
        log.close()


def _train(run: Prepared, resume: bool, log: RunLog, files: Mapping[str, Any]) -> int:
    describe_data(run, log)
    trainer = assemble(run, log, resume)
    log.begin_history()
    if run.world.leads:
        # Only now: a run that refuses to go on with other data keeps what the folder says of its own.
        for number, source in enumerate(run.method.sources()):
            write_class_names(run.folder, number, source.dataset.class_names)
        for name, content in files.items():
            write_json(run.folder / name, content)
    if not resume and run.config.verify.monitor in WORST and run.config.start_from and run.verify_every:
        trainer.checkpointer.after_step(0, run.total)  # if training makes the worst group no better, the start is best
    stopped = trainer.run()
    if stopped is not None:
        log.say(f"stopped; saved in {run.folder}; the same command with --resume goes on")
        return 128 + stopped
    finish(run, trainer.checkpointer.folder, log)
    return 0


def assemble(run: Prepared, log: RunLog, resume: bool = False) -> Trainer:
    """Parameters, freezing, optimizer, checkpoints: everything between the prepared run and its first step."""
    config, world = run.config, run.world
    folder = RunFolder(run.folder, config.keep, run.facts, tidy=world.leads)
    initialize(run.method, world.contexts, config.seed, config.data.image_size)
    verifier = Verifier(run.verification, config.verify, world, config.data.image_size)
    files = begin(run, log, folder, resume) if world.leads else None
    done: dict[str, Any] = {"step": 0, "updates": 0, "unscored": False}
    if files is not None:
        unscored = files.entry["score"] is None
        done = {"step": files.step, "updates": restore_blocks(run, files), "unscored": unscored}
    done = share_facts(done, world)
    together = make_updates(run, done["updates"])
    scale = LossScale() if config.precision == "fp16" else None
    running, copies = RunningStatistics(run.method, world), {}
    if files is not None:
        copies = restore_state(run, files, together, scale)
        for problem in folder.forget_after(files.step, verifier.better):
            log.say(f"warning: {problem.split(';')[0]}; another checkpoint counts as the best now")
        log.forget_after(files.step)
    if world.size > 1:
        share_run(run.method, together, world)
        if scale is not None:
            scale.load_state(share_facts(scale.state(), world))
    running.load(share_arrays(running.rows_of(copies), world))
    checkpointer = Checkpointer(
        folder, run.method, together, verifier, log, run.save_every, run.verify_every, {"total": run.total}, scale,
        running, world.leads, done["step"] if done["unscored"] else None, lambda: position_of(run.method),
    )  # fmt: skip
    sheet = (lambda batch: write_sheet(batch, run.folder)) if config.log.sheet and done["step"] == 0 else None
    pictures = pictures_of(run) if world.leads else None
    return Trainer(
        config, run.method, run.loader, together, world, log, checkpointer, run.total, done["step"], scale,
        sheet if world.leads else None, pictures.after_step if pictures else None,
    )  # fmt: skip


def begin(run: Prepared, log: RunLog, folder: RunFolder, resume: bool) -> CheckpointFiles | None:
    """The checkpoint that a resumed run goes on from; a new one gets its folder and the parameters it starts from."""
    if resume:
        return resumed_from(run, log)
    config = run.config
    folder.write_text("config.yaml", dump(config))
    if config.start_from:
        start_fine_tune(run, log)
        folder.manifest[STARTED_FROM] = identity(config.start_from, config.output)
    elif INIT in {config.head_of(number).init_from for number in range(len(config.all_sources()))}:
        log.say(f"note: head.init_from={INIT} does nothing without start_from")
    return None


def resumed_from(run: Prepared, log: RunLog) -> CheckpointFiles:
    """The checkpoint that this run goes on from; what a user should know of it is said.

    Raises:
        CheckpointError: another configuration or other data than the run began with, or no whole checkpoint.
    """
    check_resumable(run.config, saved_config(run.folder))
    check_data(run.folder, run.facts)
    files, problems = newest_whole(run.folder)
    for problem in problems:
        log.say(f"warning: {problem.split(';')[0]}; going on from step {files.step} instead")
    for difference in (*differences(run.folder, run.facts), *unlike_scores(run.config, saved_config(run.folder))):
        log.say(f"note: {difference}")
    log.say(f"resumed at step {files.step}")
    return files


def make_updates(run: Prepared, updates: int) -> Updates:
    """Freeze what the stage does not train; the optimizer of the rest, with the method's own updaters.

    ``updates`` were made before.
    """
    config, method = run.config, run.method
    groups = method.parameter_groups(config.stage)
    others = method.updaters(config.stage)
    trained = [p for group in groups for p in group.parameters.values()]
    freeze_all_but(method.blocks(), [*trained, *(p for updater in others for p in updater.parameters)])
    optimizer = Optimizer(groups, config.optimizer, run.world.contexts, config.kvstore, updates)
    return Updates(optimizer, others, config.optimizer.clip_norm, run.world)


def describe_data(run: Prepared, log: RunLog) -> None:
    """Say what is trained on, and warn of what is odd: sizes, sets, identities with a single image."""
    for caution in cautions(run.config, run.method.sources()):
        log.say(caution)
    for source in run.method.sources():
        labels = source.dataset.labels
        for note in source.dataset.notes:
            log.say(note)
        of = "data" if len(run.method.sources()) == 1 else f"source {source.name}"
        if not source.is_labeled:
            log.say(f"{of}: {quantity(len(labels), 'image')} without labels, batch {source.batch_size}")
            continue
        counts = np.bincount(labels[labels >= 0], minlength=source.dataset.num_classes)
        single = int((counts == 1).sum())
        identities = int((counts > 0).sum())
        log.say(
            f"{of}: {quantity(len(labels), 'image')} of {quantity(identities, 'identity')}, batch {source.batch_size}"
        )
        if identities == 1:
            log.say("warning: only one identity: nothing to classify")
        if single:
            log.say(
                f"warning: {quantity(single, 'identity has', 'identities have')} one image only; a classifier learns "
                f"little from {agree(single, 'it', 'them')}"
            )
    devices = ", ".join(str(context) for context in run.world.contexts)
    log.say(f"run: {run.folder}, {quantity(run.total, 'step')} on {devices}")


def write_class_names(folder: Path, source: int, names: Sequence[str]) -> None:
    """Write ``classes.json`` (``classes-1.json`` … for further data sets): position i is what class i is called in the
    data. Nothing where classes are labels."""
    if names:
        with atomic_write(folder / f"classes{f'-{source}' if source else ''}.json", "w", encoding="utf-8") as file:
            json.dump(list(names), file, ensure_ascii=False, indent=0)


def start_fine_tune(run: Prepared, log: RunLog) -> None:
    """Take parameters from ``start_from``; a head that does not fit is made from mean embeddings when asked for."""
    config = run.config
    needs = run.method.stages[config.stage].needs
    reinitialized = fine_tune(run.method, config.start_from, config.output, log, needs)
    heads_from_mean_embeddings(run, reinitialized, log)


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
        log.say(
            f"warning: {quantity(len(skipped), 'bad record was', 'bad records were')} skipped; log.jsonl lists "
            f"{agree(len(skipped), 'it', 'them')}"
        )


def finish(run: Prepared, folder: RunFolder, log: RunLog) -> None:
    """Score the test sets with the best checkpoint; worker 0 prints the table and writes ``metrics.json``."""
    test, verify, net = run.config.test, run.config.verify, run.method.inference()
    config = VerifyConfig(folds=verify.folds, fmr=test.fmr, batch_size=verify.batch_size, split=verify.split)
    scorer = Verifier(run.test, config, run.world, run.config.data.image_size)
    if not test.sets or not scorer.takes_part:
        return
    if run.world.leads:
        load_inference(net, resolve(f"{run.folder}@{test.checkpoint}"))
    if scorer.world.size > 1:
        share_block(net, "net", run.world)
    if not run.world.leads:
        scorer.results(net, rounds=test.bootstrap)  # its share of the images
        return
    metrics, text = score_test_sets(run, scorer, net)
    folder.write_json("metrics.json", metrics)
    log.keep(f"test sets\n{text}")
    print(printable(text))
