"""The final evaluation: photographs in, predictions and a report out."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fairface.cli import finite
from fairface.data.encoded import FileDataset
from fairface.embedding.final_crops import Crops, prepare_crops
from fairface.embedding.final_output import (
    ALIGNED,
    CALIBRATION,
    FAIRNESS,
    HARD_FILE,
    PREDICTIONS,
    REPORT,
    THREE_STEP_FILE,
    clear_output,
)
from fairface.embedding.final_source import Cropping, PhotoSource
from fairface.embedding.final_truth import TruthSource, judge
from fairface.embedding.of_model import load_embedder
from fairface.embedding.store import Embeddings, save_embeddings
from fairface.errors import DataError
from fairface.files import atomic_write
from fairface.protocols.pair_template import write_predictions
from fairface.report.final_assessment import Assessment, FinalOptions, assess_final
from fairface.report.final_facts import RunFacts
from fairface.report.final_pairs import JudgedPairs
from fairface.report.final_report import FinalReport
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
    devices: str = ""
    batch_size: int = 64
    decimals: int | None = None
    notes: tuple[str, ...] = ()


def run_final(run: FinalRun) -> FinalReport:
    """Do all of it; writes predictions.csv, the embeddings of both models, report.md and fairness.json.

    The calibration pairs go through the same steps, among themselves, in the folder ``calibration`` below.

    Raises:
        FairfaceError: whatever a step refuses; nothing of an earlier run is left beside what this one writes.
    """
    places = [run.output]
    sources = [(run.source, run.truth)]
    if run.calibration is not None:
        places.append(run.output / CALIBRATION)
        sources.append(run.calibration)
    clear_output(run.output, sources)
    crops = [
        prepare_crops(source, place / ALIGNED, run.cropping) for place, (source, _) in zip(places, sources, strict=True)
    ]
    three_step = _embed(run, run.three_step, THREE_STEP_FILE, places, crops)
    hard = _embed(run, run.hard, HARD_FILE, places, crops) if run.hard else [None] * len(crops)
    chains, judged = [], []
    for place, (_, truth), one, first, second in zip(places, sources, crops, three_step, hard, strict=True):
        chains.append(_score(one, first, second, run.steps))
        predictions = place / PREDICTIONS
        write_predictions(predictions, one.template, chains[-1].final, run.decimals)
        told = judge(one.template, chains[-1], predictions, truth, one.failed, one.photographs) if truth.known else None
        judged.append(told)
    report = FinalReport(_facts(run, crops[0], chains[0]), _assess(run, judged))
    with atomic_write(run.output / REPORT, "w", encoding="utf-8") as file:
        file.write(report.markdown())
    with atomic_write(run.output / FAIRNESS, "w", encoding="utf-8") as file:
        json.dump(finite(report.to_dict()), file, indent=2)
    return report


def _embed(
    run: FinalRun, model: str, file: str, places: Sequence[Path], crops: Sequence[Crops]
) -> list[NDArray[np.float32]]:
    """Flip-summed embeddings of the crops of each place, which are kept there."""
    embedder = load_embedder(model, run.devices, run.batch_size, flip=True)
    found = []
    for place, one in zip(places, crops, strict=True):
        found.append(embedder.embed(FileDataset(one.root, one.files)))
        _refuse_zero(found[-1], one, model)
        meta = {"model": model, "data": str(one.root), "flip": True}
        place.mkdir(parents=True, exist_ok=True)
        save_embeddings(place / file, Embeddings(found[-1], one.counts.ids, meta))
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
    crops: Crops, three_step: NDArray[np.float32], hard: NDArray[np.float32] | None, steps: ChainSteps
) -> ChainResult:
    a, b = crops.counts.a, crops.counts.b
    of_hard = None if hard is None else cosine_scores(hard, a, b)
    return run_chain(a, b, cosine_scores(three_step, a, b), of_hard, steps)


def _facts(run: FinalRun, crops: Crops, chain: ChainResult) -> RunFacts:
    counts = crops.counts
    return RunFacts(
        three_step=run.three_step,
        hard=run.hard,
        source=crops.template.source,
        pairs=len(counts.a),
        images=len(counts.ids),
        repeated=counts.repeated,
        of_itself=counts.of_itself,
        steps=chain.steps,
        failed=crops.failed,
        notes=(*run.notes, *crops.notes),
    )


def _assess(run: FinalRun, judged: Sequence[JudgedPairs | None]) -> Assessment | None:
    if judged[0] is None:
        return None
    return assess_final(judged[0], run.options, judged[1] if len(judged) > 1 else None)
