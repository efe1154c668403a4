"""VirFace's command line (Li et al. 2021): its flags, the settings of its ``config.py``, and our keys."""

from __future__ import annotations

import math
from argparse import ArgumentTypeError, Namespace
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fairface.config.flags import SWITCH, Flag, Keys, given
from fairface.errors import ConfigError
from fairface.hardware import usable_gpus
from fairface.recipes.virface_sets import evaluation_sets

METHODS = ("pretrain", "generator", "virclass", "virface")
WITH_UNLABELED = METHODS[2:]
ARCHITECTURES = ("resnet18", "resnet34", "resnet50", "resnet101", "resnet152", "usr")
# What no flag sets: the published head, weight decay on everything, and the square of its photographs.
FIXED: Mapping[str, Any] = {
    "method": "virface",
    "head": {"name": "arcface_linear", "s": 32.0},
    "augment": {"mirror": 0.5},
    "optimizer": {"name": "sgd", "decay_norm": True, "schedule": "step"},
    "verify": {"monitor": "accuracy"},
}
SQUARE: Keys = {"augment.centre_crop": 150, "augment.centre_offset": [0, 20], "augment.centre_jitter": 1}
_SOURCES: Sequence[Mapping[str, Any]] = ({"name": "labeled"}, {"name": "unlabeled", "unlabeled": True})
_TRUE, _FALSE = ("true", "yes", "1"), ("false", "no", "0")
_OF_GENERATOR = ("--g_lr", "--g_decay_steps")
_OF_UNLABELED = ("--unlabel_batch_size", "--trainProto_unlabel", "--trainRoot_unlabel")


def base_tree(args: Namespace) -> dict[str, Any]:
    """The keys that no flag sets, with the sources that the stage learns from."""
    sources = _SOURCES if args.method in WITH_UNLABELED else _SOURCES[:1]
    return {**FIXED, "sources": [dict(source) for source in sources]}


def truth(text: str) -> bool:
    """``True``, ``yes``, ``1`` or ``False``, ``no``, ``0`` in any case; the type of flags that are on or off."""
    if text.lower() not in (*_TRUE, *_FALSE):
        raise ArgumentTypeError(f"{text!r} is neither True nor False")
    return text.lower() in _TRUE


def with_truths(words: Sequence[str], flags: Sequence[str], switches: Sequence[str]) -> list[str]:
    """The words of a command line in which ``--eval``, ``--eval True`` and ``--eval False`` (of ``flags``) are
    ``--eval=…``, and ``--resume True`` or ``False`` (of ``switches``) is the switch or nothing."""
    result: list[str] = []
    left = list(words)
    while left:
        word = left.pop(0)
        if word not in flags and word not in switches:
            result.append(word)
            continue
        told = left.pop(0).lower() if left and left[0].lower() in (*_TRUE, *_FALSE) else _TRUE[0]
        if word in flags:
            result.append(f"{word}={told}")
        elif told in _TRUE:
            result.append(word)
    return result


def _run(args: Namespace) -> Keys:
    """Stage and name of the run, such as ``resnet50_virclass``."""
    return {"stage": args.method, "name": f"{args.arch}_{args.method}"}


def _backbone(args: Namespace) -> Keys:
    user = given(args, "--model_usr")
    if args.arch != "usr":
        if user:
            raise ConfigError(f"--model_usr goes with --arch usr, not with --arch {args.arch}")
        return {"backbone.name": args.arch}
    if not user:
        raise ConfigError("--arch usr needs --model_usr package.module:factory, a function that makes the network")
    return {"backbone.name": f"usr:{user}"}


def _labeled(args: Namespace) -> Keys:
    path = given(args, "--trainProto_label")
    if not path:
        raise ConfigError("give --trainProto_label, a list with lines 'path label', or another data set of any format")
    return {"sources.labeled.data.path": path}


def _unlabeled(name: str, key: str, needed: bool = False) -> Any:
    def of(args: Namespace) -> Keys:
        value = given(args, name)
        if args.method not in WITH_UNLABELED:
            return {}
        if needed and not value:
            raise ConfigError(f"--method {args.method} needs {name}, a list or data set of images without labels")
        return {f"sources.unlabeled.{key}": value} if value else {}

    return of


def _identities(args: Namespace) -> Keys:
    return {"sources.labeled.data.identities": args.num_ids} if args.num_ids > 0 else {}


def _devices(args: Namespace) -> Keys:
    named = given(args, "--gpus")
    if named is None:
        return {}
    numbers = [part.strip() for part in named.split(",") if part.strip()]
    if numbers != ["cpu"] and not all(number.isdecimal() for number in numbers):
        raise ConfigError(f"--gpus {named!r}: write numbers of GPUs, such as '0,1', or cpu")
    return {"gpus": ",".join(numbers)} if numbers and numbers != ["cpu"] and usable_gpus() else {"devices": "cpu0"}


def _rate(args: Namespace) -> Keys:
    return {"optimizer.lr": args.g_lr if args.method == "generator" else args.lr}


def _milestones(args: Namespace) -> Keys:
    """Epochs as shares of the run; those at its end or later never come."""
    name = "g_decay_steps" if args.method == "generator" else "decay_steps"
    text = getattr(args, name)
    parts = [part for part in text.strip("[]() ").replace(",", " ").split() if part]
    if not all(part.isdecimal() and int(part) for part in parts):
        raise ConfigError(f"--{name} {text}: write whole epochs from 1 on, such as 8,12,15")
    epochs = [int(part) for part in parts]
    return {"optimizer.milestones": [epoch / args.max_epoch for epoch in epochs if epoch < args.max_epoch]}


def _start(args: Namespace) -> Keys:
    starts = {value for value in (given(args, "--pretrained_file"), given(args, "--pretrain_file")) if value}
    if len(starts) > 1:
        raise ConfigError(f"--pretrained_file and --pretrain_file mean the same, but name {', '.join(sorted(starts))}")
    return {"start_from": starts.pop()} if starts else {}


def _resumed(args: Namespace) -> Keys:
    """``--resume_file`` names the run that goes on, by its folder."""
    named = given(args, "--resume_file")
    if not named:
        return {}
    run = named.removesuffix("@last")
    if "@" in Path(run).name:
        raise ConfigError(
            f"--resume_file {named}: a run goes on from its newest checkpoint, {run.rpartition('@')[0]}; for another "
            "one start a new run with --pretrained_file"
        )
    folder = Path(run)
    return {"name": folder.name, "output": str(folder.parent) if len(folder.parts) > 1 else args.snapshot_prefix}


def _sets(args: Namespace) -> Keys:
    """The sets, once an epoch."""
    if not args.eval:
        return {"verify.every": 0}
    found = evaluation_sets(args.lfw_path, args.cfp_path)
    every = {"verify.every": 1 / args.max_epoch if args.max_epoch > 1 else 0}
    return {**every, "verify.sets": found} if found else every


def check_epochs(args: Namespace) -> None:
    """Raise :class:`ConfigError` unless ``--max_epoch`` is above 0; other flags divide by it."""
    if not (math.isfinite(args.max_epoch) and args.max_epoch > 0):
        raise ConfigError(f"--max_epoch is {args.max_epoch}; it must be above 0")


FLAGS: Mapping[str, Flag] = {
    "--method": Flag("stage of the training", ("stage", "name"), {"choices": METHODS, "default": "pretrain"}, _run),
    "--trainProto_label": Flag("labeled images: a list with lines 'path label', or a data set of any format",
                               ("sources.labeled.data.path",), of=_labeled),
    "--trainRoot_label": Flag("folder that the list's paths are below; default: the list's own",
                              ("sources.labeled.data.root",)),
    "--trainProto_unlabel": Flag("images without labels, one for each identity: a list, whose labels do not count, or "
                                 "another data set", ("sources.unlabeled.data.path",),
                                 of=_unlabeled("--trainProto_unlabel", "data.path", needed=True)),
    "--trainRoot_unlabel": Flag("folder that this list's paths are below", ("sources.unlabeled.data.root",),
                                of=_unlabeled("--trainRoot_unlabel", "data.root")),
    "--center_crop": Flag("cut 150 pixels, 20 below the middle, moved by up to 1, out of photographs of 180x220; "
                          "without it images are 112x112", tuple(SQUARE), SWITCH,
                          lambda args: SQUARE if args.center_crop else {}),
    "--label_batch_size": Flag("labeled images in a step", ("sources.labeled.batch_size",),
                               {"type": int, "default": 128}),
    "--unlabel_batch_size": Flag("unlabeled images in a step; default: 128", ("sources.unlabeled.batch_size",),
                                 {"type": int},
                                 lambda args: {"sources.unlabeled.batch_size": getattr(args, "unlabel_batch_size", 128)}
                                 if args.method in WITH_UNLABELED else {}),
    "--arch": Flag("network", ("backbone.name",), {"choices": ARCHITECTURES, "default": "resnet50"}, _backbone),
    "--model_usr": Flag("network of --arch usr: package.module:factory"),
    "--feat_len": Flag("values of an embedding", ("backbone.embedding",), {"type": int, "default": 512}),
    "--num_ids": Flag("identities that the labeled images must have; 0 = as many as there are",
                      ("sources.labeled.data.identities",), {"type": int, "default": 0}, _identities),
    "--gen_num": Flag("generated instances of an unlabeled image", ("virface.gen_num",), {"type": int, "default": 5}),
    "--KL": Flag("weight of the generator's KL loss", ("virface.kl_weight",), {"type": float, "default": 2.0}),
    "--L2": Flag("weight of the generator's MSE loss", ("virface.l2_weight",), {"type": float, "default": 5e3}),
    "--gpus": Flag("numbers of the GPUs, such as '0,1', or cpu; default: the first GPU; without one: the CPU",
                   ("gpus", "devices"), of=_devices),
    "--lr": Flag("learning rate", ("optimizer.lr",), {"type": float, "default": 0.1}, _rate),
    "--g_lr": Flag("learning rate of --method generator", settings={"type": float, "default": 0.1}),
    "--lr_policy": Flag("how it falls", settings={"choices": ("multistep",), "default": "multistep"}),
    "--gamma": Flag("factor by which it falls", ("optimizer.gamma",), {"type": float, "default": 0.1}),
    "--decay_steps": Flag("epochs after which it falls", ("optimizer.milestones",), {"default": "8,12,15,18"},
                          _milestones),
    "--g_decay_steps": Flag("the same for --method generator", settings={"default": "3,5,7,9"}),
    "--momentum": Flag("of SGD", ("optimizer.momentum",), {"type": float, "default": 0.9}),
    "--weight_decay": Flag("of all parameters", ("optimizer.weight_decay",), {"type": float, "default": 1e-3}),
    "--max_epoch": Flag("epochs of the longer source", ("epochs",), {"type": float, "default": 10}),
    "--pretrained_file": Flag("model to start from, needed unless --method is pretrain: a run, run@step, or any other "
                              "checkpoint", ("start_from",), of=_start),
    "--pretrain_file": Flag("the same"),
    "--snapshot_prefix": Flag("folder of the runs", ("output",), {"default": "snapshot"}),
    "--resume_file": Flag("folder of the run that --resume goes on with; default: that of --arch and --method",
                          ("name", "output"), of=_resumed),
    "--tensorboard": Flag("write TensorBoard's events", ("log.tensorboard",), {"type": truth, "default": True}),
    "--eval": Flag("score LFW, CFP-FF and CFP-FP after every epoch", ("verify.every", "verify.sets"),
                   {"type": truth, "default": True}, _sets),
    "--lfw_path": Flag("folder with lfw_pairs.txt or lfw.bin", settings={"default": ""}),
    "--cfp_path": Flag("folder with myMeta/FF_meta.txt and FP_meta.txt, or cfp_ff.bin and cfp_fp.bin",
                       settings={"default": ""}),
}  # fmt: skip


def notes_on(args: Namespace) -> list[str]:
    """What was given and has no effect."""
    words = [*(_OF_UNLABELED if args.method not in WITH_UNLABELED else ())]
    notes = [f"{name} does nothing with --method {args.method}" for name in words if given(args, name)]
    if args.method != "generator":
        changed = [name for name in _OF_GENERATOR if given(args, name) != FLAGS[name].settings["default"]]
        notes += [f"{name} does nothing with --method {args.method}" for name in changed]
    named = given(args, "--gpus")
    if named and named.strip() != "cpu" and not usable_gpus():
        notes.append(f"--gpus {named}: no GPU here that MXNet can use; the CPU is used")
    return notes
