"""The scores of every stage on an evaluation's pairs: the same crops, each stage's own chosen checkpoint."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from fairface.checkpoints import checkpoint_label, resolve
from fairface.console import Console
from fairface.errors import ConfigError, FairfaceError
from fairface.evaluation.crops import Crops
from fairface.evaluation.embedded_crops import embed_crops
from fairface.evaluation.engines import Engines
from fairface.evaluation.finetuning_stages import StageScores
from fairface.evaluation.judged import Scores
from fairface.evaluation.stage_models import StageModel
from fairface.evaluation.truth import KnownPairs, matched
from fairface.faces.layouts import DLIB, layout_of
from fairface.scoring.similarity import cosine_scores

Rows = Sequence[NDArray[np.float32]]  # embeddings of each list of pairs


def check_stages(stages: Iterable[StageModel], layout: str) -> None:
    """Refuse, before anything is computed, stages that are not there or take other faces than those of ``layout``.

    Raises:
        CheckpointError: a model that is not there.
        ConfigError: faces are aligned for dlib's net, and a stage is another one.
    """
    for stage in stages:
        own = layout_of(resolve(stage.model))
        if layout == DLIB and own != DLIB:
            raise ConfigError(
                f"--stages {stage.name}={stage.model}: takes other faces than dlib's net, for which they are aligned; "
                "leave it out"
            )


def score_stages(
    stages: Sequence[StageModel], engines: Engines, crops: Sequence[Crops], known: Sequence[KnownPairs],
    own: tuple[str, Rows], console: Console,
) -> list[StageScores]:  # fmt: skip
    """Plain cosines of each stage, one net in memory at a time.

    Args:
        stages: first to last.
        engines: what embeds.
        crops, known: of the evaluated pairs and, where there are any, of the calibration pairs.
        own: the evaluated model and its embeddings, which are not computed again.
        console: told which stage is embedded.

    A stage whose net refuses the faces has no scores, and the reason.
    """
    found = []
    for stage in stages:
        label = checkpoint_label(stage.model)
        try:
            rows = own[1] if _is_same(stage.model, own[0]) else _embedded(stage, engines, crops, console)
            scores = [_scores(*one) for one in zip(known, rows, strict=True)]
        except FairfaceError as error:  # the evaluation itself does not depend on it
            found.append(StageScores(stage.name, stage.model, label, None, reason=str(error)))
            continue
        found.append(StageScores(stage.name, stage.model, label, scores[0], scores[1] if len(scores) > 1 else None))
    return found


def _is_same(model: str, other: str) -> bool:
    return resolve(model).params.resolve() == resolve(other).params.resolve()


def _embedded(stage: StageModel, engines: Engines, crops: Sequence[Crops], console: Console) -> Rows:
    console.tell([f"stage {stage.name}"])
    return embed_crops(engines, stage.model, crops)


def _scores(known: KnownPairs, rows: NDArray[np.float32]) -> Scores:
    counts = known.pairs.counts
    return matched(known, cosine_scores(rows, counts.a, counts.b))
