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
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fairface.cli import add_groups
from fairface.comparisons import Comparisons
from fairface.console import Console
from fairface.errors import ConfigError, DataError
from fairface.evaluation.acquisition import ScoredPairs, failure_to_acquire, without_failures
from fairface.evaluation.all_pairs import LISTED, open_all_pairs
from fairface.evaluation.assessed_all_pairs import assess_all_pairs
from fairface.evaluation.fairness_page import page_of_fairness
from fairface.evaluation.option_texts import roles_of_columns, values_of_attributes
from fairface.evaluation.scored_pairs import PairSource, ScoreSource, open_scored
from fairface.files import atomic_write, refuse_inputs
from fairface.programs.catalog import options_of
from fairface.programs.page_options import FACES, PAGE, check_page, is_page, provenance, wants_page, write_outputs
from fairface.programs.scoring_options import check_threshold
from fairface.protocols.all_pairs import LIMIT
from fairface.protocols.attributes import alike_values
from fairface.protocols.columns import ROLES
from fairface.protocols.opening import KINDS
from fairface.protocols.scores import check_scored
from fairface.report.fairness_curves import plot_group_curves
from fairface.report.fairness_report import FairnessReport
from fairface.report.picture import check_picture, drawn
from fairface.scoring.fairness.accounting import UNSCORED, usable_scores
from fairface.scoring.fairness.aggregation import AGGREGATIONS
from fairface.scoring.fairness.assess import assess
from fairface.scoring.fairness.challenge import ChallengeOptions, challenge_measure
from fairface.scoring.fairness.compare import compare
from fairface.scoring.fairness.curves import group_curves
from fairface.scoring.fairness.gate import failures, parse_condition
from fairface.scoring.fairness.grouped import select
from fairface.scoring.fairness.options import FairnessOptions
from fairface.scoring.fairness.threshold import SharedThreshold, calibrated_threshold, given_threshold
from fairface.scoring.fairness.unusable import why_unusable

Scores = NDArray[np.float64]
DOOR = "test/fairness.py"


def main(argv: Sequence[str], prog: str = "") -> int:
    args = arguments(argv, prog)
    conditions = [parse_condition(text) for text in args.fail_if]
    console = Console.of(args)
    whole = report_of_all_pairs(args, console)
    report, scored = (whole, None) if whole is not None else make_report(args, console)
    met = failures(conditions, report.measures)
    if conditions:
        met = [*(f"{reason}, so nothing can be shown to pass" for reason in report.unusable), *met]
    if args.plot:
        plot_group_curves(args.plot, report.curves, "by " + "+".join(args.protected))
        console.tell([drawn(args.plot, f"ROC and DET by {'+'.join(args.protected)}")])
    source = {name: getattr(args, name) for name in ("pairs", "column", "scores", "embeddings", "against")}
    if wants_page(args):
        made_by = provenance(prog, DOOR, argv, source)
        write_outputs(args, page_of_fairness(report, scored, args.protected, made_by, args.report_faces))
    if args.report and not is_page(args.report):
        with atomic_write(args.report, "w", encoding="utf-8") as file:
            file.write(report.markdown())
    console.show({"source": source, **report.to_dict(), "failed_conditions": met}, report.text())
    for sentence in met:
        print(f"failed: {sentence}", file=sys.stderr)
    return 1 if met else 0


def report_of_all_pairs(args: argparse.Namespace, console: Console) -> FairnessReport | None:
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
    if pairs.strangers:
        console.tell([f"{args.failures}: {len(pairs.strangers)} images are in no comparison"])
    thresholds = fixed_thresholds(args, pairs.names) or [args.fmr] * len(pairs.embeddings)
    return assess_all_pairs(
        pairs, args.protected, thresholds, fairness_options(args), args.leave_out_failures,
        bool(args.curves or args.plot), show=not args.quiet,
    )  # fmt: skip


def fairness_options(args: argparse.Namespace) -> FairnessOptions:
    return FairnessOptions(
        args.alpha, args.level, args.bootstrap, args.seed, args.min_subjects, args.power, args.target_fnmr,
        args.target_fmr, args.unscored,
    )  # fmt: skip


def make_report(args: argparse.Namespace, console: Console) -> tuple[FairnessReport, ScoredPairs]:
    """The report, and the comparisons that count in it."""
    options = fairness_options(args)
    pairs = open_scored(pair_source(args, args.pairs), sources(args))
    if pairs.strangers:
        console.tell([f"{args.failures}: {len(pairs.strangers)} images are in no comparison"])
    notes = [str(told) for told in [failure_to_acquire(pairs)] if told is not None]
    if args.leave_out_failures:
        pairs = without_failures(pairs)
        notes = [f"{note}; these are left out" for note in notes]
    comparisons, scores = pairs.comparisons, pairs.scores
    if args.unscored == "error":
        for of in scores:
            check_scored(comparisons, of, args.scores or args.embeddings or args.pairs)
    notes += alike_values(args.protected, [values_of(comparisons, name) for name in args.protected])
    thresholds = shared_thresholds(args, comparisons, scores)
    result = assess(scores[0], comparisons, args.protected, thresholds[0], options, pairs.failed)
    changes, challenge, curves = {}, {}, []
    if args.against:
        before, after = (scores[1], thresholds[1]), (scores[0], thresholds[0])
        changes = compare(before, after, comparisons, args.protected, options)
    if args.challenge or args.legitimate:
        usable = np.isfinite(scores[0])
        how = ChallengeOptions(args.aggregation, args.weights, level=args.level, seed=args.seed)
        challenge = challenge_measure(
            scores[0][usable], select(comparisons, usable), args.protected, args.legitimate, how
        )
    if args.curves or args.plot:
        curves = group_curves(scores[0], comparisons, args.protected, args.bootstrap, args.level, args.seed)
    unusable = why_unusable(scores[0], comparisons.same, result)
    values, kept = usable_scores(scores[0], comparisons, args.unscored)
    used = ScoredPairs(select(comparisons, kept), (values[kept],))
    return FairnessReport(result, challenge, changes, tuple(curves), unusable, tuple(notes)), used


OPTIONS: dict[str, dict[str, dict[str, Any]]] = {
    "comparisons": {
        "--pairs": {"default": "", "metavar": "FILE", "help": "pair list (docs/data.md has a table) or RFW's folder"},
        "--kind": {"choices": KINDS, "default": "auto", "help": "format of the pair list"},
        "--columns": {"action": "append", "default": [], "metavar": "ROLE=COLUMN,…", "help": "what a column "
                      f"holds, if its name is not known; roles: {', '.join(ROLES)}"},
        "--all-pairs": {"action": "store_true", "help": "compare every embedding with every other, however "
                        "many"},
        "--attributes": {"default": "", "metavar": "FILE.csv", "help": "one row for each image or subject"},
        "--image-column": {"default": "", "help": "its column with the image's name; usually found automatically"},
        "--subjects-from": {"default": "", "metavar": "WHERE", "help": "source of the subjects, if the list has "
                            "none: names, labels, or a column of the attributes"},
        "--values": {"action": "append", "default": [], "metavar": "NAME=A,B", "help": "all values of an attribute; "
                     "any other is an error"},
    },
    "scores: one of --column, --scores and --embeddings": {
        "--column": {"default": "", "help": "column of the pair list; default: score"},
        "--scores": {"default": "", "metavar": "FILE", "help": ".npy in the order of the pairs, or CSV by names"},
        "--embeddings": {"default": "", "metavar": "FILE", "help": "embeddings.npz, or .npy with names.txt"},
        "--distance": {"action": "store_true", "help": "the scores are distances: smaller means more similar; "
                       "give thresholds as distances too; they are reported as negatives"},
        "--against": {"default": "", "metavar": "SAME_KIND", "help": "the model to compare with: a column, scores "
                      "or embeddings, of the same kind as the model's own"},
        "--unscored": {"choices": UNSCORED, "default": "error", "help": "what to do with missing scores"},
    },
    "groups": {
        "--protected": {"nargs": "+", "required": True, "metavar": "NAME", "help": "protected attributes"},
        "--legitimate": {"nargs": "+", "default": [], "metavar": "NAME", "help": "legitimate attributes, for the "
                         "challenge's measure"},
        "--challenge": {"action": "store_true", "help": "the challenge's measure without legitimate attributes"},
        "--aggregation": {"choices": tuple(AGGREGATIONS), "default": "one_sided", "help": "its last step (unofficial)"},
        "--weights": {"choices": ("uniform", "comparisons"), "default": "uniform", "help": "weights of its cells"},
        "--failures": {"default": "", "metavar": "FILE", "help": "images on which detection failed, one per line"},
        "--leave-out-failures": {"action": "store_true", "help": "score without these images"},
        "--min-subjects": {"type": int, "default": 30, "help": "exclude groups with fewer from measures"},
    },
    "threshold: given, or set at an FMR": {
        "--threshold": {"type": float, "help": "a score"},
        "--fmr": {"type": float, "default": 0.01, "help": "the FMR that sets the threshold"},
        "--calibration": {"default": "", "metavar": "FILE", "help": "pair list of other subjects, to set it on"},
        "--calibration-scores": {"nargs": "+", "default": [], "metavar": "FILE", "help": "its scores (and those of the "
                                 "other model), as in --scores"},
        "--calibration-embeddings": {"nargs": "+", "default": [], "metavar": "FILE", "help": "its embeddings (and "
                                     "those of the other model), if they are in other files"},
        "--against-threshold": {"type": float, "help": "with --threshold: threshold of the other model"},
    },
    "report": {
        "--alpha": {"type": float, "default": 0.5, "help": "weight of FMR in FDR, inequity rate and GARBE"},
        "--level": {"type": float, "default": 0.95, "help": "confidence level of the intervals"},
        "--bootstrap": {"type": int, "default": 1000, "metavar": "ROUNDS", "help": "resamples and permutations"},
        "--seed": {"type": int, "default": 0, "help": "seed of resamples and permutations"},
        "--power": {"type": float, "default": 0.8, "help": "statistical power of the smallest detectable difference"},
        "--target-fnmr": {"type": float, "help": "difference in FNMR to detect; default: the observed one"},
        "--target-fmr": {"type": float, "help": "difference in FMR to detect; default: the observed one"},
        "--curves": {"action": "store_true", "help": "points of the ROC of each group with bands, in --json"},
        "--plot": {"metavar": "FILE.png", "help": "draw ROC and DET of each group with bands"},
        **PAGE, **FACES,
        "--report": {"metavar": "FILE", "help": "write the report: .html as a web page, else as Markdown"},
        "--fail-if": {"action": "append", "default": [], "metavar": "CONDITION", "help": "exit with 1 if it holds, "
                      "such as 'fnmr_gap>0.02'"},
    },
}  # fmt: skip


def arguments(argv: Sequence[str], prog: str = "") -> argparse.Namespace:
    options = options_of("fairness", prog)
    add_groups(options, OPTIONS)
    args = options.parse_args(argv)
    check_threshold(argv)
    check(args)
    return args


def check(args: argparse.Namespace) -> None:
    """Refuse combinations that name nothing to compare, or something that could not be honoured."""
    if bool(args.pairs) == args.all_pairs:
        raise ConfigError("give --pairs FILE or --all-pairs, not both")
    if (args.column != "") + (args.scores != "") + (args.embeddings != "") > 1:
        raise ConfigError("give one of --column, --scores and --embeddings")
    if args.threshold is not None and args.calibration:
        raise ConfigError("give --threshold or --calibration, not both")
    if args.calibration and args.scores and len(args.calibration_scores) != 1 + bool(args.against):
        raise ConfigError("--calibration with --scores needs --calibration-scores: one file for each model")
    if args.threshold is not None and args.against and args.against_threshold is None:
        raise ConfigError("--threshold with --against needs --against-threshold: scores of models differ in scale")
    if (args.calibration_scores or args.calibration_embeddings) and not args.calibration:
        raise ConfigError("--calibration-scores and --calibration-embeddings need --calibration, the list of pairs")
    read = [args.pairs, args.attributes, args.scores, args.embeddings, args.against, args.failures, args.calibration]
    read += [*args.calibration_scores, *args.calibration_embeddings]
    refuse_inputs([args.plot or ""], read)
    if args.plot:
        check_picture(args.plot)
    check_page(args, read, pages_only=False)
    if args.distance and args.embeddings:
        raise ConfigError("--distance needs given scores; scores of embeddings are cosines")
    if args.leave_out_failures and not args.failures:
        raise ConfigError("--leave-out-failures needs --failures FILE")


def values_of(comparisons: Comparisons, name: str) -> Sequence[str]:
    """What the codes of an attribute stand for; nothing where that is not known."""
    known = dict(zip(comparisons.attribute_names, comparisons.attribute_values, strict=False))
    return known.get(name, ())


def sources(args: argparse.Namespace) -> list[ScoreSource]:
    """Of the model, and of the model before where there is one."""
    kind = "embeddings" if args.embeddings else "scores" if args.scores else "column"
    named = [getattr(args, kind) or "score", *([args.against] if args.against else [])]
    return [ScoreSource(**{kind: name}, distance=args.distance) for name in named]


def pair_source(args: argparse.Namespace, pairs: str) -> PairSource:
    wanted = [*args.protected, *args.legitimate]
    allowed = values_of_attributes(args.values, wanted)
    return PairSource(
        pairs, args.kind, args.attributes, args.image_column, args.subjects_from, allowed, wanted,
        roles_of_columns(args.columns), args.failures, args.unscored,
    )  # fmt: skip


def shared_thresholds(
    args: argparse.Namespace, comparisons: Comparisons, scores: Sequence[Scores]
) -> list[SharedThreshold]:
    """One for each model."""
    fixed = fixed_thresholds(args, comparisons.names)
    if fixed:
        return fixed
    usable = [np.isfinite(of) for of in scores]
    return [
        calibrated_threshold(of[kept], comparisons.same[kept], args.fmr)
        for of, kept in zip(scores, usable, strict=True)
    ]


def fixed_thresholds(args: argparse.Namespace, names: Sequence[str]) -> list[SharedThreshold]:
    """One for each model, given or set on other comparisons; none where the evaluated ones are to set them. ``names``
    are the images that will be judged."""
    if args.threshold is not None:
        given = [value for value in (args.threshold, args.against_threshold) if value is not None]
        return [given_threshold(-value if args.distance else value) for value in given]
    if not args.calibration:
        return []
    found_in = sources(args)
    for field in ("scores", "embeddings"):
        other = getattr(args, f"calibration_{field}")
        found_in = [replace(s, **{field: name}) for s, name in zip(found_in, other, strict=True)] if other else found_in
    # Who is shown and what they are like plays no part in fixing a threshold.
    what = replace(
        pair_source(args, args.calibration), attributes="", subjects_from="", wanted=(), failures="", allowed={}
    )
    calibration = open_scored(what, found_in)
    fixed_on = calibration.comparisons
    shared = set(names) & set(fixed_on.names)
    found = []
    for of in calibration.scores:
        kept = np.isfinite(of)
        if not kept.all() and args.unscored == "error":
            raise DataError(
                f"{args.calibration}: {int((~kept).sum())} of {len(kept)} calibration scores are missing or invalid; "
                "correct them, or use --unscored leave_out"
            )
        threshold = calibrated_threshold(of[kept], fixed_on.same[kept], args.fmr, Path(args.calibration).name)
        found.append(replace(threshold, optimistic=bool(shared)))
    return found

