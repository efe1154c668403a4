"""Score IJB-B or IJB-C, 1:1 and 1:N, with a model or with features that any framework made.

Examples:
    python test/ijb.py --data_root /data/ijb --dataset_name IJBC --model models/r50
    python test/ijb.py --data_root /data/ijb --dataset_name IJBB --embeddings features.npy --flipped flipped.npy
    python test/ijb.py --data_root /data/ijb --dataset_name IJBB --scores scores.npy
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fairface.cli import add_groups
from fairface.console import Console
from fairface.embedding.fusion import FUSIONS, fused, unit
from fairface.errors import ConfigError, DataError, MissingPackageError
from fairface.evaluation.features import read_features
from fairface.evaluation.ijb import IjbScores, score_ijb, score_ijb_pairs
from fairface.faces.aligned_files import AlignedFiles
from fairface.files import write_json
from fairface.programs.catalog import options_of
from fairface.programs.page_options import PAGE, check_page, provenance, wants_page, write_outputs
from fairface.programs.scoring_options import MODEL_HELP, ONNX, check_intervals, checkpoint_of, model_line, onnx_options
from fairface.protocols.ijb import Ijb, read_ijb
from fairface.protocols.ijb_layout import image_paths
from fairface.protocols.ijb_lists import Points, read_points
from fairface.protocols.scores import read_score_array
from fairface.report.curves import plot_curves
from fairface.report.identification_table import identification_text, write_identification_csv
from fairface.report.page.card import plain_page
from fairface.report.page.far_panel import far_panel, far_verdict
from fairface.report.page.ranking import identification_panels
from fairface.report.tar_table import tar_text, write_roc_csv, write_tar_csv

TRUE, FALSE = ("true", "yes", "1"), ("false", "no", "0")


def main(argv: Sequence[str], prog: str = "") -> None:
    args = arguments(argv, prog)
    console = Console.of(args)
    ijb = read_ijb(args.data_root, args.dataset_name)
    scores = of_scores(args, ijb) if args.scores else of_features(args, ijb)
    names = ("model",) if args.model else ("scores",) if args.scores else ("features", "flipped")
    source = {name: getattr(args, name) for name in names}
    told = {**source, **checkpoint_of(args.model, args.features)}
    result = {"dataset": ijb.files.name, **told, "fusion": args.fusion_method, **scores.to_dict()}
    notes = list(scores.notes)
    if args.output_dir:
        called = args.arch or Path(args.model or args.features or args.scores).stem
        folder = Path(args.output_dir, ijb.files.name, called)
        notes += write(folder, scores, result)
        result["output"] = str(folder)
    if wants_page(args):
        panels = [far_panel(scores.verification)]
        panels += identification_panels(scores.identification) if scores.identification else ()
        made_by = provenance(prog, "test/ijb.py", argv, {"data": args.data_root, **source})
        verdict = far_verdict(ijb.files.name, scores.verification)
        write_outputs(args, plain_page(ijb.files.name, verdict, panels, made_by, notes))
    tables = [tar_text(scores.verification)]
    if scores.identification:
        tables += ["", identification_text(scores.identification)]
    console.show({**result, "notes": notes}, "\n".join([*notes, *tables, *model_line(args.model, args.features)]))


def of_scores(args: argparse.Namespace, ijb: Ijb) -> IjbScores:
    """1:1 of scores that exist already."""
    scores = read_score_array(args.scores, len(ijb.same))
    try:
        return score_ijb_pairs(ijb, -scores if args.distance else scores)
    except DataError as error:
        raise DataError(f"{args.scores}: {error}") from error


def of_features(args: argparse.Namespace, ijb: Ijb) -> IjbScores:
    """1:1 and 1:N of a model's features, or of given ones."""
    points = landmarks(ijb) if args.model or args.detector_score else None
    features = embedded(args, ijb, points) if args.model else given(args, ijb)
    weights = None
    if args.detector_score and points is not None:
        features, weights = unit(features), points.scores
    return score_ijb(ijb, features, weights, args.bootstrap, args.level, args.seed)


def landmarks(ijb: Ijb) -> Points:
    if ijb.files.points is None:
        raise DataError(
            f"{ijb.files.faces.parent}: no {ijb.files.name.lower()}_name_5pts_score.txt; the landmarks and the "
            "detector's scores stand in it: add it, or score features without --detector_score"
        )
    return read_points(ijb.files.points, ijb.faces.names)


def embedded(args: argparse.Namespace, ijb: Ijb, points: Points | None) -> NDArray[Any]:
    """Features of the images, aligned by their landmarks."""
    assert points is not None  # read for every model
    if ijb.files.images is None:
        raise DataError(f"{args.data_root}: no folder loose_crop with the images in it; add it, or give --features")
    # MXNet is loaded only here: who scores features does not need it.
    from fairface.embedding.from_checkpoint import load_embedder

    embedder = load_embedder(
        args.model, args.devices, args.batch_size, args.use_flip_test, gpus=args.gpu, show_progress=not args.quiet,
        fuse=FUSIONS[args.fusion_method], **onnx_options(args),
    )  # fmt: skip
    names = image_paths(ijb.files.images, ijb.faces.names)
    faces = AlignedFiles(ijb.files.images, names, points.points, embedder.image_size or 112, embedder.layout)
    features = embedder.embed(faces)
    return features if args.use_flip_test else fused(args.fusion_method, features)


def given(args: argparse.Namespace, ijb: Ijb) -> NDArray[Any]:
    """Features from files, both views joined."""
    read = partial(read_features, images=ijb.faces.names, source=str(ijb.files.faces))
    original = read(args.features)
    flipped = read(args.flipped) if args.flipped else None
    if flipped is not None and flipped.shape != original.shape:
        raise DataError(f"{args.flipped}: features of shape {flipped.shape}, but {original.shape} in {args.features}")
    return np.asarray(fused(args.fusion_method, original, flipped))


def write(folder: Path, scores: IjbScores, result: dict[str, Any]) -> list[str]:
    """Write the tables, the ROC and everything as JSON; returns what a user should know."""
    write_tar_csv(folder / "verification_result.csv", scores.verification)
    write_roc_csv(folder / "roc.csv", scores.verification)
    if scores.identification:
        write_identification_csv(folder / "identification_result.csv", scores.identification)
    notes = []
    try:
        plot_curves(folder / "roc.png", {str(result["dataset"]): scores.verification.roc})
    except MissingPackageError as error:
        notes.append(f"not drawn: {error}")
    write_json(folder / "result.json", result)
    return notes


def yes(text: str) -> bool:
    """The document writes ``--use_flip_test True``."""
    if text.lower() not in (*TRUE, *FALSE):
        raise argparse.ArgumentTypeError(f"{text!r} is neither True nor False")
    return text.lower() in TRUE


OPTIONS: dict[str, dict[str, dict[str, Any]]] = {
    "features": {
        "--flipped": {"default": "", "metavar": "FILE", "help": "features of the mirrored images, to be joined"},
        "--fusion_method": {"choices": tuple(FUSIONS), "default": "pre_norm_vector_add",
                            "help": "how both views are joined"},
        "--distance": {"action": "store_true", "help": "the scores are distances: smaller means more similar"},
        "--detector_score": {"action": "store_true", "help": "weigh unit features by the detector's scores"},
    },
    "with a model": {
        "--use_flip_test": {"type": yes, "default": True, "metavar": "True|False",
                            "help": "embed mirrored images, too"},
        "--arch": {"default": "", "help": "name of the results' folder; the net itself is told by its file"},
        "--gpu": {"default": "", "help": "such as 0 or 0,1; short for --devices gpu0"},
        "--devices": {"default": "", "help": "such as cpu0 or gpu0,gpu1; default: GPU 0, else CPU 0"},
        "--batch_size": {"type": int, "default": 128, "help": "images per step, over all devices"},
    },
    "results": {
        "--output_dir": {"default": "", "metavar": "FOLDER", "help": "write tables, ROC and JSON below it, to "
                         "<dataset>/<arch or name of the model>"},
        "--bootstrap": {"type": int, "default": 0, "metavar": "ROUNDS", "help": "resamples for intervals of 1:N"},
        "--level": {"type": float, "default": 0.95, "help": "confidence level of the intervals"},
        "--seed": {"type": int, "default": 0, "help": "seed of the bootstrap"},
        **PAGE,
    },
}  # fmt: skip


def arguments(argv: Sequence[str], prog: str = "") -> argparse.Namespace:
    options = options_of("ijb", prog)
    options.add_argument("--data_root", required=True, metavar="FOLDER", help="folder that holds the data set")
    options.add_argument("--dataset_name", default="IJBC", metavar="IJBB|IJBC", help="which data set")
    source = options.add_mutually_exclusive_group(required=True)
    source.add_argument("--model", "--ckpt_path", default="", help=MODEL_HELP)
    source.add_argument("--embeddings", "--features", dest="features", default="", metavar="FILE",
                        help=".npy in the order of the faces, or .npz by name")  # fmt: skip
    source.add_argument("--scores", default="", metavar="FILE.npy", help="1:1 only: a score for each line of "
                        "template_pair_label.txt")  # fmt: skip
    add_groups(options, {**OPTIONS, "for an ONNX file of others": ONNX})
    args = options.parse_args(argv)
    if args.flipped and not args.features:
        raise ConfigError("--flipped goes with --embeddings; a model embeds mirrored images itself")
    if args.scores and (args.detector_score or args.bootstrap):
        raise ConfigError("--detector_score and --bootstrap are about templates; leave them out with --scores")
    if args.distance and not args.scores:
        raise ConfigError("--distance needs --scores; scores of embeddings are cosines")
    check_intervals(args)
    check_page(args, [args.features, args.flipped, args.scores])
    return args
