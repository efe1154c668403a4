"""The final evaluation: photographs (or aligned faces) and pairs in, predictions, fairness and verification report out.

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

from fairface.cli import add_groups, parser, print_json, run, tell
from fairface.embedding.final_crops import Cropping, PhotoSource
from fairface.embedding.final_demo import lay_out_demo, require_models
from fairface.embedding.final_models import find_models, find_template
from fairface.embedding.final_settings import demo_settings, values_of_attributes
from fairface.embedding.final_truth import TruthSource
from fairface.errors import ConfigError
from fairface.report.final_assessment import FinalOptions
from fairface.scoring.fairness.options import FairnessOptions
from fairface.scoring.transductive.chain import ChainSteps

ON_OFF = argparse.BooleanOptionalAction
OPTIONS: dict[str, dict[str, dict[str, Any]]] = {
    "whose faces": {
        "--photos": {"default": "", "metavar": "DIR", "help": "photographs at any depth, to be aligned first"},
        "--aligned": {"default": "", "metavar": "DIR", "help": "aligned faces instead"},
        "--failures": {"default": "", "metavar": "FILE", "help": "of --aligned: names on which detection failed, one a "
                       "line; failures.txt in that folder is found by itself"},
        "--template": {"default": "", "metavar": "FILE", "help": "pairs as ID1,ID2,SCORE; without it all pairs"},
        "--demo": {"action": "store_true", "help": "the embedded data and the models that the stages made"},
        "--models-from": {"default": "", "metavar": "DIR", "help": "find both models there by their names"},
        "--data-from": {"default": "", "metavar": "DIR", "help": "find photographs and pairs there"},
        "--data-aligned": {"action": "store_true", "help": "what is found there are aligned faces"},
    },
    "how photographs are aligned": {
        "--detector": {"default": "", "metavar": "PREFIX,EPOCH", "help": "RetinaFace instead of MTCNN"},
        "--size": {"type": int, "default": 112, "help": "of a crop in pixels"},
        "--enlarge": {"type": float, "default": 1.0, "help": "enlarge photographs for the detector"},
        "--border": {"type": int, "default": 0, "help": "then repeat their edge by so many pixels"},
    },
    "models: run | run@step | prefix,epoch | PyTorch file": {
        "--model": {"default": "", "metavar": "NAME", "help": "the three-step model"},
        "--hard-model": {"default": "", "metavar": "NAME", "help": "the hard-sample model; none: no fusion"},
        "--devices": {"default": "", "help": "such as cpu0 or gpu0,gpu1; none named: GPU 0, else CPU 0"},
        "--batch-size": {"type": int, "default": 64, "help": "images in a step, over all devices"},
    },
    "steps after the cosine, all of them transductive: they change a pair's score by other pairs": {
        "--rerank": {"action": ON_OFF, "default": True, "help": "re-ranking"},
        "--cut": {"action": ON_OFF, "default": True, "help": "gap cut"},
        "--fuse": {"action": ON_OFF, "default": None, "help": "fusion; on where there is a hard-sample model"},
    },
    "the truth": {
        "--truth": {"default": "", "metavar": "FILE", "help": "pairs with 1 (one person) or 0"},
        "--attributes": {"default": "", "metavar": "FILE.csv", "help": "one row for each image"},
        "--image-column": {"default": "", "help": "its column with the image's id; found by itself as a rule"},
        "--subjects-from": {"default": "", "metavar": "WHERE", "help": "who is shown: names, or a column of the "
                            "attributes; gives the truth too where there is no file of it"},
        "--values": {"action": "append", "default": [], "metavar": "NAME=A,B", "help": "all values of an attribute; "
                     "any other is an error"},
        "--protected": {"nargs": "+", "default": [], "metavar": "NAME", "help": "protected attributes"},
        "--legitimate": {"nargs": "+", "default": [], "metavar": "NAME", "help": "for the challenge's measure"},
    },
    "threshold: given, or fixed at an FMR": {
        "--threshold": {"type": float, "help": "a score"},
        "--fmr": {"type": float, "default": 0.01, "help": "the FMR that the threshold is fixed at"},
        "--calibration-photos": {"default": "", "metavar": "DIR", "help": "photographs of other people, to fix it on"},
        "--calibration-aligned": {"default": "", "metavar": "DIR", "help": "their aligned faces instead"},
        "--calibration-template": {"default": "", "metavar": "FILE", "help": "their pairs; without it all pairs"},
        "--calibration-truth": {"default": "", "metavar": "FILE", "help": "their truth; else --subjects-from says it"},
    },
    "what is written": {
        "--output": {"default": "results/final_eval", "metavar": "DIR", "help": "folder to write to"},
        "--decimals": {"type": int, "help": "of the scores; the challenge's programs wrote 5"},
        "--bootstrap": {"type": int, "default": 1000, "metavar": "ROUNDS", "help": "resamplings and shuffles; 0: none"},
        "--min-people": {"type": int, "default": 30, "help": "groups with fewer are kept out of measures"},
        "--level": {"type": float, "default": 0.95, "help": "of the intervals"},
        "--seed": {"type": int, "default": 0, "help": "of resamplings and shuffles"},
        "--json": {"action": "store_true", "help": "print fairness.json's object instead of tables"},
    },
}  # fmt: skip


def main(argv: Sequence[str]) -> None:
    args = arguments(argv)
    prepared = prepare(args)
    from fairface.embedding.final import FinalRun, run_final  # MXNet: after everything that can be refused without it

    report = run_final(FinalRun(devices=args.devices, batch_size=args.batch_size, decimals=args.decimals, **prepared))
    if args.json:
        print_json({"output": args.output, **report.to_dict()})
    else:
        print(report.text())
        print(f"\n{args.output}: predictions.csv, fairness.json, report.md (all tables)")


def arguments(argv: Sequence[str]) -> argparse.Namespace:
    options = parser("Photographs and pairs in; predictions, fairness and verification report out.")
    add_groups(options, OPTIONS)
    args = options.parse_args(argv)
    args.notes = ()
    if args.demo:
        require_models()
        if args.output == options.get_default("output"):
            args.output = "results/orl_demo"
        demo = lay_out_demo(Path(args.output))
        args.notes = demo.notes
        tell(demo.notes)
        for name, value in demo_settings(demo).items():
            if getattr(args, name) == options.get_default(name):
                setattr(args, name, value)
    if args.models_from:
        args.model, args.hard_model = find_models(Path(args.models_from))
    if args.data_from:
        setattr(args, "aligned" if args.data_aligned else "photos", args.data_from)
        args.template = args.template or find_template(Path(args.data_from))
    return args


def prepare(args: argparse.Namespace) -> dict[str, Any]:
    """The fields of a :class:`fairface.embedding.final.FinalRun`.

    Raises:
        ConfigError: options that do not go together.
    """
    if not args.model:
        raise ConfigError("name the three-step model with --model, or a folder with --models-from")
    fuse = bool(args.hard_model) if args.fuse is None else args.fuse
    if fuse and not args.hard_model:
        raise ConfigError("--fuse needs the hard-sample model; name it with --hard-model, or leave --fuse out")
    wanted, allowed = [*args.protected, *args.legitimate], values_of_attributes(args.values)
    truth = TruthSource(args.truth, args.attributes, args.image_column, args.subjects_from, allowed, wanted)
    fairness = FairnessOptions(level=args.level, rounds=args.bootstrap, seed=args.seed, min_people=args.min_people)
    return {
        "source": PhotoSource(args.photos, args.aligned, args.failures, args.template),
        "three_step": args.model,
        "hard": args.hard_model,
        "output": Path(args.output),
        "truth": truth,
        "calibration": calibration(args),
        "steps": ChainSteps(args.rerank, args.cut, fuse),
        "options": FinalOptions(
            tuple(args.protected), tuple(args.legitimate), args.fmr, args.threshold, fairness
        ),
        "cropping": Cropping(args.size, args.enlarge, args.border, args.detector, args.devices),
        "notes": args.notes,
    }


def calibration(args: argparse.Namespace) -> tuple[PhotoSource, TruthSource] | None:
    """The pairs of other people, where they are given."""
    given = args.calibration_photos or args.calibration_aligned
    if not given:
        if args.calibration_template or args.calibration_truth:
            raise ConfigError("calibration needs --calibration-photos or --calibration-aligned")
        return None
    if args.threshold is not None:
        raise ConfigError("give --threshold or pairs for calibration, not both")
    truth = TruthSource(args.calibration_truth, args.attributes, args.image_column, args.subjects_from)
    if not truth.known:
        raise ConfigError("nothing tells the truth of the calibration pairs; give --calibration-truth")
    return PhotoSource(args.calibration_photos, args.calibration_aligned, "", args.calibration_template), truth


if __name__ == "__main__":
    run(main)
