"""The challenge's chain of steps from two models' scores to one, each of which can be left out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fairface.errors import ConfigError
from fairface.scoring.transductive.fuse import fuse
from fairface.scoring.transductive.gap_cut import gap_cut
from fairface.scoring.transductive.pairs import Floats, Ints
from fairface.scoring.transductive.rerank import rerank

TRANSDUCTIVE = "transductive"


@dataclass(frozen=True)
class ChainSteps:
    """Which steps are on."""

    rerank: bool = True
    cut: bool = True
    fuse: bool = True


@dataclass(frozen=True)
class StepResult:
    """What one step did: whether it was ``on``, and how many of the scores it ``changed``."""

    name: str
    on: bool
    changed: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {"step": self.name, "on": self.on, "kind": TRANSDUCTIVE, "changed": self.changed}


@dataclass(frozen=True)
class ChainResult:
    """Scores (M,) after all steps, the models' own, and what each step did; ``hard`` is None without such a model."""

    scores: Floats
    three_step: Floats
    hard: Floats | None
    steps: tuple[StepResult, ...]


def run_chain(
    a: Ints, b: Ints, three_step: NDArray[np.floating], hard: NDArray[np.floating] | None, steps: ChainSteps
) -> ChainResult:
    """Re-ranking and gap cut of the scores ``three_step (M,)``, then fusion with ``hard (M,)``.

    Raises:
        ConfigError: fusion without the hard-sample model's scores.
        DataError: scores that are not finite or do not fit the pairs.
    """
    if steps.fuse and hard is None:
        raise ConfigError("fusion needs the hard-sample model's scores; name that model or switch fusion off")
    given = np.asarray(three_step, np.float64)
    other = None if hard is None else np.asarray(hard, np.float64)
    scores, done = given, []
    for name, on in (("rerank", steps.rerank), ("cut", steps.cut), ("fuse", steps.fuse)):
        before = scores
        if on and name == "rerank":
            scores = rerank(a, b, scores)
        elif on and name == "cut":
            scores = gap_cut(a, b, scores)
        elif on and other is not None:
            scores = fuse(other, scores)
        done.append(StepResult(name, on, int((scores != before).sum())))
    return ChainResult(scores, given, other, tuple(done))
