"""Score fairness: error rates by group at one shared threshold, with confidence intervals over subjects.

Examples:
    python test/fairness.py --pairs scores.csv --column score --protected sex --fmr 0.01 --calibration calibration.csv
    python test/fairness.py --pairs truth.csv --scores predictions.csv --attributes people.csv --protected gender skin
    python test/fairness.py --pairs rfw/ --embeddings embeddings.npz --protected race --threshold 0.35 --json
    python test/fairness.py --pairs scores.csv --protected sex --fmr 0.01 --fail-if "fnmr_gap>0.02"
    python test/fairness.py --pairs scores.csv --protected sex --report report.html --figures figures --tables tables
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from fairface.comparisons import Comparisons
from fairface.console import Console
from fairface.errors import ConfigError
from fairface.evaluation.acquisition import ScoredPairs, failure_to_acquire, without_failures
from fairface.evaluation.all_pairs import LISTED, open_all_pairs
from fairface.evaluation.assessed_all_pairs import assess_all_pairs
from fairface.evaluation.fairness_page import page_of_fairness
from fairface.evaluation.scored_pairs import open_scored
from fairface.files import atomic_write
from fairface.printable import printable
from fairface.programs.fairness_options import arguments
from fairface.programs.fairness_thresholds import fixed_thresholds, pair_source, shared_thresholds, sources
from fairface.programs.page_options import is_page, provenance, wants_page, write_outputs
from fairface.programs.scoring_options import checkpoint_of, model_line
from fairface.protocols.all_pairs import LIMIT
from fairface.protocols.attribute_values import alike_values
from fairface.protocols.scores import check_scored
from fairface.quantity import quantity
from fairface.report.fairness_curves import plot_group_curves
from fairface.report.fairness_report import FairnessReport
from fairface.report.picture import drawn
from fairface.scoring.fairness.accounting import usable_scores
from fairface.scoring.fairness.assess import assess
from fairface.scoring.fairness.challenge import ChallengeOptions, challenge_measure
from fairface.scoring.fairness.compare import compare
from fairface.scoring.fairness.curves import group_curves
from fairface.scoring.fairness.gate import failures, parse_condition
from fairface.scoring.fairness.grouped import select
from fairface.scoring.fairness.options import FairnessOptions
from fairface.scoring.fairness.result import FairnessResult
from fairface.scoring.fairness.unusable import why_unusable

SCRIPT = "test/fairness.py"


def main(argv: Sequence[str], prog: str = "") -> int:
    args = arguments(argv, prog)
    conditions = [parse_condition(text) for text in args.fail_if]
    console = Console.of(args)
    whole = report_of_all_pairs(args)
    report, scored = (whole, None) if whole is not None else make_report(args, console)
    met = failures(conditions, report.measures)
    if conditions:
        met = [*(f"{reason}, so nothing can be shown to pass" for reason in report.unusable), *met]
    if args.plot:
        plot_group_curves(args.plot, report.curves, "by " + "+".join(args.protected))
        console.tell([drawn(args.plot, f"ROC and DET by {'+'.join(args.protected)}")])
    source = {name: getattr(args, name) for name in ("pairs", "column", "scores", "embeddings", "against")}
    if wants_page(args):
        made_by = provenance(prog, SCRIPT, argv, source)
        write_outputs(args, page_of_fairness(report, scored, args.protected, made_by, args.report_faces))
    if args.report and not is_page(args.report):
        with atomic_write(args.report, "w", encoding="utf-8") as file:
            file.write(report.markdown())
    stored = (args.embeddings, args.against)
    console.show(
        {"source": source, **checkpoint_of("", args.embeddings), **report.to_dict(), "failed_conditions": met},
        "\n".join([report.text(), *([""] if (lines := model_line("", *stored)) else []), *lines]),
    )
    for sentence in met:
        print(f"failed: {printable(sentence)}", file=sys.stderr)
    return 1 if met else 0


def report_of_all_pairs(args: argparse.Namespace) -> FairnessReport | None:
    """Of all pairs, where they are too many for a list or the list would add nothing."""
    if not args.all_pairs:
        return None
    pairs = open_all_pairs(pair_source(args, ""), sources(args))
    if len(pairs) <= LISTED:
        return None
    if args.challenge or args.legitimate:
        if len(pairs) <= LIMIT:
            return None
        raise ConfigError(f"--challenge and --legitimate need a list of pairs, of {LIMIT:,} at most; give --pairs")
    fixed = fixed_thresholds(args, pairs.names)
    thresholds = fixed.values or [args.fmr] * len(pairs.embeddings)
    report = assess_all_pairs(
        pairs, args.protected, thresholds, fairness_options(args), args.leave_out_failures,
        bool(args.curves or args.plot), show=not args.quiet, set_on=fixed.set_on,
    )  # fmt: skip
    return replace(report, notes=(*report.notes, *of_few_subjects(report.result)))


def of_few_subjects(result: FairnessResult) -> list[str]:
    """What to do about groups that are left out of measures."""
    if any(row.too_few for grouping in result.groupings.values() for row in grouping.rows):
        return ["--min-subjects sets how many subjects a group needs in measures; with few, intervals are wide"]
    return []


def fairness_options(args: argparse.Namespace) -> FairnessOptions:
    return FairnessOptions(
        args.alpha, args.level, args.bootstrap, args.seed, args.min_subjects, args.power, args.target_fnmr,
        args.target_fmr, args.unscored,
    )  # fmt: skip


def make_report(args: argparse.Namespace, console: Console) -> tuple[FairnessReport, ScoredPairs]:
    """The report, and the comparisons that count in it, with their scores."""
    options = fairness_options(args)
    pairs = open_scored(pair_source(args, args.pairs), sources(args))
    if pairs.strangers:
        console.tell([f"{args.failures}: {quantity(len(pairs.strangers), 'image is', 'images are')} in no comparison"])
    told = failure_to_acquire(pairs)
    notes = [] if told is None else told.sentences(args.leave_out_failures)
    if args.leave_out_failures:
        pairs = without_failures(pairs)
    comparisons, scores = pairs.comparisons, pairs.scores
    if args.unscored == "error":
        for of in scores:
            check_scored(comparisons, of, args.scores or args.embeddings or args.pairs)
    notes += alike_values(args.protected, [values_of(comparisons, name) for name in args.protected])
    used = counted(comparisons, scores[0], args.unscored)
    shared = shared_thresholds(args, comparisons, scores)
    thresholds = shared.values
    result = assess(scores[0], comparisons, args.protected, thresholds[0], options, pairs.failed, pairs.unembedded)
    changes, challenge, curves = {}, {}, []
    if args.against:
        before, after = (scores[1], thresholds[1]), (scores[0], thresholds[0])
        changes = compare(before, after, comparisons, args.protected, options, shared.set_on)
    if args.challenge or args.legitimate:
        how = ChallengeOptions(args.aggregation, args.weights, level=args.level, seed=args.seed)
        challenge = challenge_measure(used.scores[0], used.comparisons, args.protected, args.legitimate, how)
    if args.curves or args.plot:
        curves = group_curves(used.scores[0], used.comparisons, args.protected, args.bootstrap, args.level, args.seed)
    unusable = why_unusable(scores[0], comparisons.same, result)
    notes += of_few_subjects(result)
    return FairnessReport(result, challenge, changes, tuple(curves), unusable, tuple(notes)), used


def counted(comparisons: Comparisons, scores: NDArray[np.float64], unscored: str) -> ScoredPairs:
    """The comparisons that count in a report, with the scores that all of its parts take: where missing ones count as
    no match, those are below every other."""
    values, kept = usable_scores(scores, comparisons, unscored)
    return ScoredPairs(select(comparisons, kept), (values[kept],))


def values_of(comparisons: Comparisons, name: str) -> Sequence[str]:
    """What the codes of an attribute stand for; nothing where that is not known."""
    known = dict(zip(comparisons.attribute_names, comparisons.attribute_values, strict=False))
    return known.get(name, ())
