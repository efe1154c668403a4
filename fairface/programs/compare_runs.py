"""Compare two runs on the same pairs: side by side, with confidence intervals of their differences.

A run is a folder that do.sh wrote, a file of scores (CSV by names, .npy in the order of the pairs) or embeddings.npz.

Examples:
    python test/compare_runs.py results/before results/after --report compared.html
    python test/compare_runs.py before.csv after.csv --pairs pairs.csv --attributes people.csv --protected sex
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from fairface.cli import add_groups, table
from fairface.console import Console
from fairface.errors import ConfigError
from fairface.evaluation.compared_page import compared_page
from fairface.evaluation.compared_runs import ComparedRuns, as_rows, compare_runs
from fairface.evaluation.run_scores import pairs_of_runs
from fairface.evaluation.scored_pairs import PairSource
from fairface.evaluation.verified import VerifyOptions
from fairface.programs.catalog import options_of
from fairface.programs.page_options import PAGE, check_page, provenance, wants_page, write_outputs
from fairface.programs.scoring_options import check_intervals
from fairface.protocols.opening import KINDS
from fairface.report.fairness_sections import changes_section
from fairface.report.fairness_text import as_text
from fairface.scoring.fairness.accounting import UNSCORED
from fairface.scoring.verification import DEFAULT_FMR

OPTIONS: dict[str, dict[str, dict[str, Any]]] = {
    "comparisons": {
        "--pairs": {"default": "", "metavar": "FILE", "help": "pair list with the truth; default: truth.csv of a run"},
        "--kind": {"choices": KINDS, "default": "auto", "help": "format of the pair list"},
        "--subjects-from": {"default": "", "metavar": "WHERE", "help": "source of the subjects, if the list has "
                            "none: names, or a column of the attributes"},
        "--unscored": {"choices": UNSCORED, "default": "error", "help": "what to do with missing scores"},
    },
    "groups": {
        "--attributes": {"default": "", "metavar": "FILE.csv", "help": "one row for each image or subject"},
        "--protected": {"nargs": "+", "default": [], "metavar": "NAME", "help": "protected attributes"},
        "--between": {"nargs": "+", "default": [], "metavar": "RUN", "help": "with --protected: runs between A and B, "
                      "such as the steps of a finetuning, for the figure of accuracy against the gap"},
        "--threshold-fmr": {"type": float, "default": 0.01, "help": "FMR that sets each run's threshold for groups"},
        "--min-subjects": {"type": int, "default": 30, "help": "no verdict on fewer; groups with fewer are left out of "
                           "measures"},
    },
    "scoring": {
        "--folds": {"type": int, "default": 10, "help": "folds, if the protocol has none"},
        "--fmr": {"type": float, "nargs": "+", "default": list(DEFAULT_FMR), "help": "FMRs at which TAR is given"},
        "--bootstrap": {"type": int, "default": 1000, "metavar": "ROUNDS", "help": "resamples; 0: no intervals"},
        "--level": {"type": float, "default": 0.95, "help": "confidence level of the intervals"},
        "--seed": {"type": int, "default": 0, "help": "seed of the resamples"},
        **PAGE,
    },
}  # fmt: skip


def main(argv: Sequence[str], prog: str = "") -> None:
    args = arguments(argv, prog)
    options = VerifyOptions(args.folds, tuple(args.fmr), args.bootstrap, args.level, args.seed, args.unscored)
    pairs = pairs_of_runs(args.pairs, [args.first, args.second])
    source = PairSource(
        pairs, args.kind, args.attributes, subjects_from=args.subjects_from, wanted=args.protected,
        unscored=args.unscored,
    )  # fmt: skip
    found = compare_runs(
        source, (args.first, args.second), options, args.protected, args.threshold_fmr, args.min_subjects, args.between
    )
    if wants_page(args):
        made_by = provenance(
            prog, "test/compare_runs.py", argv, {"first run": args.first, "second run": args.second, "pairs": pairs}
        )
        write_outputs(args, compared_page(found, made_by, args.level))
    Console.of(args).show({"pairs": pairs, **found.to_dict()}, text_of(found, args.level))


def text_of(found: ComparedRuns, level: float) -> str:
    """For a terminal."""
    header, rows = as_rows(found)
    lines = [*found.notes, table(rows, header)]
    if found.beside.difference is not None:
        lines.append(
            f"[low, high]: {level:.0%} confidence intervals of the difference, drawing {found.beside.difference.drawn}"
        )
    changes = [changes_section(change) for change in found.changes.values()]
    return "\n".join([*lines, *([as_text(changes)] if changes else [])])


def arguments(argv: Sequence[str], prog: str = "") -> argparse.Namespace:
    options = options_of("compare-runs", prog)
    options.add_argument("first", metavar="A", help="folder that do.sh wrote, file of scores, or embeddings.npz")
    options.add_argument("second", metavar="B", help="the run that is compared with it")
    add_groups(options, OPTIONS)
    args = options.parse_args(argv)
    check_intervals(args)
    if args.between and not args.protected:
        raise ConfigError("--between needs --protected: the figure shows the gap between groups")
    check_page(args, [args.first, args.second, *args.between, args.pairs, args.attributes])
    return args
