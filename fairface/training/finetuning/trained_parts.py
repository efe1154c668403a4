"""The classifiers of a trained run, and what they take an embedding for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray as Array

from fairface.config.schema import TrainConfig
from fairface.data.types import UNLABELED
from fairface.errors import CheckpointError
from fairface.heads import build_head
from fairface.heads.classifier import Classifier
from fairface.methods.lpd import PARTIAL
from fairface.mx import Context, NDArray, nd
from fairface.parameters import load_arrays, set_values
from fairface.quantity import quantity

HEAD = "head"


@dataclass(frozen=True)
class Part:
    """A classifier and the columns of the embedding that it was trained on."""

    head: Classifier
    columns: slice


def load_parts(config: TrainConfig, path: Path, classes: int, context: Context, source: int = 0) -> list[Part]:
    """The run's classifiers of one source: LPD has one for each half of its embedding, others have one.

    Raises:
        CheckpointError: see :func:`load_head`.
    """
    names = (HEAD, PARTIAL) if config.method == "lpd" else (HEAD,)
    width = config.backbone.embedding // len(names)
    return [
        Part(load_head(config, path, classes, context, source, name, width), slice(place * width, (place + 1) * width))
        for place, name in enumerate(names)
    ]


def load_head(
    config: TrainConfig, path: Path, classes: int, context: Context, source: int = 0, name: str = HEAD, width: int = 0
) -> Classifier:
    """The run's trained head ``name``, which tells the identities of the source at position ``source`` apart.

    ``width`` is how much of the embedding it takes; all unless told.

    Raises:
        CheckpointError: it has other classes than ``classes``.
    """
    start = f"{name}."
    own = {key[len(start) :]: value for key, value in load_arrays(str(path)).items() if key.startswith(start)}
    weight = own.get("weight")
    if weight is None:
        raise CheckpointError(f"{path}: holds no class weights; name a run that was trained with a head")
    if weight.shape[0] != classes:
        raise CheckpointError(
            f"{path}: the classifier knows {quantity(weight.shape[0], 'identity')}, the data have {classes}; "
            "name the data it was trained on"
        )
    head = build_head(config.head_of(source), width or config.backbone.embedding, classes)
    head.initialize(ctx=context)
    set_values(head, own, str(path))
    return head


def predict(parts: Sequence[Part], embeddings: Array[np.float32], context: Context, rows: int = 256) -> Array[np.int64]:
    """(N,) the class that scores highest for each of ``embeddings (N, D)``, without margins; several classifiers add
    up their logits."""
    found = []
    for start in range(0, len(embeddings), rows):
        block = embeddings[start : start + rows]
        logits = sum(_logits(part.head, nd.array(block[:, part.columns], ctx=context)) for part in parts)
        found.append(logits.argmax(axis=1).asnumpy().astype(np.int64))
    return np.concatenate(found)


def _logits(head: Classifier, embeddings: NDArray) -> NDArray:
    """Without margins, which label -1 asks a head for; its statistics, which only shape margins, do not matter then."""
    statistics = [] if head.statistic is None else [nd.ones((1,), ctx=embeddings.context) for _ in head.statistic.start]
    logits = head(embeddings, nd.full((len(embeddings),), UNLABELED, ctx=embeddings.context), *statistics)
    return head.non_target_logits(embeddings, logits)
