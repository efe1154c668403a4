"""Which of the checkpoints that a run's manifest names is the best one that can be used."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from fairface.checkpoints import verify
from fairface.errors import CheckpointError

NEEDED = {"params", "blocks"}  # files; the symbol is shared by all and written again with the next checkpoint


def best_whole(
    folder: Path, manifest: Mapping[str, Any], better: Callable[[float, float], bool]
) -> tuple[int | None, list[str]]:
    """The step of the best scored checkpoint whose parameters are whole (None: there is none), and what is wrong with
    the checkpoints that have a better score.

    Args:
        folder: the run's.
        manifest: its checkpoints, in the order of their steps, and the sums of their files.
        better: whether the first score is as good as the second; of equal ones the later checkpoint is the best.
    """
    left = [entry for entry in manifest["checkpoints"] if entry["score"] is not None]
    left = [entry for entry in left if math.isfinite(float(entry["score"]))]
    problems: list[str] = []
    while left:
        best = left[0]
        for entry in left[1:]:
            best = entry if better(float(entry["score"]), float(best["score"])) else best
        try:
            for role in NEEDED & best["files"].keys():
                verify(folder / best["files"][role], manifest["sha256"].get(best["files"][role]))
        except CheckpointError as error:
            problems.append(str(error))
            left.remove(best)
        else:
            return int(best["step"]), problems
    return None, problems
