"""Score one-to-one verification: .bin sets or pair lists with a model, or embeddings that exist already.

Examples:
    python test/verification.py --model models/orl_demo --set lfw.bin --set cfp_fp.bin
    python test/verification.py --model models/orl_demo --pairs pairs.csv --root faces/
    python test/verification.py --embeddings embeddings.npz --pairs pairs.csv --bootstrap 1000
    python test/verification.py --embeddings embeddings.npz --all-pairs --subjects-from names --json
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fairface.comparisons import Comparisons
from fairface.console import Console
from fairface.data.encoded import FileDataset
from fairface.embedding.store import Embeddings, load_embeddings
from fairface.errors import ConfigError
from fairface.programs.catalog import options_of
from fairface.protocols.all_pairs import all_pairs
from fairface.protocols.pairs import read_pairs
from fairface.protocols.subjects import subjects_from_names, with_subjects
from fairface.protocols.verification_set import open_verification_set
from fairface.report.curves import plot_curves
from fairface.report.verification_table import verification_table
from fairface.scoring.roc import roc_curve
from fairface.scoring.similarity import cosine_scores
from fairface.scoring.verification import DEFAULT_FMR, verify

Scored = tuple[str, NDArray[np.float64], Comparisons]  # name, scores, what was compared


def main(argv: Sequence[str], prog: str = "") -> None:
    args = arguments(argv, prog)
    results, curves = {}, {}
    for path, scores, comparisons in scored_by_model(args) if args.model else scored_from_file(args):
        name = path if Path(path).stem in results else Path(path).stem
        results[name] = verify(
            scores, comparisons, args.folds, args.fmr, rounds=args.bootstrap, level=args.level, seed=args.seed
        )
        curves[name] = roc_curve(scores, comparisons.same)
    if args.plot:
        plot_curves(args.plot, curves)
    source = {"model": args.model} if args.model else {"embeddings": args.embeddings}
    Console.of(args).show(
        {**source, "results": {name: result.to_dict() for name, result in results.items()}},
        verification_table(results),
    )


def arguments(argv: Sequence[str], prog: str = "") -> argparse.Namespace:
    options = options_of("verification", prog)
    source = options.add_mutually_exclusive_group(required=True)
    source.add_argument("--model", help="run | run@step | prefix,epoch | PyTorch file")
    source.add_argument("--embeddings", metavar="FILE", help="embeddings.npz, or .npy with names.txt beside it")
    options.add_argument("--set", action="append", default=[], metavar="FILE.bin",
                         help="verification set, or a labeled data set (all pairs of its images); repeatable")
    options.add_argument("--pairs", metavar="FILE", help="CSV image_a,image_b,same[,fold][,subject_a,subject_b], "
                                                         "or a pairs.txt as LFW's")
    options.add_argument("--root", help="folder of the images of --pairs")
    options.add_argument("--all-pairs", action="store_true", help="compare every embedding with every other")
    options.add_argument("--subjects-from", choices=("names", "labels"), help="who is shown: from image names "
                                                                              "(folder/image) or from stored labels")
    options.add_argument("--folds", type=int, default=10, help="folds, where the protocol names none")
    options.add_argument("--fmr", type=float, nargs="+", default=list(DEFAULT_FMR), help="FMRs at which TAR is given")
    options.add_argument("--bootstrap", type=int, default=0, metavar="ROUNDS", help="rounds of the intervals; 0 = none")
    options.add_argument("--level", type=float, default=0.95, help="level of the intervals")
    options.add_argument("--seed", type=int, default=0, help="seed of the intervals")
    options.add_argument("--devices", default="", help="such as cpu0 or gpu0,gpu1; none named: GPU 0, else CPU 0")
    options.add_argument("--batch-size", type=int, default=64, help="images in a step, over all devices")
    options.add_argument("--no-flip", action="store_true", help="do not add the mirrored image's embedding")
    options.add_argument("--plot", metavar="FILE.png", help="draw ROC and DET curves")
    args = options.parse_args(argv)
    check(args)
    return args


def check(args: argparse.Namespace) -> None:
    """Refuse combinations that name nothing to compare, or something that could not be honoured."""
    if args.model and not args.set and not (args.pairs and args.root):
        raise ConfigError("--model needs --set FILE.bin, or --pairs FILE with --root FOLDER")
    if args.model and args.all_pairs:
        raise ConfigError("--all-pairs works on --embeddings; write them with test/embed.py first")
    if args.embeddings and (args.set or args.root):
        raise ConfigError("--set and --root need --model; with --embeddings give --pairs or --all-pairs")
    if args.embeddings and bool(args.pairs) == args.all_pairs:
        raise ConfigError("--embeddings needs --pairs FILE or --all-pairs (one of them)")
    if args.all_pairs and not args.subjects_from:
        raise ConfigError("--all-pairs needs --subjects-from names or --subjects-from labels")
    if args.model and args.subjects_from == "labels":
        raise ConfigError("--subjects-from labels needs --embeddings, which hold them")
    if args.bootstrap < 0 or not 0 < args.level < 1:
        raise ConfigError(f"--bootstrap {args.bootstrap} --level {args.level}: write 0 or more, and between 0 and 1")


def scored_by_model(args: argparse.Namespace) -> Iterator[Scored]:
    # MXNet is loaded only here: who scores embeddings does not need it.
    from fairface.embedding.from_checkpoint import load_embedder

    embed: Callable[[Any], NDArray[np.float32]] = load_embedder(
        args.model, args.devices, args.batch_size, not args.no_flip, show_progress=not args.quiet
    ).embed
    for path in args.set:
        given = open_verification_set(path)
        yield path, scores_of(embed(given.images), given.comparisons), given.comparisons
    if args.pairs:
        comparisons = read_pairs(args.pairs)
        if args.subjects_from:
            comparisons = with_subjects(comparisons, subjects_from_names(comparisons.names), args.pairs)
        images = FileDataset(args.root, comparisons.names)
        yield args.pairs, scores_of(embed(images), comparisons), comparisons


def scored_from_file(args: argparse.Namespace) -> Iterator[Scored]:
    stored = load_embeddings(args.embeddings)
    if args.all_pairs:
        subjects = subjects_of(stored, args)
        comparisons = all_pairs(subjects, attributes_of(stored), stored.attribute_names, stored.names)
        name = "all pairs"
    else:
        comparisons, name = read_pairs(args.pairs, stored.names), args.pairs
        if args.subjects_from:
            comparisons = with_subjects(comparisons, subjects_of(stored, args), args.pairs)
    yield name, scores_of(stored.embeddings, comparisons), comparisons


def attributes_of(stored: Embeddings) -> NDArray[np.int8] | None:
    return stored.attributes if stored.attribute_names else None


def subjects_of(stored: Embeddings, args: argparse.Namespace) -> NDArray[np.integer]:
    if args.subjects_from == "names":
        return subjects_from_names(stored.names)
    if len(stored.labels) == 0:
        raise ConfigError(f"{args.embeddings}: holds no labels; use --subjects-from names")
    return stored.labels


def scores_of(embeddings: NDArray[np.float32], comparisons: Comparisons) -> NDArray[np.float64]:
    return cosine_scores(embeddings, comparisons.a, comparisons.b)

