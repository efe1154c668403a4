"""Score one-to-one verification: .bin sets or pair lists with a model, or stored embeddings or scores.

Examples:
    python test/verification.py --model models/orl_demo --set lfw.bin --set cfp_fp.bin
    python test/verification.py --model models/orl_demo --pairs pairs.csv --root faces/
    python test/verification.py --model models/orl_demo --set lfw.bin --fmr 0.001 0.01 --save-thresholds
    python test/verification.py --embeddings embeddings.npz --pairs pairs.csv --bootstrap 1000
    python test/verification.py --embeddings embeddings.npz --all-pairs --subjects-from names --json
    python test/verification.py --column score --pairs scores.csv
    python test/verification.py --model models/orl_demo --set lfw.bin --masked lfw_masked.bin --bootstrap 1000
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from fairface.cli import add_groups
from fairface.console import Console
from fairface.errors import ConfigError
from fairface.evaluation.acquisition import ScoredPairs
from fairface.evaluation.all_pairs import LISTED, AllPairs, open_all_pairs, verify_all_pairs
from fairface.evaluation.embedded_pairs import Embed, embedded_pairs
from fairface.evaluation.option_texts import roles_of_columns
from fairface.evaluation.saved_thresholds import SavedThresholds, ThresholdSaver
from fairface.evaluation.scored_pairs import PairSource, ScoreSource, failures_of, open_scored
from fairface.evaluation.shown_faces import worst_faces
from fairface.evaluation.side_by_side import SideBySide, side_by_side
from fairface.evaluation.training_log import training_curves
from fairface.evaluation.verification_page import evaluated_threshold, verification_page
from fairface.evaluation.verified import VerifiedSet, VerifyOptions, verify_pairs
from fairface.programs.catalog import options_of
from fairface.programs.page_options import FACES, PAGE, check_page, provenance, wants_page, write_outputs
from fairface.programs.scoring_options import MODEL_HELP, ONNX, check_intervals, checkpoint_of, embedder, model_line
from fairface.protocols.columns import ROLES
from fairface.protocols.opening import KINDS, is_pair_list
from fairface.protocols.verification_set import open_verification_set
from fairface.quantity import quantity
from fairface.report.curves import plot_curves
from fairface.report.page.face_pairs import face_panels
from fairface.report.page.panel import Panel
from fairface.report.picture import check_picture, drawn
from fairface.report.side_by_side_table import side_by_side_table
from fairface.report.verification_table import verification_table
from fairface.scoring.fairness.accounting import UNSCORED
from fairface.scoring.similarity import cosine_scores
from fairface.scoring.verification import DEFAULT_FMR, VerificationResult

SCRIPT = "test/verification.py"
SOURCES = ("model", "embeddings", "scores", "column")


def main(argv: Sequence[str], prog: str = "") -> None:
    args = arguments(argv, prog)
    console = Console.of(args)
    options = VerifyOptions(args.folds, tuple(args.fmr), args.bootstrap, args.level, args.seed, args.unscored,
                            args.leave_out_failures)  # fmt: skip
    saver = ThresholdSaver(args.model, not args.no_flip, options.fmr, args.level) if args.save_thresholds else None
    saved: SavedThresholds | None = None
    found: dict[str, VerifiedSet] = {}
    whole = all_pairs(args) if args.all_pairs else None
    if whole is not None:
        found["all pairs"] = verify_all_pairs(whole, options, show=not args.quiet)
    for path, pairs in scored_by_model(args) if args.model else scored_from_file(args) if whole is None else ():
        name = Path(path).stem
        if name in found:
            name = f"{name} (masked)" if args.masked else path
        if pairs.strangers:
            images = quantity(len(pairs.strangers), "image is", "images are")
            console.tell([f"{args.failures}: {images} in no comparison of {name}"])
        found[name] = verify_pairs(pairs, options, path)
        saved = saver.save(pairs, name) if saver and saved is None else saved
    both = masked_beside(found, options) if args.masked else None
    notes = [f"{name}: {note}" for name, of in found.items() for note in of.notes]
    notes += saved.notes if saved else ()
    if args.plot:
        plot_curves(args.plot, {name: of.curve for name, of in found.items()})
        console.tell([drawn(args.plot, f"ROC and DET of {', '.join(found)}")])
    source = {name: getattr(args, name) for name in SOURCES if getattr(args, name)}
    if wants_page(args):
        made_by = provenance(prog, SCRIPT, argv, {**source, "set": args.set, "pairs": args.pairs})
        write_outputs(args, verification_page(found, made_by, args.level, both, notes, further_panels(args, found)))
    stored = (args.embeddings, args.masked_embeddings)
    rows: dict[tuple[str, ...], VerificationResult] = {
        (row,): result for name, of in found.items() for row, result in of.rows(name).items()
    }
    console.show(
        {**source, **checkpoint_of(args.model, *stored),
         "results": {name: of.to_dict() for name, of in found.items()}, "notes": notes,
         **({"side_by_side": both.to_dict()} if both else {}), **({"thresholds": saved.to_dict()} if saved else {})},
        "\n".join([*notes, verification_table(rows, ("set",)), *model_line(args.model, *stored),
                   *(["", told(both)] if both else [])]),
    )  # fmt: skip


def further_panels(args: argparse.Namespace, found: dict[str, VerifiedSet]) -> list[Panel]:
    """The worst errors of the first set as faces, where asked for, and how the model was trained, where it is known."""
    panels: list[Panel] = []
    if args.report_faces:
        name, first = next(iter(found.items()))
        if first.scored is None:
            raise ConfigError(f"--report-faces needs a list of pairs; {name} has too many comparisons for one")
        of = first.scored
        panels += face_panels(*worst_faces(of.scores[0], of.comparisons, evaluated_threshold(first), args.report_faces))
    training = training_curves(args.model) if args.model else None
    return [*panels, *([training] if training else [])]


def masked_beside(found: dict[str, VerifiedSet], options: VerifyOptions) -> SideBySide:
    """The first set beside the second one, which is masked."""
    (one, unmasked), (other, masked) = found.items()
    return side_by_side((one, other), unmasked, masked, options)


def told(both: SideBySide) -> str:
    table = side_by_side_table(both.names, both.rows, both.difference.drawn if both.difference else "")
    return "\n".join([*both.notes, table])


OPTIONS: dict[str, dict[str, dict[str, Any]]] = {
    "comparisons": {
        "--set": {"action": "append", "default": [], "metavar": "FILE.bin", "help": "verification set, list of pairs, "
                  "or labeled data set (all pairs of its images); repeatable"},
        "--pairs": {"default": "", "metavar": "FILE", "help": "pair list (docs/data.md has a table) or RFW's folder"},
        "--masked": {"default": "", "metavar": "PATH", "help": "the same with masks, a .bin or list: both sets side by "
                     "side, and their difference"},
        "--masked-root": {"help": "folder of the images of a --masked list; default: --root, else the list's own"},
        "--masked-embeddings": {"default": "", "metavar": "FILE", "help": "those of --masked; default: --embeddings"},
        "--kind": {"choices": KINDS, "default": "auto", "help": "format of the pair list"},
        "--columns": {"action": "append", "default": [], "metavar": "ROLE=COLUMN,…", "help": "what a column "
                      f"holds, if its name is not known; roles: {', '.join(ROLES)}"},
        "--root": {"help": "folder of the images of --pairs; default: the list's own"},
        "--all-pairs": {"action": "store_true", "help": "compare every embedding with every other, however "
                        "many"},
        "--subjects-from": {"choices": ("names", "labels"), "default": "", "help": "subjects: from image names "
                            "(folder/image) or stored labels"},
        "--distance": {"action": "store_true", "help": "the scores are distances: smaller means more similar"},
    },
    "images without a face": {
        "--failures": {"default": "", "metavar": "FILE", "help": "images without a found face, one per line: "
                       "rates are given with and without them"},
        "--leave-out-failures": {"action": "store_true", "help": "give rates without them only"},
        "--unscored": {"choices": UNSCORED, "default": "error", "help": "what to do with missing scores"},
    },
    "scoring": {
        "--folds": {"type": int, "default": 10, "help": "folds, if the protocol has none"},
        "--fmr": {"type": float, "nargs": "+", "default": list(DEFAULT_FMR), "help": "FMRs at which TAR is given"},
        "--bootstrap": {"type": int, "default": 0, "metavar": "ROUNDS", "help": "bootstrap resamples; 0: no intervals"},
        "--level": {"type": float, "default": 0.95, "help": "confidence level of the intervals"},
        "--seed": {"type": int, "default": 0, "help": "seed of the bootstrap"},
        "--devices": {"default": "", "help": "such as cpu0 or gpu0,gpu1; default: GPU 0, else CPU 0"},
        "--batch-size": {"type": int, "default": 64, "help": "images per step, over all devices"},
        "--no-flip": {"action": "store_true", "help": "do not add the mirrored image's embedding"},
        "--resize": {"action": "store_true", "help": "resize images of another size instead of stopping"},
        "--plot": {"metavar": "FILE.png", "help": "draw ROC and DET curves"},
        **PAGE, **FACES,
        "--save-thresholds": {"action": "store_true", "help": "save the thresholds at these FMRs beside the model: "
                              "test/inference.py and fairface.decide use them"},
    },
}  # fmt: skip


def arguments(argv: Sequence[str], prog: str = "") -> argparse.Namespace:
    options = options_of("verification", prog)
    source = options.add_mutually_exclusive_group(required=True)
    source.add_argument("--model", default="", help=MODEL_HELP)
    source.add_argument("--embeddings", default="", metavar="FILE", help="embeddings.npz, or .npy with names.txt")
    source.add_argument("--scores", default="", metavar="FILE", help=".npy in the order of the pairs, or CSV by names")
    source.add_argument("--column", default="", help="column of the pair list with the scores")
    add_groups(options, {**OPTIONS, "for an ONNX file of others": ONNX})
    args = options.parse_args(argv)
    check(args)
    return args


def check(args: argparse.Namespace) -> None:
    """Refuse combinations that name nothing to compare, or something that could not be honoured."""
    if args.model and not args.set and not args.pairs:
        raise ConfigError("--model needs --set FILE.bin, or --pairs FILE (with --root FOLDER)")
    if args.all_pairs and not args.embeddings:
        raise ConfigError("--all-pairs works on --embeddings; write them with test/embed.py first")
    if not args.model and (args.set or args.root):
        raise ConfigError("--set and --root need --model; with --embeddings give --pairs or --all-pairs")
    if not args.model and bool(args.pairs) == args.all_pairs:
        raise ConfigError(
            f"{'--embeddings needs --pairs FILE or --all-pairs' if args.embeddings else 'give --pairs'} "
            "(one of the two)"
        )
    if args.all_pairs and not args.subjects_from:
        raise ConfigError("--all-pairs needs --subjects-from names or --subjects-from labels")
    if args.subjects_from == "labels" and not args.embeddings:
        raise ConfigError("--subjects-from labels needs --embeddings, which hold them")
    if args.resize and not args.model:
        raise ConfigError("--resize needs --model; scores and embeddings that exist already need no images")
    if args.distance and (args.model or args.embeddings):
        raise ConfigError("--distance needs given scores; scores of embeddings are cosines")
    if args.leave_out_failures and not args.failures:
        raise ConfigError("--leave-out-failures needs --failures FILE")
    if args.save_thresholds and (not args.model or len(args.set) + bool(args.pairs) != 1):
        raise ConfigError("--save-thresholds needs --model and one --set or --pairs, on which the thresholds are set")
    if args.plot:
        check_picture(args.plot)
    check_masked(args)
    check_intervals(args)
    check_page(args, [*args.set, args.pairs, args.masked, args.embeddings, args.scores, args.failures])


def check_masked(args: argparse.Namespace) -> None:
    """Refuse what cannot be put beside a masked set."""
    if not args.masked:
        if args.masked_root or args.masked_embeddings:
            raise ConfigError("--masked-root and --masked-embeddings need --masked PATH")
        return
    if args.all_pairs or args.scores or len(args.set) + bool(args.pairs) != 1:
        raise ConfigError("--masked needs one --set or --pairs beside it, with --model, --embeddings or --column")
    if (args.masked_root and not args.model) or (args.masked_embeddings and not args.embeddings):
        raise ConfigError("--masked-root needs --model, --masked-embeddings needs --embeddings")


def pair_source(args: argparse.Namespace, pairs: str) -> PairSource:
    return PairSource(
        pairs, args.kind, subjects_from=args.subjects_from, columns=roles_of_columns(args.columns),
        failures=args.failures, unscored=args.unscored,
    )  # fmt: skip


def scored_by_model(args: argparse.Namespace) -> Iterator[tuple[str, ScoredPairs]]:
    embed = embedder(args)
    for path in args.set:
        yield path, scored_set(path, embed, args)
    if args.pairs:
        yield args.pairs, embedded_pairs(pair_source(args, args.pairs), embed, args.root)
    if args.masked and args.pairs and not args.masked.endswith(".bin"):
        yield args.masked, embedded_pairs(pair_source(args, args.masked), embed, args.masked_root or args.root)
    elif args.masked:
        yield args.masked, scored_set(args.masked, embed, args, args.masked_root)


def scored_set(path: str, embed: Embed, args: argparse.Namespace, root: str | None = None) -> ScoredPairs:
    """What ``--set`` names: a list of pairs, a ``.bin``, or a labeled data set."""
    if is_pair_list(path):
        return embedded_pairs(PairSource(path, failures=args.failures, unscored=args.unscored), embed, root)
    given = open_verification_set(path)
    Console.of(args).tell(given.images.notes)
    comparisons = given.comparisons
    failed, strangers = failures_of(PairSource(path, failures=args.failures), comparisons)
    scores = cosine_scores(embed(given.images), comparisons.a, comparisons.b)
    return ScoredPairs(comparisons, (scores,), failed, strangers)


def all_pairs(args: argparse.Namespace) -> AllPairs | None:
    """All pairs of the embeddings, where they are too many for a list."""
    found = open_all_pairs(pair_source(args, ""), [ScoreSource(embeddings=args.embeddings)])
    return None if len(found) <= LISTED else found


def scored_from_file(args: argparse.Namespace) -> Iterator[tuple[str, ScoredPairs]]:
    source = ScoreSource(args.column, args.scores, args.embeddings, args.distance)
    yield args.pairs or "all pairs", open_scored(pair_source(args, args.pairs), [source])
    if args.masked:
        masked = replace(source, embeddings=args.masked_embeddings or args.embeddings)
        yield args.masked, open_scored(pair_source(args, args.masked), [masked])
