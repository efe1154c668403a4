"""10-fold accuracy on the verification sets that papers report. No MXNet: the model is given as a function."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fairface.data.types import Dataset
from fairface.errors import DataError
from fairface.protocols.five_sets import FIVE
from fairface.protocols.verification_set import open_verification_set
from fairface.scoring.fold_interval import accuracy_interval
from fairface.scoring.kfold import KFoldAccuracy, kfold_accuracy, unnamed_folds
from fairface.scoring.similarity import cosine_scores

Embed = Callable[[Dataset], NDArray[np.float32]]


@dataclass(frozen=True)
class SetAccuracy:
    """Accuracy on one set.

    Attributes:
        genuine, impostor: pairs of each kind.
        folds: accuracy and threshold of each fold.
        interval: confidence interval of the mean accuracy.
    """

    genuine: int
    impostor: int
    folds: KFoldAccuracy
    interval: tuple[float, float]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; ``threshold`` is a cosine, the mean over the folds as the published programs print."""
        return {
            "accuracy": self.folds.mean, "accuracy_std": self.folds.std, "interval": list(self.interval),
            "accuracies": self.folds.accuracies.tolist(), "threshold": float(self.folds.thresholds.mean()),
            "genuine": self.genuine, "impostor": self.impostor,
        }  # fmt: skip


@dataclass(frozen=True)
class SetsAccuracy:
    """Accuracy on every set, and the mean over those of the five that are there, with its interval (None: none is)."""

    sets: Mapping[str, SetAccuracy]
    average: float | None
    interval: tuple[float, float] | None

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; ``average_of`` names the sets of the average."""
        ends = None if self.interval is None else list(self.interval)
        return {
            "sets": {title: result.to_dict() for title, result in self.sets.items()},
            "average": self.average, "average_interval": ends,
            "average_of": [title for title in FIVE if title in self.sets],
        }  # fmt: skip


def score_sets(
    paths: Mapping[str, Path], embed: Embed, folds: int = 10, level: float = 0.95,
    told: Callable[[str, SetAccuracy], object] = lambda title, result: None,
) -> SetsAccuracy:  # fmt: skip
    """Embed and score each set of ``paths`` (title to ``.bin`` or memory files).

    Args:
        paths: the sets.
        embed: from a set's images to their embeddings; those of an image and its mirror image are added before, so that
            each view counts by its length (:mod:`fairface.embedding.fusion`).
        folds: of the cross-validation; they are contiguous, or drawn where a set is sorted by truth
            (:func:`fairface.scoring.kfold.unnamed_folds`).
        level: confidence level of the intervals.
        told: called with each result as soon as it is there.

    Raises:
        DataError: a set that cannot be read or scored.
    """
    results: dict[str, SetAccuracy] = {}
    for title, path in paths.items():
        results[title] = _score(path, embed, folds, level)
        told(title, results[title])
    five = [results[title] for title in FIVE if title in results]
    if not five:
        return SetsAccuracy(results, None, None)
    ends = accuracy_interval(
        [result.folds.accuracies for result in five], [result.genuine + result.impostor for result in five], level
    )
    return SetsAccuracy(results, float(np.mean([result.folds.mean for result in five])), ends)


def _score(path: Path, embed: Embed, folds: int, level: float) -> SetAccuracy:
    given = open_verification_set(path)
    same = given.comparisons.same
    embeddings = embed(given.images)
    try:
        scores = cosine_scores(embeddings, given.comparisons.a, given.comparisons.b)
        accuracy = kfold_accuracy(scores, same, unnamed_folds(same, folds)[0])
    except DataError as error:
        raise DataError(f"{path}: {error}") from error
    genuine = int(same.sum())
    return SetAccuracy(
        genuine, len(same) - genuine, accuracy, accuracy_interval([accuracy.accuracies], [len(same)], level)
    )
