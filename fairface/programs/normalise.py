"""Normalise scores by group or by clusters, fitted on other people, and judge what changes.

Examples:
    python test/normalise.py --method platt --protected sex --pairs test.csv --calibration calibration.csv
    python test/normalise.py --method znorm --protected sex --embeddings test.npz --attributes people.csv \\
        --calibration-embeddings validation.npz --subjects-from names --save znorm.json
    python test/normalise.py --method platt --by clusters --protected sex --embeddings test.npz \\
        --attributes people.csv --calibration-embeddings validation.npz --subjects-from names
    python test/normalise.py --apply znorm.json --protected sex --embeddings more.npz --attributes people.csv --json
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

import numpy as np

from fairface.cli import add_groups
from fairface.console import Console
from fairface.errors import ConfigError
from fairface.evaluation.normalisation_input import open_people
from fairface.evaluation.normalised import CLUSTERS, Normalised, fit_on, judge
from fairface.evaluation.option_texts import roles_of_columns
from fairface.evaluation.saved_normalisation import SavedNormalisation, load_normalisation, save_normalisation
from fairface.evaluation.scored_pairs import PairSource, ScoreSource
from fairface.files import atomic_write, refuse_inputs
from fairface.programs.catalog import options_of
from fairface.programs.scoring_options import check_intervals, checkpoint_of, model_line
from fairface.protocols.opening import KINDS
from fairface.quantity import quantity
from fairface.report.normalisation_table import normalisation_text
from fairface.scoring.fairness.options import FairnessOptions
from fairface.scoring.normalisation.normaliser import METHODS

BY = ("groups", CLUSTERS)


def main(argv: Sequence[str], prog: str = "") -> int:
    args = arguments(argv, prog)
    options = FairnessOptions(alpha=args.alpha, level=args.level, rounds=args.bootstrap, seed=args.seed,
                              min_subjects=args.min_subjects)  # fmt: skip
    saved = load_normalisation(args.apply) if args.apply else fitted(args)
    people = open_people(pair_source(args, args.pairs, judged=True), source(args, args.embeddings, args.scores))
    found = judge(saved, people, args.protected, options)
    if args.save:
        save_normalisation(args.save, saved)
    if args.output:
        with atomic_write(args.output) as file:
            np.save(file, found.scores, allow_pickle=False)
    Console.of(args).show(
        {**checkpoint_of("", args.embeddings), **found.to_dict()},
        "\n".join([text(found), *model_line("", args.embeddings)]),
    )
    return 0


def text(found: Normalised) -> str:
    saved = found.saved
    counts = saved.calibration
    lines = [
        f"fitted on {quantity(counts['people'], 'person', 'people')} ({counts['genuine']} genuine, "
        f"{quantity(counts['impostor'], 'impostor comparison')})",
        f"judged on {quantity(found.people, 'other person', 'other people')} ({found.genuine} genuine, "
        f"{quantity(found.impostor, 'impostor comparison')})",
        f"thresholds: {saved.before.value:.6g} before, {saved.after.value:.6g} after, each set at {saved.before.how}",
    ]
    title = f"Normalised with {saved.normaliser.method} by {saved.by}"
    return normalisation_text(title, lines, saved.normaliser.price(), found.changes)


def fitted(args: argparse.Namespace) -> SavedNormalisation:
    by_clusters = args.by == CLUSTERS
    found_in = source(args, args.calibration_embeddings, args.calibration_scores)
    people = open_people(pair_source(args, args.calibration, judged=not by_clusters), found_in)
    return fit_on(people, args.method, args.protected, args.fmr, args.clusters if by_clusters else 0, args.seed)


def pair_source(args: argparse.Namespace, pairs: str, judged: bool) -> PairSource:
    """``judged``: the protected attributes are needed."""
    by_column = args.subjects_from not in ("", "names", "labels")
    return PairSource(
        pairs, args.kind, args.attributes if judged or by_column else "", args.image_column, args.subjects_from,
        wanted=args.protected if judged else (), columns=roles_of_columns(args.columns),
    )  # fmt: skip


def source(args: argparse.Namespace, embeddings: str, scores: str) -> ScoreSource:
    if embeddings:
        return ScoreSource(embeddings=embeddings)
    return ScoreSource(scores=scores) if scores else ScoreSource(column=args.column or "score")


OPTIONS: dict[str, dict[str, dict[str, Any]]] = {
    "normalisation": {
        "--method": {"choices": METHODS, "help": "znorm and tnorm compare an image with a cohort of its group; "
                     "platt and isotonic calibrate each group"},
        "--by": {"choices": BY, "default": "groups", "help": "the protected attributes, or clusters of embeddings"},
        "--clusters": {"type": int, "default": 10, "help": "how many clusters"},
        "--save": {"default": "", "metavar": "FILE.json", "help": "write the normalisation"},
        "--apply": {"default": "", "metavar": "FILE.json", "help": "use a normalisation that --save wrote"},
        "--output": {"default": "", "metavar": "FILE.npy", "help": "write the normalised scores, in the pairs' order"},
    },
    "people to judge": {
        "--pairs": {"default": "", "metavar": "FILE", "help": "pair list; default: all pairs of the embeddings"},
        "--embeddings": {"default": "", "metavar": "FILE", "help": "embeddings.npz, or .npy with names.txt"},
        "--scores": {"default": "", "metavar": "FILE", "help": ".npy in the order of the pairs, or CSV by names"},
        "--column": {"default": "", "help": "column of the pair lists with the scores; default: score"},
        "--protected": {"nargs": "+", "required": True, "metavar": "NAME", "help": "protected attributes"},
        "--attributes": {"default": "", "metavar": "FILE.csv", "help": "one row for each image or subject"},
        "--image-column": {"default": "", "help": "its column with the image's name; usually found automatically"},
        "--subjects-from": {"default": "", "metavar": "WHERE", "help": "source of the subjects, if the list has none: "
                            "names, labels, or a column of the attributes"},
        "--kind": {"choices": KINDS, "default": "auto", "help": "format of the pair lists"},
        "--columns": {"action": "append", "default": [], "metavar": "ROLE=COLUMN,…", "help": "what a column holds"},
    },
    "calibration people, of whom nobody is judged": {
        "--calibration": {"default": "", "metavar": "FILE", "help": "pair list; default: all pairs of the embeddings"},
        "--calibration-embeddings": {"default": "", "metavar": "FILE", "help": "of the same model"},
        "--calibration-scores": {"default": "", "metavar": "FILE", "help": "as --scores"},
        "--fmr": {"type": float, "default": 0.01, "help": "the FMR that sets both thresholds on them"},
    },
    "intervals": {
        "--level": {"type": float, "default": 0.95, "help": "confidence level of the intervals"},
        "--bootstrap": {"type": int, "default": 1000, "metavar": "ROUNDS", "help": "resamples of subjects"},
        "--seed": {"type": int, "default": 0, "help": "seed of resamples and clusters"},
        "--alpha": {"type": float, "default": 0.5, "help": "weight of FMR in measures of both rates"},
        "--min-subjects": {"type": int, "default": 30, "help": "exclude groups with fewer from measures"},
    },
}  # fmt: skip


def arguments(argv: Sequence[str], prog: str = "") -> argparse.Namespace:
    options = options_of("normalise", prog)
    add_groups(options, OPTIONS)
    args = options.parse_args(argv)
    check(args)
    return args


def check(args: argparse.Namespace) -> None:
    """Refuse what does not say enough, or says it twice."""
    check_intervals(args)
    calibration = (args.calibration, args.calibration_embeddings, args.calibration_scores)
    if args.apply and (args.method or args.save or any(calibration)):
        raise ConfigError("--apply holds the method and its calibration; leave out --method, --save and --calibration")
    if not args.apply and not args.method:
        raise ConfigError(f"give --method, one of {', '.join(METHODS)}, or --apply FILE.json")
    if not args.apply and not (args.calibration or args.calibration_embeddings):
        raise ConfigError("give --calibration or --calibration-embeddings: people of whom nobody is judged")
    if not (args.pairs or args.embeddings):
        raise ConfigError("give --pairs or --embeddings: the people to judge")
    if args.embeddings and (args.scores or args.column):
        raise ConfigError("give one of --column, --scores and --embeddings")
    if not args.apply and bool(args.embeddings) != bool(args.calibration_embeddings):
        raise ConfigError("--embeddings and --calibration-embeddings need each other: one model scores both")
    if not args.apply and args.by == CLUSTERS and args.clusters < 2:
        raise ConfigError(f"--clusters {args.clusters}: give 2 or more")
    if args.output and not args.output.endswith(".npy"):
        raise ConfigError(f"--output {args.output}: scores are written as .npy; choose a name that ends in .npy")
    refuse_inputs(
        [args.save, args.output], [args.pairs, args.embeddings, args.scores, args.attributes, args.apply, *calibration]
    )
