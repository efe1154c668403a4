"""The evaluation: photographs in, predictions and a report out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fairface.checkpoints import checkpoint_label, resolve
from fairface.cli import finite
from fairface.console import Console
from fairface.embedding.store import Embeddings, save_embeddings
from fairface.errors import MissingPackageError
from fairface.evaluation.assessment import Assessment, EvaluationOptions, assess_evaluation, check_evaluation
from fairface.evaluation.crops import Crops, prepare_crops
from fairface.evaluation.embedded_crops import embed_crops
from fairface.evaluation.engines import Engines
from fairface.evaluation.evaluation_page import evaluation_page
from fairface.evaluation.facts import RunFacts
from fairface.evaluation.finetuning_stages import FinetuningStages, assess_stages_of
from fairface.evaluation.judged import JudgedPairs
from fairface.evaluation.output import (
    ALIGNED,
    CALIBRATION,
    FAIRNESS,
    HARD_FILE,
    PAGE,
    PREDICTIONS,
    REPORT,
    THREE_STEP_FILE,
    TRUTH,
    check_output,
    inputs_of,
    planned,
)
from fairface.evaluation.pairs import SourcePairs, open_pairs
from fairface.evaluation.replacement import fresh_output
from fairface.evaluation.report import EvaluationReport
from fairface.evaluation.request import Cropping, PhotoSource, TruthSource
from fairface.evaluation.stage_models import StageChoice
from fairface.evaluation.stage_scores import check_stages, score_stages
from fairface.evaluation.truth import KnownPairs, judge, open_truth, placeholders, write_truth
from fairface.faces.layouts import layout_of
from fairface.files import atomic_write, write_json
from fairface.protocols.pair_template import TemplateCounts, write_predictions
from fairface.report.page.document import write_page
from fairface.report.page.svg import check_drawing
from fairface.scoring.similarity import cosine_scores
from fairface.scoring.transductive.chain import ChainResult, ChainSteps, run_chain


@dataclass(frozen=True)
class EvaluationRequest:
    """All that is asked of an evaluation.

    Attributes:
        source, truth: the pairs that are scored, and their truth.
        three_step, hard: the models' names; without ``hard`` there is no fusion.
        output: folder of everything that is written.
        calibration: pairs of other subjects on which the threshold is fixed, and their truth.
        decimals: of the scores in predictions.csv; None: all.
        command: how the program was started, for the page.
        faces: whether the page shows the worst errors as faces.
        stages: models that are compared with ``three_step`` on the same pairs, such as the steps of its finetuning;
            they need a truth and protected attributes.
    """

    source: PhotoSource
    three_step: str
    output: Path
    hard: str = ""
    truth: TruthSource = field(default_factory=TruthSource)
    calibration: tuple[PhotoSource, TruthSource] | None = None
    steps: ChainSteps = field(default_factory=ChainSteps)
    options: EvaluationOptions = field(default_factory=EvaluationOptions)
    cropping: Cropping = field(default_factory=Cropping)
    decimals: int | None = None
    notes: tuple[str, ...] = ()
    command: str = "not told"
    faces: bool = False
    stages: StageChoice = field(default_factory=StageChoice)


@dataclass(frozen=True)
class _Part:
    """One list of pairs: the folder of its results below the output's, what is known about it (None: no truth)."""

    folder: str
    truth: TruthSource
    pairs: SourcePairs
    known: KnownPairs | None


def run_evaluation(run: EvaluationRequest, engines: Engines, console: Console | None = None) -> EvaluationReport:
    """Do all of it; writes predictions.csv, the embeddings of both models, report.md,
    fairness.json and, where the truth is known and matplotlib is installed, report.html.

    The calibration pairs go through the same steps, among themselves, in the folder ``calibration`` below.

    Raises:
        FairfaceError: whatever a step refuses. Files of an earlier run stay as they are until this one is done.
    """
    # Both are loaded only when their turn comes.
    layouts = [layout_of(resolve(model)) for model in (run.three_step, run.hard) if model]
    run = replace(run, cropping=run.cropping.for_models(layouts))
    check_stages(run.stages.models, run.cropping.layout)
    sources = [(run.source, run.truth), *([] if run.calibration is None else [run.calibration])]
    opened = [(open_pairs(source), truth) for source, truth in sources]
    inputs = inputs_of(opened, run.output)
    check_output(run.output, planned(opened, bool(run.hard)), inputs)
    parts = [
        _Part(folder, truth, pairs, open_truth(pairs, truth) if truth.known else None)
        for folder, (pairs, truth) in zip(("", CALIBRATION), opened, strict=False)
    ]
    first, *others = [None if part.known is None else placeholders(part.known) for part in parts]
    if first is not None:
        check_evaluation(first, run.options, others[0] if others else None)
    with fresh_output(run.output, inputs.hold) as folder:
        return _compute(run, parts, folder, engines, console or Console())


def _compute(
    run: EvaluationRequest, parts: Sequence[_Part], folder: Path, engines: Engines, console: Console
) -> EvaluationReport:
    """Align, embed, score and judge, all of it in ``folder``."""
    crops = [
        prepare_crops(part.pairs, folder / part.folder / ALIGNED, run.cropping, engines, console) for part in parts
    ]
    three_step = embed_crops(engines, run.three_step, crops)
    hard = embed_crops(engines, run.hard, crops) if run.hard else [None] * len(crops)
    chains = [
        _score(part.pairs.counts, one, other, run.steps)
        for part, one, other in zip(parts, three_step, hard, strict=True)
    ]
    judged = [
        None if part.known is None else judge(part.known, chain, one.failed, run.decimals)
        for part, chain, one in zip(parts, chains, crops, strict=True)
    ]
    stages = _stages(run, parts, crops, three_step, judged, engines, console)
    report = EvaluationReport(_facts(run, crops[0], chains[0]), _assess(run, judged), stages)
    for part, chain, rows, other in zip(parts, chains, three_step, hard, strict=True):
        _write_part(run, part, folder / part.folder, chain, {THREE_STEP_FILE: rows, HARD_FILE: other})
    with atomic_write(folder / REPORT, "w", encoding="utf-8") as file:
        file.write(report.markdown())
    write_json(folder / FAIRNESS, finite(report.to_dict()))
    if judged[0] is not None:
        _write_page(run, report, judged[0], crops[0], folder, console)
    return report


def _write_page(
    run: EvaluationRequest, report: EvaluationReport, judged: JudgedPairs, crops: Crops, folder: Path, console: Console
) -> None:
    try:
        check_drawing(PAGE)
    except MissingPackageError as error:
        console.tell([f"not written: {error}"])
        return
    page = evaluation_page(report, judged, run.command, crops if run.faces else None)
    if page is not None:
        write_page(folder / PAGE, page)


def _write_part(
    run: EvaluationRequest,
    part: _Part,
    place: Path,
    chain: ChainResult,
    embeddings: Mapping[str, NDArray[np.float32] | None],
) -> None:
    """Predictions, embeddings by the names of their files and, where subjects are named, the truth of one list."""
    write_predictions(place / PREDICTIONS, part.pairs.template, chain.scores, run.decimals)
    data = part.pairs.source.aligned or run.output / part.folder / ALIGNED
    for model, (name, rows) in zip((run.three_step, run.hard), embeddings.items(), strict=True):
        if rows is not None:
            meta = {"model": model, "data": str(data), "flip": True}
            save_embeddings(place / name, Embeddings(rows, part.pairs.counts.ids, meta))
    if part.known is not None and not part.truth.truth:
        write_truth(place / TRUTH, part.known)


def _score(
    counts: TemplateCounts, three_step: NDArray[np.float32], hard: NDArray[np.float32] | None, steps: ChainSteps
) -> ChainResult:
    a, b = counts.a, counts.b
    of_hard = None if hard is None else cosine_scores(hard, a, b)
    return run_chain(a, b, cosine_scores(three_step, a, b), of_hard, steps)


def _facts(run: EvaluationRequest, crops: Crops, chain: ChainResult) -> RunFacts:
    counts = crops.pairs.counts
    return RunFacts(
        three_step=run.three_step,
        hard=run.hard,
        source=crops.pairs.template.source,
        pairs=len(counts.a),
        images=len(counts.ids),
        repeated=counts.repeated,
        self_pairs=counts.self_pairs,
        steps=chain.steps,
        failed=crops.failed,
        notes=(*run.notes, *crops.notes, *([run.stages.note] if run.stages.note else [])),
        checkpoints={
            role: checkpoint_label(model)
            for role, model in (("three_step", run.three_step), ("hard_sample", run.hard))
            if model
        },
    )


def _assess(run: EvaluationRequest, judged: Sequence[JudgedPairs | None]) -> Assessment | None:
    if judged[0] is None:
        return None
    return assess_evaluation(judged[0], run.options, judged[1] if len(judged) > 1 else None)


def _stages(
    run: EvaluationRequest, parts: Sequence[_Part], crops: Sequence[Crops], three_step: Sequence[NDArray[np.float32]],
    judged: Sequence[JudgedPairs | None], engines: Engines, console: Console,
) -> FinetuningStages | None:  # fmt: skip
    known = [part.known for part in parts if part.known is not None]
    first, *others = judged
    if not run.stages.models or first is None:
        return None
    scored = score_stages(run.stages.models, engines, crops, known, (run.three_step, three_step), console)
    return assess_stages_of(scored, first, run.options, others[0] if others else None)
