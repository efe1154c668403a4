"""Accuracy and gaps between groups over several runs on the same pairs, such as the steps of a finetuning. No MXNet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from fairface.comparisons import Comparisons
from fairface.report.page.panel import Panel, key_of
from fairface.report.page.pareto import Stage, pareto_panel
from fairface.scoring.fairness.assess import assess
from fairface.scoring.fairness.options import FairnessOptions
from fairface.scoring.fairness.result import FairnessResult
from fairface.scoring.fairness.threshold import calibrated_threshold

Floats = NDArray[np.float64]
ERRORS = ("fmr", "fnmr")


def assess_stages(
    scores: Mapping[str, Floats], comparisons: Comparisons, protected: Sequence[str], fmr: float,
    options: FairnessOptions,
) -> dict[str, FairnessResult]:  # fmt: skip
    """The fairness of each run's finite scores (M,), by name, each at its own threshold at ``fmr`` on these pairs.

    Raises:
        DataError: see :func:`fairface.scoring.fairness.assess.assess`.
    """
    return {
        name: assess(of, comparisons, protected, calibrated_threshold(of, comparisons.same, fmr), options)
        for name, of in scores.items()
    }


def stage_panels(results: Mapping[str, FairnessResult], fmr: float) -> list[Panel]:
    """TAR against the gap in FMR and in FNMR, by all protected attributes together."""
    panels = []
    for error in ERRORS:
        stages = []
        for name, result in results.items():
            gap = list(result.groupings.values())[-1].scalars[f"{error}_gap"]
            stages.append(Stage(name, 1.0 - result.fnmr.value, gap.value, gap.low, gap.high))
        panels.append(pareto_panel(stages, f"TAR at FMR {fmr:g}", f"gap in {error.upper()}", key_of("pareto", error)))
    return panels
