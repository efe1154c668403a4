"""Latent Part Detection's settings (Ding et al. 2020): those of the published ``config.py``, as flags, and our keys.

The published program has no flags but the number of the device; its settings stand in a file. The numbers are its own.
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping
from typing import Any

from fairface.config.flags import Flag, Keys, given
from fairface.config.schema import LPDConfig
from fairface.errors import ConfigError
from fairface.hardware import usable_gpus

# What no flag sets: softmax on both streams, images as they are, a step schedule, no verification while it trains.
FIXED: Mapping[str, Any] = {
    "method": "lpd",
    "head": {"name": "softmax"},
    "data": {"resize": True},
    "augment": {"mirror": 0.0},
    "sampler": {"kind": "pk"},
    "optimizer": {"name": "sgd", "decay_norm": True, "schedule": "step"},
    "verify": {"every": 0},
}
TRAIN_DATA = "dataset/train dataset"
_NOSE_HEIGHTS = ("column", "file_name", "constant")


def _devices(args: Namespace) -> Keys:
    named = given(args, "--device_id")
    if named is None:
        return {}
    if named != "cpu" and not named.isdecimal():
        raise ConfigError(f"--device_id {named!r}: write the number of a GPU, such as 0, or cpu")
    return {"gpus": named} if named != "cpu" and usable_gpus() else {"devices": "cpu0"}


def _batch(args: Namespace) -> Keys:
    return {"batch_size": args.ids_per_batch * args.images_per_id}


def _warmup(args: Namespace) -> Keys:
    """The warm-up as a share of the run."""
    if not 0 <= args.warmup_epochs < args.max_epoch:
        raise ConfigError(
            f"--warmup_epochs is {args.warmup_epochs:g} and --max_epoch {args.max_epoch:g}: the warm-up must be 0 or "
            "more, and end before the run"
        )
    return {"optimizer.warmup": args.warmup_epochs / args.max_epoch}


def _milestones(args: Namespace) -> Keys:
    """The epochs, counted from the warm-up's end, as shares of the run; those at its end or later never come."""
    parts = [part for part in args.lr_epochs.strip("[]() ").replace(",", " ").split() if part]
    if not all(part.isdecimal() and int(part) for part in parts):
        raise ConfigError(f"--lr_epochs {args.lr_epochs}: write whole epochs from 1 on, such as 40,80,100")
    falls = [args.warmup_epochs + int(part) for part in parts]
    return {"optimizer.milestones": [epoch / args.max_epoch for epoch in falls if epoch < args.max_epoch]}


def _nose_height(args: Namespace) -> Keys:
    told = args.nose_height
    if told in _NOSE_HEIGHTS:
        return {"lpd.nose_height": told}
    try:
        return {"lpd.nose_height": "constant", "lpd.nose_height_value": float(told)}
    except ValueError as error:
        raise ConfigError(
            f"--nose_height {told}: write {', '.join(_NOSE_HEIGHTS)} or a share of the image's height, such as 0.6"
        ) from error


def notes_on(args: Namespace) -> list[str]:
    """What was given and has no effect."""
    named = given(args, "--device_id")
    if named and named != "cpu" and not usable_gpus():
        return [f"--device_id {named}: no GPU here that MXNet can use; the CPU is used"]
    return []


FLAGS: Mapping[str, Flag] = {
    "--data": Flag("images in one folder per person, or a data set of any format", ("data.path",),
                   {"default": TRAIN_DATA, "metavar": "PATH"}),
    "--name": Flag("the run's name", ("name",), {"default": "lpd"}),
    "--snapshot_prefix": Flag("folder of runs", ("output",), {"default": "models", "metavar": "FOLDER"}),
    "--device_id": Flag("number of the GPU, or cpu; default: the first GPU; without one: the CPU", ("gpus", "devices"),
                        of=_devices),
    "--nose_height": Flag("where an image's nose height comes from: column, file_name (0_0.5625.jpg), or one value for "
                          "all, a share of the image's height", ("lpd.nose_height", "lpd.nose_height_value"),
                          {"default": "file_name"}, _nose_height),
    "--arch": Flag("network; lpd is a ResNet-50", ("backbone.name",),
                   {"choices": ("lpd", "lpd_tiny"), "default": "lpd"}),
    "--feat_len": Flag("values of an embedding, half of them of each stream", ("backbone.embedding",),
                       {"type": int, "default": 4096}),
    "--image_size": Flag("side of the images, which are resized to it", ("data.image_size",),
                         {"type": int, "default": 128}),
    "--ids_per_batch": Flag("identities in a step (P)", ("batch_size",), {"type": int, "default": 16}, _batch),
    "--images_per_id": Flag("images of each (K)", ("sampler.images_per_class",), {"type": int, "default": 8}),
    "--max_epoch": Flag("epochs; in one each identity comes once", ("epochs",), {"type": float, "default": 120}),
    "--lr": Flag("learning rate", ("optimizer.lr",), {"type": float, "default": 0.01}),
    "--warmup_epochs": Flag("epochs in which it rises", ("optimizer.warmup",), {"type": float, "default": 20},
                            _warmup),
    "--lr_epochs": Flag("epochs after the warm-up at which it falls", ("optimizer.milestones",),
                        {"default": "40,80,100"}, _milestones),
    "--gamma": Flag("factor by which it falls", ("optimizer.gamma",), {"type": float, "default": 0.1}),
    "--momentum": Flag("of SGD", ("optimizer.momentum",), {"type": float, "default": 0.9}),
    "--weight_decay": Flag("the published file says 1e-4, its program never uses it", ("optimizer.weight_decay",),
                           {"type": float, "default": 0.0}),
    "--loss_scale": Flag("of half precision", settings={"type": float},
                         ignored="float32 needs no loss scale; precision=fp16 on a GPU finds its own"),
    "--height_weight": Flag("weight of |sy - nose height|", ("lpd.height_weight",),
                            {"type": float, "default": LPDConfig().height_weight}),
    "--seed": Flag("of everything random", ("seed",), {"type": int, "default": 1}),
    "--log_every": Flag("steps between two lines with loss, learning rate and images/s", ("log.every",),
                        {"type": int, "default": 100}),
    "--pretrained": Flag("model to start from: a run, run@step", ("start_from",)),
}  # fmt: skip
