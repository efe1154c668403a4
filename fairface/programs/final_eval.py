"""Score photographs (or aligned faces) and pairs; write predictions and a fairness and verification report.

Examples:
    python test/final_eval.py --photos photographs --template pairs.csv --model three_step --hard-model hard
    python test/final_eval.py --aligned faces --model models/r100,0 --no-rerank --no-cut --truth truth.csv
    python test/final_eval.py --demo
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fairface.checkpoints import is_onnx
from fairface.cli import add_groups
from fairface.console import Console
from fairface.evaluation.demo import lay_out_demo, require_models
from fairface.evaluation.engines import Embedder, Engines
from fairface.evaluation.options import check_numbers, demo_models, demo_settings, find_named, prepare
from fairface.evaluation.output import PAGE
from fairface.evaluation.run import EvaluationRequest, run_evaluation
from fairface.faces.detect import FaceDetector
from fairface.faces.detectors import SPELLING
from fairface.hardware import usable_cores
from fairface.programs.catalog import options_of
from fairface.programs.page_options import provenance
from fairface.programs.scoring_options import ONNX, check_threshold, onnx_options

ON_OFF = argparse.BooleanOptionalAction
OPTIONS: dict[str, dict[str, dict[str, Any]]] = {
    "images": {
        "--photos": {"default": "", "metavar": "DIR", "help": "photographs at any depth, to be aligned first"},
        "--aligned": {"default": "", "metavar": "DIR", "help": "aligned faces instead"},
        "--failures": {"default": "", "metavar": "FILE", "help": "with --aligned: names on which detection failed, one "
                       "per line; failures.txt in that folder is found automatically"},
        "--template": {"default": "", "metavar": "FILE", "help": "pairs as ID1,ID2,SCORE; without it all pairs"},
        "--demo": {"action": "store_true", "help": "the embedded data and the models of its training stages"},
        "--models-from": {"default": "", "metavar": "DIR", "help": "folder to find models in that are not named"},
        "--data-from": {"default": "", "metavar": "DIR", "help": "folder to find photographs and pairs in"},
        "--data-aligned": {"action": "store_true", "help": "the images found there are aligned faces"},
    },
    "alignment of photographs": {
        "--detector": {"default": "", "metavar": "NAME", "help": SPELLING},
        "--size": {"type": int, "default": 112, "help": "side of a crop in pixels"},
        "--enlarge": {"type": float, "default": 1.0, "help": "enlarge photographs for the detector"},
        "--border": {"type": int, "default": 0, "help": "then extend them by this many pixels on each side"},
        "--jobs": {"type": int, "default": usable_cores(), "help": "processes that align"},
    },
    "models: run | run@step | prefix,epoch | PyTorch or ONNX file | dlib": {
        "--model": {"metavar": "NAME", "help": "the three-step model"},
        "--hard-model": {"metavar": "NAME", "help": "the hard-sample model; none: no fusion"},
        "--stages": {"nargs": "+", "default": [], "metavar": "NAME=RUN", "help": "models before --model, first to "
                     "last: accuracy against the gap on the same pairs; default: the steps that made --model"},
        "--no-stages": {"action": "store_true", "help": "do not compare the steps that made --model"},
        "--devices": {"default": "", "help": "such as cpu0 or gpu0,gpu1; default: GPU 0, else CPU 0"},
        "--batch-size": {"type": int, "default": 64, "help": "images per step, over all devices"},
        **ONNX,
    },
    "steps after the cosine; all are transductive: other pairs change the score of a pair": {
        "--rerank": {"action": ON_OFF, "default": True, "help": "re-ranking"},
        "--cut": {"action": ON_OFF, "default": True, "help": "gap cut"},
        "--fuse": {"action": ON_OFF, "default": None, "help": "fusion; default: on if there is a hard-sample model"},
    },
    "the truth": {
        "--truth": {"default": "", "metavar": "FILE", "help": "pairs with 1 (one subject) or 0"},
        "--attributes": {"default": "", "metavar": "FILE.csv", "help": "one row for each image"},
        "--image-column": {"default": "", "help": "its column with the image's id; usually found automatically"},
        "--subjects-from": {"default": "", "metavar": "WHERE", "help": "source of the subjects: names, or a "
                            "column of the attributes; gives the truth too, without --truth"},
        "--values": {"action": "append", "default": [], "metavar": "NAME=A,B", "help": "all values of an attribute; "
                     "any other is an error"},
        "--bands": {"action": "append", "default": [], "metavar": "NAME=18,40,65", "help": "an attribute of numbers, "
                    "such as ages, in bands: below 18, from 18 to below 40, …"},
        "--protected": {"nargs": "+", "default": [], "metavar": "NAME", "help": "protected attributes"},
        "--legitimate": {"nargs": "+", "default": [], "metavar": "NAME", "help": "for the challenge's measure"},
    },
    "threshold: given, or set at an FMR": {
        "--threshold": {"type": float, "help": "a score"},
        "--fmr": {"type": float, "default": 0.01, "help": "the FMR that sets the threshold"},
        "--calibration-photos": {"default": "", "metavar": "DIR", "help": "photographs of others, to set it on"},
        "--calibration-aligned": {"default": "", "metavar": "DIR", "help": "their aligned faces instead"},
        "--calibration-template": {"default": "", "metavar": "FILE", "help": "their pairs; without it all pairs"},
        "--calibration-truth": {"default": "", "metavar": "FILE", "help": "their truth; default: by --subjects-from"},
    },
    "output": {
        "--output": {"default": "results/final_eval", "metavar": "DIR", "help": "folder to write to"},
        "--report-faces": {"action": "store_true", "help": "show the worst errors as faces in report.html"},
        "--decimals": {"type": int, "help": "decimals of the scores, up to 17; the challenge's programs wrote 5"},
        "--bootstrap": {"type": int, "default": 1000, "metavar": "ROUNDS", "help": "resamples and permutations"},
        "--min-subjects": {"type": int, "default": 30, "help": "exclude groups with fewer from measures"},
        "--level": {"type": float, "default": 0.95, "help": "confidence level of the intervals"},
        "--seed": {"type": int, "default": 0, "help": "seed of resamples and permutations"},
    },
}  # fmt: skip


def main(argv: Sequence[str], prog: str = "") -> None:
    args, notes = arguments(argv, prog)
    console = Console.of(args)
    command = provenance(prog, "test/final_eval.py", argv, {}).command
    run = EvaluationRequest(notes=notes, command=command, faces=args.report_faces, **prepare(args))
    report = run_evaluation(run, engines(args, [stage.model for stage in run.stages.models], console), console)
    page = ", report.html" if (Path(args.output) / PAGE).is_file() else ""
    text = f"{report.text()}\n\n{args.output}: predictions.csv, fairness.json, report.md (all tables){page}"
    console.show({"output": args.output, **report.to_dict()}, text)


def engines(args: argparse.Namespace, stages: Sequence[str], console: Console) -> Engines:
    """MXNet's, on the devices that the options name, and ONNX Runtime's for ONNX files.

    Raises:
        MissingPackageError: MXNet is not installed; told now, before any photograph is aligned.
    """
    from fairface.embedding.from_checkpoint import load_embedder

    models = (args.model, args.hard_model, *stages)
    if not all(is_onnx(model) for model in models if model):
        import fairface.mx  # noqa: F401

    def embedder_of(model: str) -> Embedder:
        return load_embedder(
            model, args.devices, args.batch_size, flip=True, show_progress=not console.quiet, **onnx_options(args)
        )

    def detector_of(model: str) -> FaceDetector:
        from fairface.interop import detector
        from fairface.parallel import contexts_of

        return detector.load_retinaface(model, contexts_of(args.devices)[0])

    return Engines(embedder_of, detector_of)


def arguments(argv: Sequence[str], prog: str = "") -> tuple[argparse.Namespace, tuple[str, ...]]:
    """The options, and notes about them; on the embedded data whatever is written goes before its settings."""
    options = options_of("evaluate", prog)
    add_groups(options, OPTIONS)
    args = options.parse_args(argv)
    check_threshold(argv)
    notes: tuple[str, ...] = ()
    check_numbers(args)
    if args.demo:
        require_models(demo_models(args).values())
        options.set_defaults(output="results/orl_demo")
        demo = lay_out_demo(Path(options.parse_args(argv).output))
        Console.of(args).tell(notes := demo.notes)
        options.set_defaults(**demo_settings(demo, args))
        args = options.parse_args(argv)
    find_named(args)
    return args, notes
