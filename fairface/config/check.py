"""Which values a configuration may hold, beyond their types."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

from fairface.config.schema import TrainConfig
from fairface.errors import ConfigError

CHOICES: dict[str, tuple[str, ...]] = {
    "stage": ("all", "head"),
    "kvstore": ("local", "device"),
    "precision": ("fp32", "fp16", "bf16"),
    "data.on_missing": ("stop", "skip"),
    "data.on_bad_record": ("stop", "skip"),
    "sampler.kind": ("random", "pk"),
    "backbone.prelu": ("auto", "onednn", "native"),
    "backbone.output": ("", "E", "GDC", "ECCV"),
    "triplet.loss": ("triplet", "angular_triplet", "arc_circle_triplet", "fix_arc_circle_triplet"),
    "head.init_from": ("random", "mean_embedding"),
    "optimizer.name": ("sgd", "nag", "adam"),
    "optimizer.schedule": ("step", "cosine", "poly", "constant"),
    "verify.monitor": ("auc", "accuracy", "eer", "fmr_worst", "fnmr_worst"),
    "test.checkpoint": ("best", "last"),
    "test.baseline": ("", "eigenfaces"),
}

# Lowest and highest allowed value, both included.
RANGES: dict[str, tuple[float, float]] = {
    "batch_size": (1, 1 << 24),
    "epochs": (0, 1e9),
    "steps": (0, 1 << 40),
    "seed": (0, 2**31 - 1),
    "save_every": (0, 1 << 40),
    "keep": (1, 1 << 20),
    "data.image_size": (16, 1024),
    "data.threads": (0, 1024),
    "data.prefetch": (0, 1024),
    "augment.mirror": (0, 1),
    "augment.color": (0, 1),
    "augment.color_strength": (0, 1),
    "augment.jpeg": (0, 1),
    "augment.cutoff": (0, 1),
    "augment.cutoff_size": (1, 1024),
    "augment.shift": (0, 1),
    "augment.shift_pixels": (0, 1024),
    "augment.shift_degrees": (0, 180),
    "augment.shift_scale": (0, 0.9),
    "augment.crop": (0, 1),
    "augment.low_res": (0, 1),
    "augment.photometric": (0, 1),
    "sampler.images_per_class": (1, 1 << 20),
    "backbone.embedding": (1, 1 << 20),
    "backbone.dropout": (-1, 0.99),
    "backbone.width": (0.01, 64),
    "head.s": (1e-6, 1e6),
    "head.m1": (0.01, 10),
    "head.m2": (0, 3.2),
    "head.m3": (0, 2),
    "head.label_smoothing": (0, 0.99),
    "triplet.alpha": (0, 4),
    "triplet.gamma": (1e-6, 1e6),
    "triplet.theta_margin": (0.01, 3.14),
    "triplet.weight": (0, 1e6),
    "optimizer.lr": (0, 1e6),
    "optimizer.momentum": (0, 0.9999),
    "optimizer.weight_decay": (0, 1e3),
    "optimizer.clip_norm": (0, 1e12),
    "optimizer.head_lr_mult": (0, 1e6),
    "optimizer.gamma": (0, 1),
    "optimizer.power": (0, 100),
    "optimizer.final_lr": (0, 1e6),
    "optimizer.warmup": (0, 1 << 40),
    "verify.every": (0, 1 << 40),
    "verify.folds": (2, 1000),
    "verify.batch_size": (1, 1 << 20),
    "verify.min_people": (2, 1 << 40),
    "test.bootstrap": (0, 1 << 20),
    "log.every": (1, 1 << 40),
}


def check(config: TrainConfig) -> None:
    """Raise :class:`ConfigError` for the first value that is not allowed; says which key and what is allowed."""
    values = dict(_flat(config))
    for key, allowed in CHOICES.items():
        if values[key] not in allowed:
            options = ", ".join(option or "(empty)" for option in allowed)
            raise ConfigError(f"{key} is {values[key]!r}; it can be: {options}")
    for key, (low, high) in RANGES.items():
        if not low <= values[key] <= high:
            raise ConfigError(f"{key} is {values[key]}; it must lie between {low:g} and {high:g}")
    for key in ("optimizer.milestones", "verify.fmr", "test.fmr"):
        if any(value <= 0 for value in values[key]):
            raise ConfigError(f"{key} is {list(values[key])}; every value must be above 0")
    low, high = values["augment.jpeg_quality"]
    if not 1 <= low <= high <= 100:
        raise ConfigError(f"augment.jpeg_quality is {[low, high]}; give two qualities from 1 to 100, the lower first")
    if config.sampler.kind == "pk" and config.batch_size % config.sampler.images_per_class:
        raise ConfigError(
            f"batch_size {config.batch_size} is no multiple of "
            f"sampler.images_per_class {config.sampler.images_per_class}"
        )
    if config.verify.monitor.endswith("_worst") and not (config.verify.protected and config.verify.fmr):
        raise ConfigError(f"verify.monitor={config.verify.monitor} needs verify.protected=sex and a verify.fmr")
    if config.devices and config.gpus:
        raise ConfigError("both devices and gpus are set; gpus=0,1 is short for devices=gpu0,gpu1: give one of them")
    if config.name in ("", ".") or any(part in config.name for part in ("/", "\\", "..", "@", ",")):
        raise ConfigError(
            f"name is {config.name!r}; it names a folder below {config.output!r}: no / .. @ or comma in it"
        )


def _flat(config: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        if dataclasses.is_dataclass(value):
            yield from _flat(value, f"{prefix}{field.name}.")
        else:
            yield f"{prefix}{field.name}", value
