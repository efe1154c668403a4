"""From the options of the evaluation's program to what is asked of it. No MXNet."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from fairface.errors import ConfigError
from fairface.evaluation.assessment import EvaluationOptions
from fairface.evaluation.demo import BORDER, ENLARGE, HARD, LEGITIMATE, PROTECTED, THREE_STEP, DemoFiles
from fairface.evaluation.find_models import find_models, find_template
from fairface.evaluation.option_texts import groups_of_attributes
from fairface.evaluation.request import Cropping, PhotoSource, TruthSource
from fairface.evaluation.stage_models import StageChoice, finetuned_stages, named_stages
from fairface.protocols.pair_template import check_decimals
from fairface.scoring.fairness.options import FairnessOptions
from fairface.scoring.transductive.chain import ChainSteps


def demo_models(args: argparse.Namespace) -> dict[str, str]:
    """The models of the embedded data, by option, that are used: those that the user does not name."""
    models = {} if args.models_from else {"model": THREE_STEP, "hard_model": HARD}
    return {option: name for option, name in models.items() if getattr(args, option) is None}


def demo_settings(demo: DemoFiles, args: argparse.Namespace) -> dict[str, Any]:
    """What the program's options are on the embedded data where the user writes nothing.

    Its photographs and pairs, and its subjects for calibration, give way to the user's own; so does its calibration to
    a threshold that is given.
    """
    kind = "aligned" if demo.aligned else "photos"
    settings = {
        "attributes": str(demo.attributes),
        "image_column": "image",
        "subjects_from": "person",
        "protected": list(PROTECTED),
        "legitimate": list(LEGITIMATE),
        "enlarge": ENLARGE,
        "border": BORDER,
        **demo_models(args),
    }
    if not (args.photos or args.aligned or args.data_from):
        settings |= {kind: str(demo.test), "template": str(demo.template)}
    if args.threshold is None and not (args.calibration_photos or args.calibration_aligned):
        settings[f"calibration_{kind}"] = str(demo.calibration)
    return settings


def find_named(args: argparse.Namespace) -> None:
    """Find in ``--models-from`` and ``--data-from`` what the other options do not name.

    Raises:
        ConfigError: images are both named and to be found.
        FairfaceError: what cannot be found, or is there more than once.
    """
    if args.models_from and (args.model is None or args.hard_model is None):
        args.model, args.hard_model = find_models(Path(args.models_from), args.model, args.hard_model)
    if args.data_from:
        if args.photos or args.aligned:
            raise ConfigError("--data-from finds the images already; remove it, or remove --photos and --aligned")
        setattr(args, "aligned" if args.data_aligned else "photos", args.data_from)
        args.template = args.template or find_template(Path(args.data_from))


def evaluation_options(args: argparse.Namespace) -> EvaluationOptions:
    """What is asked of the assessment.

    Raises:
        ConfigError: a number that cannot be used.
    """
    fairness = FairnessOptions(level=args.level, rounds=args.bootstrap, seed=args.seed, min_subjects=args.min_subjects)
    return EvaluationOptions(tuple(args.protected), tuple(args.legitimate), args.fmr, args.threshold, fairness)


def check_numbers(args: argparse.Namespace) -> None:
    """Refuse numbers that would only fail, in other words, once faces are found and embedded.

    Raises:
        ConfigError: names the number.
    """
    check_decimals(args.decimals)
    evaluation_options(args)


def prepare(args: argparse.Namespace) -> dict[str, Any]:
    """The fields of a :class:`fairface.evaluation.run.EvaluationRequest`.

    Raises:
        ConfigError: options that do not go together.
    """
    if not args.model:
        raise ConfigError("name the three-step model with --model, or a folder with --models-from")
    fuse = bool(args.hard_model) if args.fuse is None else args.fuse
    if fuse and not args.hard_model:
        raise ConfigError("--fuse needs the hard-sample model; name it with --hard-model, or leave --fuse out")
    wanted = [*args.protected, *args.legitimate]
    allowed = groups_of_attributes(args.values, args.bands, wanted)
    truth = TruthSource(args.truth, args.attributes, args.image_column, args.subjects_from, allowed, wanted)
    return {
        "source": PhotoSource(args.photos, args.aligned, args.failures, args.template),
        "three_step": args.model,
        "hard": args.hard_model or "",
        "output": Path(args.output),
        "truth": truth,
        "calibration": calibration(args),
        "steps": ChainSteps(args.rerank, args.cut, fuse),
        "options": evaluation_options(args),
        "cropping": Cropping(args.size, args.enlarge, args.border, args.detector, args.jobs),
        "decimals": args.decimals,
        "stages": stage_choice(args, truth.known),
    }


def stage_choice(args: argparse.Namespace, truth_known: bool) -> StageChoice:
    """The stages that are compared: those that are named, else the steps of the finetuning that made the model.

    Raises:
        ConfigError: stages are named where they cannot be compared.
        FairfaceError: what :mod:`fairface.evaluation.stage_models` refuses.
    """
    if args.no_stages:
        if args.stages:
            raise ConfigError("--stages and --no-stages contradict each other; leave one out")
        return StageChoice()
    lacking = [] if truth_known else ["the truth is not known (--truth FILE or --subjects-from)"]
    lacking += [] if args.protected else ["no groups are named (--protected NAME)"]
    if args.stages and lacking:
        raise ConfigError(f"--stages compares accuracy and the gap between groups, but {' and '.join(lacking)}")
    if args.stages:
        return named_stages(args.stages, args.model)
    found = finetuned_stages(args.model)
    if found.models and lacking:
        names = ", ".join(stage.name for stage in found.models)
        return StageChoice((), f"the stages {names} are not compared: {' and '.join(lacking)}")
    return found


def calibration(args: argparse.Namespace) -> tuple[PhotoSource, TruthSource] | None:
    """The pairs of other subjects, where they are given.

    Raises:
        ConfigError: pairs or a truth without images, no truth, or a threshold given together with them.
    """
    given = args.calibration_photos or args.calibration_aligned
    if not given:
        if args.calibration_template or args.calibration_truth:
            raise ConfigError("calibration needs --calibration-photos or --calibration-aligned")
        return None
    if args.threshold is not None:
        raise ConfigError("give --threshold or pairs for calibration, not both")
    truth = TruthSource(args.calibration_truth, args.attributes, args.image_column, args.subjects_from)
    if not truth.known:
        raise ConfigError("the truth of the calibration pairs is unknown; give --calibration-truth")
    return PhotoSource(args.calibration_photos, args.calibration_aligned, "", args.calibration_template), truth
