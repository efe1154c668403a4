"""Two runs on the same pairs, side by side, with intervals of their differences. No MXNet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fairface.comparisons import Comparisons
from fairface.evaluation.acquisition import ScoredPairs
from fairface.evaluation.run_scores import names_of, scores_of_run
from fairface.evaluation.scored_pairs import PairSource, open_scored
from fairface.evaluation.side_by_side import Row, SideBySide, side_by_side
from fairface.evaluation.stages import assess_stages
from fairface.evaluation.verified import VerifiedSet, VerifyOptions, verify_pairs
from fairface.quantity import agree, quantity
from fairface.report.side_by_side_table import side_by_side_rows
from fairface.scoring.fairness.accounting import usable_scores
from fairface.scoring.fairness.compare import compare
from fairface.scoring.fairness.difference import Change, few_subjects
from fairface.scoring.fairness.grouped import select
from fairface.scoring.fairness.options import FairnessOptions
from fairface.scoring.fairness.result import FairnessResult

BETTER, WORSE, UNKNOWN, MISSING, UNJUDGED = "better", "worse", "not distinguishable", "n/a", "not judged"
_LOWER_IS_BETTER = ("eer",)
_NO_WIDTH = 1e-12  # every round gave the same: too few people to claim anything


@dataclass(frozen=True)
class ComparedRuns:
    """Both runs.

    Attributes:
        names: of the first and of the second.
        verified: each by itself, on the pairs that both scored.
        beside: measures of both, and intervals of second minus first.
        changes: error rates by group, from the first to the second, each at its own threshold; by grouping.
        stages: the fairness of both and of the runs between them, by name, where groups are named.
        threshold_fmr: at which their thresholds are set.
        notes: what a reader must know.
    """

    names: tuple[str, str]
    verified: tuple[VerifiedSet, VerifiedSet]
    beside: SideBySide
    changes: Mapping[str, Change] = field(default_factory=dict)
    stages: Mapping[str, FairnessResult] = field(default_factory=dict)
    threshold_fmr: float = 0.01
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; differences are second minus first."""
        measures = {}
        for row in self.beside.rows:
            told = row.to_dict()
            measures[row.key] = {"first": told["unmasked"], "second": told["masked"], "difference": told["difference"],
                                 "interval": told["interval"], "verdict": verdict(row)}  # fmt: skip
        drawn = self.beside.difference.drawn if self.beside.difference else None
        return {
            "first": self.names[0], "second": self.names[1], "drawn": drawn, "measures": measures,
            "groups": {name: change.to_dict() for name, change in self.changes.items()},
            "stages": {name: result.to_dict() for name, result in self.stages.items()}, "notes": list(self.notes),
        }  # fmt: skip


def verdict(row: Row) -> str:
    """Whether the second run is better, as far as the interval tells; ``n/a`` where the difference is undefined, and
    "not judged: " with the reason where the interval must decide nothing."""
    if np.isnan(row.difference):
        return MISSING
    if row.interval is not None and row.unjudged:
        return f"{UNJUDGED}: {row.unjudged}"
    if row.interval is None or not (row.interval.low > 0 or row.interval.high < 0):
        return UNKNOWN
    if row.interval.high - row.interval.low <= _NO_WIDTH:
        return UNKNOWN
    rises = row.interval.low > 0
    return BETTER if rises != (row.key in _LOWER_IS_BETTER) else WORSE


def compare_runs(
    source: PairSource,
    runs: tuple[str, str],
    options: VerifyOptions,
    protected: Sequence[str] = (),
    threshold_fmr: float = 0.01,
    min_subjects: int = 30,
    between: Sequence[str] = (),
) -> ComparedRuns:
    """Verification of both runs on the pairs of ``source`` and, with ``protected`` attributes, error rates by group.

    Args:
        source: the pairs; ``unscored`` tells what becomes of pairs that a run did not score.
        runs: see :func:`fairface.evaluation.run_scores.scores_of_run`.
        options: of verification; ``rounds`` makes the intervals.
        protected: attributes that groups are made by.
        threshold_fmr: each run's threshold for groups is set at this FMR on these pairs.
        min_subjects: with fewer there is no verdict, and groups are kept out of measures.
        between: runs between the two, such as the steps of a finetuning; with ``protected`` they are stages.

    Raises:
        DataError: scores of other pairs than the list's, and what scoring refuses.
    """
    settings = _settings(options, min_subjects)
    first_name, *between_names, second_name = names_of((runs[0], *between, runs[1]))
    names = (first_name, second_name)
    opened = open_scored(source, [scores_of_run(run) for run in (*runs, *between)])
    comparisons, scores = opened.comparisons, opened.scores
    notes: list[str] = []
    if source.unscored == "leave_out":
        comparisons, scores = _of_all(comparisons, scores, notes)
    each = [
        verify_pairs(ScoredPairs(comparisons, (of,)), options, run) for of, run in zip(scores[:2], runs, strict=True)
    ]
    beside = _judged(side_by_side(names, each[0], each[1], options), comparisons, min_subjects)
    stages: dict[str, FairnessResult] = {}
    changes: dict[str, Change] = {}
    if protected:
        usable = [usable_scores(of, comparisons, source.unscored)[0] for of in scores]
        by_name = dict(zip((*names, *between_names), usable, strict=True))
        ordered = {name: by_name[name] for name in (first_name, *between_names, second_name)}
        stages = assess_stages(ordered, comparisons, protected, threshold_fmr, settings)
        before, after = ((by_name[name], stages[name].threshold) for name in names)
        changes = compare(before, after, comparisons, protected, settings)
        notes.append(
            f"groups: each run's threshold is set at FMR {threshold_fmr:g} on these same pairs, "
            "so the intervals of FNMR are somewhat too narrow"
        )
    notes += [*beside.notes, *(note for of in each for note in of.notes)]
    return ComparedRuns(names, (each[0], each[1]), beside, changes, stages, threshold_fmr, tuple(dict.fromkeys(notes)))


def _judged(beside: SideBySide, comparisons: Comparisons, least: int) -> SideBySide:
    """No verdict where subjects are drawn and fewer than ``least`` have genuine, or have impostor comparisons."""
    if beside.difference is None or not beside.difference.over_subjects:
        return beside
    ends = np.stack([comparisons.subject_a, comparisons.subject_b])
    subjects = min(len(np.unique(ends[:, kind])) for kind in (comparisons.same, ~comparisons.same))
    few = few_subjects(subjects, least)
    return replace(beside, rows=tuple(replace(row, unjudged=row.unjudged or few) for row in beside.rows))


def _of_all(
    comparisons: Comparisons, scores: tuple[NDArray[np.float64], ...], notes: list[str]
) -> tuple[Comparisons, tuple[NDArray[np.float64], ...]]:
    """Only the pairs that every run scored."""
    kept = np.isfinite(scores).all(axis=0)
    if not kept.all():
        notes.append(
            f"{int((~kept).sum())} of {quantity(len(kept), 'pair')} {agree(int((~kept).sum()), 'is', 'are')} left "
            "out, as a run has no score for them"
        )
    return select(comparisons, kept), tuple(of[kept] for of in scores)


def _settings(options: VerifyOptions, min_subjects: int) -> FairnessOptions:
    """Those of verification, for groups."""
    return FairnessOptions(
        level=options.level, rounds=options.rounds, seed=options.seed, min_subjects=min_subjects,
        unscored=options.unscored,
    )  # fmt: skip


def as_rows(found: ComparedRuns) -> tuple[tuple[str, ...], list[list[str]]]:
    """Header and a row for each measure."""
    header = ("measure", *found.names, "difference", "verdict on the second")
    cells, _ = side_by_side_rows(found.names, found.beside.rows, "")
    return header, [[*row, verdict(of)] for row, of in zip(cells, found.beside.rows, strict=True)]
