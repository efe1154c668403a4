"""Compare photographs with a trained model: a similarity matrix, and whether two show the same person.

Decisions need thresholds that were saved with the model (test/verification.py --save-thresholds). A photograph without
a face is told with its reason and left out; with fewer than two faces there is nothing to compare, which is an error.

Examples:
    python test/inference.py --model orl_demo ada.jpg grace.jpg
    python test/inference.py --model ir_50 photographs/ --plot similarity.png    (a net of that kind in pretrained/)
    python test/inference.py --model models/r50,0 crops/ --aligned --json
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fairface.checkpoints import checkpoint_label, is_onnx
from fairface.console import Console
from fairface.embedding.decision import HasThresholds, decide
from fairface.embedding.thresholds import Thresholds
from fairface.errors import CheckpointError, ConfigError, DataError
from fairface.evaluation.photographs import MainFaces, find_photographs, main_faces
from fairface.faces.detect import FaceDetector
from fairface.faces.detectors import MTCNN, SPELLING, make_detector, named_detectors
from fairface.faces.mtcnn import MtcnnConfig
from fairface.files import refuse_inputs
from fairface.programs.catalog import options_of
from fairface.programs.scoring_options import add_onnx_options, model_line, onnx_options
from fairface.quantity import quantity
from fairface.report.picture import check_picture, drawn
from fairface.report.similarity_matrix import matrix_text, plot_matrix
from fairface.scoring.decision import choose_points
from fairface.scoring.similarity import similarity

LEAST = 2  # faces that can be compared


def _options(prog: str) -> argparse.ArgumentParser:
    options = options_of("inference", prog)
    options.add_argument("photographs", nargs="+", metavar="PHOTO_OR_FOLDER", help="photographs, or folders of them")
    options.add_argument(
        "--model",
        required=True,
        help="run | run@step | prefix,epoch | PyTorch or ONNX file | dlib | name of a net in pretrained/, as ir_50",
    )
    options.add_argument("--aligned", action="store_true", help="the photographs are aligned crops: look for no face")
    options.add_argument("--detector", metavar="NAME", help=f"{SPELLING}; default: {MTCNN}")
    options.add_argument("--no-flip", action="store_true", help="do not add the mirrored image's embedding")
    options.add_argument(
        "--fmr",
        type=float,
        nargs="+",
        default=[],
        help="one or two FMRs with a saved threshold, to decide by; default: the lowest and the highest",
    )
    options.add_argument("--plot", metavar="FILE.png", help="draw the matrix as a heat map")
    options.add_argument("--devices", default="", help="such as cpu0 or gpu0,gpu1; default: GPU 0, else CPU 0")
    options.add_argument("--batch-size", type=int, default=64, help="images per step, over all devices")
    add_onnx_options(options)
    return options


def main(argv: Sequence[str], prog: str = "") -> None:
    args = _options(prog).parse_args(argv)
    console = Console.of(args)
    if args.aligned and args.detector:
        raise ConfigError("--aligned looks for no face, so --detector would do nothing; leave one of them out")
    photographs, notes = find_photographs(args.photographs)
    if args.plot:
        refuse_inputs([args.plot], photographs)
        check_picture(args.plot)
    console.tell(notes)
    # MXNet is loaded only here: a wrong path costs no seconds.
    from fairface.embedding.model import load_model

    checkpoint = checkpoint_of(args.model)
    model = load_model(checkpoint, args.devices, args.batch_size, **onnx_options(args))
    thresholds, note = usable_thresholds(model, not args.no_flip, args.fmr)
    with console.progress(total=len(photographs), label="find faces", unit="img") as bar:
        detector = None if args.aligned else _detector(args)
        found = main_faces(photographs, model.image_size, detector, bar.update, model.layout)
    console.tell(found.notes)
    check_enough(found, len(photographs), args.aligned)
    embeddings = model.embed(list(found.crops), not args.no_flip)
    cosines = similarity(embeddings, embeddings)
    decisions = decide(cosines, thresholds, not args.no_flip, args.fmr) if thresholds else None
    if args.plot:
        plot_matrix(args.plot, found.names, cosines)
        console.tell([drawn(args.plot, f"the cosines of {quantity(len(found.names), 'photograph')}")])
    explained = thresholds.explain(args.fmr) if thresholds else (note,)
    console.show(
        {"model": model.name, "checkpoint": checkpoint_label(checkpoint),
         **as_dict(found, cosines, decisions, thresholds, args.fmr), "note": note},
        "\n".join([text(found, cosines, decisions, explained), *model_line(checkpoint)]),
    )  # fmt: skip


def checkpoint_of(name: str) -> str:
    """The checkpoint that ``name`` stands for; an ONNX file stands for itself, and MXNet is not loaded for it."""
    if is_onnx(name):
        return name
    from fairface.interop.pretrained import find_checkpoint

    return find_checkpoint(name)


def _detector(args: argparse.Namespace) -> FaceDetector:
    names = named_detectors(args.detector or MTCNN)
    if names is not None:
        return make_detector(names, MtcnnConfig())
    from fairface.interop.detector import load_retinaface
    from fairface.parallel import contexts_of

    return load_retinaface(args.detector, contexts_of(args.devices)[0])


def usable_thresholds(model: HasThresholds, flip: bool, fmr: Sequence[float]) -> tuple[Thresholds | None, str]:
    """The model's thresholds, or why nothing can be decided: an error where ``fmr`` asks for decisions."""
    try:
        decide(0.0, model, flip, fmr)
    except (CheckpointError, ConfigError) as error:
        if fmr:
            raise
        return None, f"no decision: {error}"
    return model.thresholds, ""


def check_enough(found: MainFaces, photographs: int, aligned: bool) -> None:
    """Raise a DataError where fewer than two photographs can be compared; ``aligned``: no face was looked for."""
    if len(found.names) < LEAST:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in found.left_out[:3])
        more = "; …" if len(found.left_out) > 3 else ""
        remedy = "leave out --aligned, so that faces are looked for" if aligned else "aligned crops with --aligned"
        raise DataError(
            f"{len(found.names)} of {quantity(photographs, 'photograph')} can be compared, two are needed"
            f"{f' ({reasons}{more})' if reasons else ''}; give more photographs, or {remedy}"
        )


def as_dict(
    found: MainFaces, cosines: NDArray[np.float64], decisions: NDArray[np.str_] | None, thresholds: Thresholds | None,
    fmr: Sequence[float],
) -> dict[str, Any]:  # fmt: skip
    """Plain values for JSON; rows and columns are in the order of ``photographs``, ``fmr`` holds the FMRs of
    the thresholds for same and for not same."""
    deciding = choose_points(thresholds.points, fmr) if thresholds else ()
    return {
        "photographs": list(found.names),
        "similarity": cosines.tolist(),
        "decisions": None if decisions is None else decisions.tolist(),
        "fmr": [point.target for point in deciding],
        "thresholds": None if thresholds is None else thresholds.to_dict(),
        "left_out": [{"photograph": name, "reason": reason} for name, reason in found.left_out],
    }


def text(
    found: MainFaces, cosines: NDArray[np.float64], decisions: NDArray[np.str_] | None, explained: Sequence[str]
) -> str:
    """The matrix for people, what its marks mean, and the photographs that are not in it."""
    lines = [matrix_text(found.names, cosines, decisions), ""]
    marks = {"same": "+ ", "undecided": "? "}
    lines += [f"{marks.get(sentence.partition(':')[0], '  ')}{sentence}" for sentence in explained]
    lines += [f"left out: {name}: {reason}" for name, reason in found.left_out]
    return "\n".join(lines)
