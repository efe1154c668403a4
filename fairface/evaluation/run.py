"""The final evaluation: photographs in, predictions and a report out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fairface.checkpoints import resolve
from fairface.cli import finite
from fairface.console import Console
from fairface.data.encoded import FileDataset
from fairface.embedding.store import Embeddings, save_embeddings
from fairface.errors import DataError
from fairface.evaluation.assessment import Assessment, FinalOptions, assess_final, check_final
from fairface.evaluation.crops import Crops, prepare_crops
from fairface.evaluation.engines import Engines
from fairface.evaluation.facts import RunFacts
from fairface.evaluation.judged import JudgedPairs
from fairface.evaluation.layout import (
    ALIGNED,
    CALIBRATION,
    FAIRNESS,
    HARD_FILE,
    PREDICTIONS,
    REPORT,
    THREE_STEP_FILE,
    TRUTH,
)
from fairface.evaluation.output import check_output, fresh_output
from fairface.evaluation.pairs import SourcePairs, open_pairs
from fairface.evaluation.report import FinalReport
from fairface.evaluation.request import Cropping, PhotoSource, TruthSource
from fairface.evaluation.truth import KnownPairs, judge, open_truth, placeholders, write_truth
from fairface.files import atomic_write, write_json
from fairface.protocols.pair_template import TemplateCounts, write_predictions
from fairface.scoring.similarity import cosine_scores
from fairface.scoring.transductive.chain import ChainResult, ChainSteps, run_chain


@dataclass(frozen=True)
class FinalRun:
    """All that is asked of a final evaluation.

    Attributes:
        source, truth: the pairs that are scored, and their truth.
        three_step, hard: the models' names; without ``hard`` there is no fusion.
        output: folder of everything that is written.
        calibration: pairs of other people on which the threshold is fixed, and their truth.
        decimals: of the scores in predictions.csv; None: all.
    """

    source: PhotoSource
    three_step: str
    output: Path
    hard: str = ""
    truth: TruthSource = field(default_factory=TruthSource)
    calibration: tuple[PhotoSource, TruthSource] | None = None
    steps: ChainSteps = field(default_factory=ChainSteps)
    options: FinalOptions = field(default_factory=FinalOptions)
    cropping: Cropping = field(default_factory=Cropping)
    decimals: int | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Part:
    """One list of pairs: where its results go, what is known about it; ``known`` is None without a truth."""

    place: Path
    truth: TruthSource
    pairs: SourcePairs
    known: KnownPairs | None


def run_final(run: FinalRun, engines: Engines, console: Console | None = None) -> FinalReport:
    """Do all of it; writes predictions.csv, the embeddings of both models, report.md and fairness.json.

    The calibration pairs go through the same steps, among themselves, in the folder ``calibration`` below.

    Raises:
        FairfaceError: whatever a step refuses. Where names, pairs, truth, attributes or the folder are to blame,
            nothing is touched; after a later error neither this run's files are left nor an earlier one's.
    """
    for model in filter(None, (run.three_step, run.hard)):
        resolve(model)  # both are loaded only when their turn comes
    sources = [(run.source, run.truth), *([] if run.calibration is None else [run.calibration])]
    check_output(run.output, sources)
    parts = []
    for place, (source, truth) in zip((run.output, run.output / CALIBRATION), sources, strict=False):
        pairs = open_pairs(source)
        parts.append(_Part(place, truth, pairs, open_truth(pairs, truth) if truth.known else None))
    first, *others = [None if part.known is None else placeholders(part.known) for part in parts]
    if first is not None:
        check_final(first, run.options, others[0] if others else None)
    with fresh_output(run.output, sources, bool(run.hard)):
        return _compute(run, parts, engines, console or Console())


def _compute(run: FinalRun, parts: Sequence[_Part], engines: Engines, console: Console) -> FinalReport:
    """Align, embed, score and judge; what comes out is written once all of it is there."""
    crops = [prepare_crops(part.pairs, part.place / ALIGNED, run.cropping, engines, console) for part in parts]
    three_step = _embed(engines, run.three_step, crops)
    hard = _embed(engines, run.hard, crops) if run.hard else [None] * len(crops)
    chains = [
        _score(part.pairs.counts, one, other, run.steps)
        for part, one, other in zip(parts, three_step, hard, strict=True)
    ]
    judged = [
        None if part.known is None else judge(part.known, chain, one.failed, run.decimals)
        for part, chain, one in zip(parts, chains, crops, strict=True)
    ]
    report = FinalReport(_facts(run, crops[0], chains[0]), _assess(run, judged))
    markdown, numbers = report.markdown(), finite(report.to_dict())
    for part, chain, one, rows, other in zip(parts, chains, crops, three_step, hard, strict=True):
        write_predictions(part.place / PREDICTIONS, part.pairs.template, chain.final, run.decimals)
        for model, name, found in ((run.three_step, THREE_STEP_FILE, rows), (run.hard, HARD_FILE, other)):
            if found is not None:
                meta = {"model": model, "data": str(one.root), "flip": True}
                save_embeddings(part.place / name, Embeddings(found, part.pairs.counts.ids, meta))
        if part.known is not None and not part.truth.truth:
            write_truth(part.place / TRUTH, part.known)
    with atomic_write(run.output / REPORT, "w", encoding="utf-8") as file:
        file.write(markdown)
    write_json(run.output / FAIRNESS, numbers)
    return report


def _embed(engines: Engines, model: str, crops: Sequence[Crops]) -> list[NDArray[np.float32]]:
    """Flip-summed embeddings of the crops of each list."""
    embedder = engines.embedder(model)
    found = []
    for one in crops:
        found.append(embedder.embed(FileDataset(one.root, one.files)))
        _refuse_zero(found[-1], one, model)
    return found


def _refuse_zero(rows: NDArray[np.float32], crops: Crops, model: str) -> None:
    zero = np.flatnonzero(~rows.any(axis=1))
    if len(zero):
        some = ", ".join(crops.files[row] for row in zero[:3])
        raise DataError(
            f"{model}: gives {len(zero)} of {len(rows)} images an embedding of length zero ({some}), so no cosine; "
            "use another model or take these images out"
        )


def _score(
    counts: TemplateCounts, three_step: NDArray[np.float32], hard: NDArray[np.float32] | None, steps: ChainSteps
) -> ChainResult:
    a, b = counts.a, counts.b
    of_hard = None if hard is None else cosine_scores(hard, a, b)
    return run_chain(a, b, cosine_scores(three_step, a, b), of_hard, steps)


def _facts(run: FinalRun, crops: Crops, chain: ChainResult) -> RunFacts:
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
        notes=(*run.notes, *crops.notes),
    )


def _assess(run: FinalRun, judged: Sequence[JudgedPairs | None]) -> Assessment | None:
    if judged[0] is None:
        return None
    return assess_final(judged[0], run.options, judged[1] if len(judged) > 1 else None)
