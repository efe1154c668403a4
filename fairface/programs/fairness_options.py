"""The options of test/fairness.py, and which of them go together."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from fairface.cli import add_groups
from fairface.errors import ConfigError
from fairface.files import refuse_inputs
from fairface.programs.catalog import options_of
from fairface.programs.page_options import FACES, PAGE, check_page
from fairface.programs.scoring_options import check_threshold
from fairface.protocols.columns import ROLES
from fairface.protocols.opening import KINDS
from fairface.report.picture import check_picture
from fairface.scoring.fairness.accounting import UNSCORED
from fairface.scoring.fairness.aggregation import AGGREGATIONS

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
        "--bands": {"action": "append", "default": [], "metavar": "NAME=18,40,65", "help": "an attribute of numbers, "
                    "such as ages, in bands: below 18, from 18 to below 40, …"},
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
