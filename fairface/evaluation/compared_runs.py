"""Two runs on the same pairs, side by side, with intervals of their differences. No MXNet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from fairface.errors import ConfigError
from fairface.evaluation.acquisition import ScoredPairs
from fairface.evaluation.output import PREDICTIONS, TRUTH
from fairface.evaluation.scored_pairs import PairSource, ScoreSource, open_scored
from fairface.evaluation.side_by_side import Row, SideBySide, side_by_side
from fairface.evaluation.stages import assess_stages
from fairface.evaluation.verified import VerifiedSet, VerifyOptions, verify_pairs
from fairface.scoring.fairness.accounting import usable_scores
from fairface.scoring.fairness.compare import Change, compare
from fairface.scoring.fairness.grouped import select
from fairface.scoring.fairness.options import FairnessOptions
from fairface.scoring.fairness.result import FairnessResult

BETTER, WORSE, UNKNOWN = "better", "worse", "not distinguishable"
_LOWER_IS_BETTER = ("eer",)


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
    """Whether the second run is better, as far as the interval tells."""
    if row.interval is None or not (row.interval.low > 0 or row.interval.high < 0):
        return UNKNOWN
    rises = row.interval.low > 0
    return BETTER if rises != (row.key in _LOWER_IS_BETTER) else WORSE


def scores_of_run(path: str) -> ScoreSource:
    """Where the scores of a run are: a folder that ``do.sh`` wrote, a file of scores (.csv, .npy) or embeddings (.npz).

    Raises:
        ConfigError: a folder without predictions, or nothing at all.
    """
    place = Path(path)
    if place.is_dir():
        if not (place / PREDICTIONS).is_file():
            raise ConfigError(f"{path}: holds no {PREDICTIONS}; name a folder that do.sh wrote, or a file of scores")
        return ScoreSource(scores=str(place / PREDICTIONS))
    if not place.exists():
        raise ConfigError(f"{path}: not found; name a folder that do.sh wrote, or a file of scores or embeddings")
    return ScoreSource(embeddings=path) if place.suffix == ".npz" else ScoreSource(scores=path)


def pairs_of_runs(pairs: str, runs: Sequence[str]) -> str:
    """The list with the truth: ``pairs`` where it is given, else the one that a run left.

    Raises:
        ConfigError: neither.
    """
    left = (str(Path(run) / TRUTH) for run in runs if (Path(run) / TRUTH).is_file())
    found = pairs or next(left, "")
    if not found:
        raise ConfigError(f"the truth is not known: no {TRUTH} in {' or '.join(runs)}; give --pairs FILE")
    return found


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
        runs: see :func:`scores_of_run`.
        options: of verification; ``rounds`` makes the intervals.
        protected: attributes that groups are made by.
        threshold_fmr: each run's threshold for groups is set at this FMR on these pairs.
        min_subjects: groups with fewer are kept out of measures.
        between: runs between the two, such as the steps of a finetuning; with ``protected`` they are stages.

    Raises:
        DataError: scores of other pairs than the list's, and what scoring refuses.
    """
    first_name, *between_names, second_name = names_of((runs[0], *between, runs[1]))
    names = (first_name, second_name)
    opened = open_scored(source, [scores_of_run(run) for run in (*runs, *between)])
    comparisons, scores = opened.comparisons, opened.scores
    notes = []
    if source.unscored == "leave_out":
        kept = np.isfinite(scores).all(axis=0)
        comparisons, scores = select(comparisons, kept), tuple(of[kept] for of in scores)
        if not kept.all():
            notes.append(f"{int((~kept).sum())} of {len(kept)} pairs are left out, as a run has no score for them")
    each = [
        verify_pairs(ScoredPairs(comparisons, (of,)), options, run) for of, run in zip(scores[:2], runs, strict=True)
    ]
    beside = side_by_side(names, each[0], each[1], options)
    changes: Mapping[str, Change] = {}
    stages: dict[str, FairnessResult] = {}
    if protected:
        settings = FairnessOptions(
            level=options.level, rounds=options.rounds, seed=options.seed, min_subjects=min_subjects,
            unscored=options.unscored,
        )  # fmt: skip
        usable = [usable_scores(of, comparisons, source.unscored)[0] for of in scores]
        first, second, *others = usable
        of_each = {first_name: first, **dict(zip(between_names, others, strict=True)), second_name: second}
        stages = assess_stages(of_each, comparisons, protected, threshold_fmr, settings)
        before, after = ((of_each[name], stages[name].threshold) for name in names)
        changes = compare(before, after, comparisons, protected, settings)
        notes.append(f"groups: each run's threshold is set at FMR {threshold_fmr:g} on these same pairs")
    notes += [note for of in each for note in of.notes]
    return ComparedRuns(names, (each[0], each[1]), beside, changes, stages, threshold_fmr, tuple(dict.fromkeys(notes)))


def names_of(runs: Sequence[str]) -> list[str]:
    """The names of files and folders without the way to them; with it where two are alike, and numbered where that is
    alike as well."""
    short = [Path(run).stem if Path(run).is_file() else Path(run).name for run in runs]
    if len(set(short)) == len(short):
        return short
    return [run if run not in runs[:place] else f"{run} ({place + 1})" for place, run in enumerate(runs)]


def as_rows(found: ComparedRuns) -> tuple[tuple[str, ...], list[list[str]]]:
    """Header and a row for each measure."""
    header = ("measure", *found.names, "difference", "verdict on the second")
    rows = []
    for row in found.beside.rows:
        ends = f" [{row.interval.low:+.4f}, {row.interval.high:+.4f}]" if row.interval else ""
        numbers = ["n/a" if np.isnan(value) else f"{value:.4f}" for value in (row.unmasked, row.masked)]
        difference = "n/a" if np.isnan(row.difference) else f"{row.difference:+.4f}{ends}"
        rows.append([_spelled(row.key), *numbers, difference, verdict(row)])
    return header, rows


def _spelled(key: str) -> str:
    return {"auc": "AUC", "eer": "EER"}.get(key, key.replace("tar@", "TAR at FMR "))
