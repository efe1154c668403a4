"""The names of all keys: listed with their defaults, and found again when one is misspelt."""

from __future__ import annotations

import dataclasses
import difflib
import typing
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fairface.config.schema import SourceConfig, TrainConfig

INHERITED = ("data", "sampler", "augment", "head")  # groups whose keys a source takes from the run's
_ALIKE = 0.75  # of 1: how alike two last parts must be for one to be offered in place of the other
_WHOLE_ALIKE = 0.85


@dataclass(frozen=True)
class SameAs:
    """The default of a key that takes over another key's value."""

    key: str

    def __repr__(self) -> str:
        return f"as {self.key}"


def group_of(hint: Any) -> type[Any] | None:
    """The dataclass that a field of this type holds (or may hold: ``Group | None``), else None."""
    if typing.get_origin(hint) is tuple:
        return None
    return next(filter(_is_group, (hint, *typing.get_args(hint))), None)


def item_of(hint: Any) -> type[Any] | None:
    """The dataclass of which a field of this type holds any number (``tuple[Group, ...]``), else None."""
    kind = typing.get_args(hint)[0] if typing.get_origin(hint) is tuple else None
    return kind if _is_group(kind) else None


def _is_group(hint: Any) -> bool:
    return isinstance(hint, type) and dataclasses.is_dataclass(hint)


@dataclass(frozen=True)
class Key:
    """One key of a configuration.

    Attributes:
        name: in full, such as ``optimizer.lr``.
        default: the value that it has where none is given.
        owner, field: the dataclass and the name of the field that hold it.
    """

    name: str
    default: Any
    owner: type[Any]
    field: str


def every_key(kind: type[Any] = TrainConfig, prefix: str = "") -> Iterator[Key]:
    """Every key, depth first; keys of a source are listed once, as ``sources.<name>.…``."""
    hints = typing.get_type_hints(kind)
    for field in dataclasses.fields(kind):
        name, group, item = f"{prefix}{field.name}", group_of(hints[field.name]), item_of(hints[field.name])
        if item is not None:
            yield from every_key(item, f"{name}.<name>.")
        elif group is not None:
            inherited = kind is SourceConfig and field.name in INHERITED
            for key in every_key(group, f"{name}."):
                default = SameAs(key.name.removeprefix(prefix)) if inherited else key.default
                yield dataclasses.replace(key, default=default)
        else:
            factory = field.default_factory
            default = factory() if factory is not dataclasses.MISSING else field.default
            yield Key(name, default, kind, field.name)


def keys(kind: type[Any] = TrainConfig, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every key's name, after ``prefix``, with its default."""
    return ((key.name, key.default) for key in every_key(kind, prefix))


# What other tools and papers call our keys.
SYNONYMS: Mapping[str, str] = {
    "learning_rate": "optimizer.lr", "lr": "optimizer.lr", "base_lr": "optimizer.lr", "wd": "optimizer.weight_decay",
    "weight_decay": "optimizer.weight_decay", "momentum": "optimizer.momentum", "mom": "optimizer.momentum",
    "optimizer": "optimizer.name", "opt": "optimizer.name", "scheduler": "optimizer.schedule",
    "lr_scheduler": "optimizer.schedule", "lr_steps": "optimizer.milestones", "milestones": "optimizer.milestones",
    "warmup_epochs": "optimizer.warmup", "warmup": "optimizer.warmup", "grad_clip": "optimizer.clip_norm",
    "num_epochs": "epochs", "num_epoch": "epochs", "max_epochs": "epochs", "end_epoch": "epochs",
    "max_steps": "steps", "iterations": "steps", "batch": "batch_size", "bs": "batch_size",
    "per_batch_size": "batch_size", "network": "backbone.name", "net": "backbone.name", "arch": "backbone.name",
    "model": "backbone.name", "embedding_size": "backbone.embedding", "emb_size": "backbone.embedding",
    "feat_dim": "backbone.embedding", "width_mult": "backbone.width", "loss": "head.name", "loss_name": "head.name",
    "margin": "head.m2", "scale": "head.s", "dataset": "data.path", "data_dir": "data.path", "rec": "data.path",
    "train_dir": "data.path", "num_workers": "data.threads", "workers": "data.threads", "image_size": "data.image_size",
    "input_size": "data.image_size", "amp": "precision", "fp16": "precision", "val_targets": "verify.sets",
    "val_sets": "verify.sets", "pretrained": "start_from", "checkpoint": "start_from", "weights": "start_from",
    "resume_from": "start_from", "flip": "augment.mirror", "gpu": "gpus", "device": "devices",
    "output_dir": "output", "save_dir": "output", "log_interval": "log.every", "sample_rate": "head.sample_rate",
}  # fmt: skip


def nearest(name: str, known: Sequence[str]) -> str:
    """A sentence about an unknown key: the known one that was probably meant, or nothing where none is near."""
    meant = SYNONYMS.get(name.rpartition(".")[2].lower().replace("-", "_"), "")
    if meant in known:
        return f"did you mean {meant}? (train/train.py --keys lists all)"
    best = max(known, key=lambda key: _alike(name, key), default="")
    hint = f"did you mean {best}?" if best and _alike(name, best)[0] >= 1 else "no known key is similar"
    return f"{hint} (train/train.py --keys lists all)"


def _alike(name: str, key: str) -> tuple[float, float]:
    """How near two keys are, where 1 is near enough: their last parts, or all of them when their groups differ too;
    among equals the whole decides."""
    (group, _, last), (key_group, _, key_last) = name.rpartition("."), key.rpartition(".")
    whole = difflib.SequenceMatcher(None, name, key).ratio()
    found = difflib.SequenceMatcher(None, last, key_last).ratio() / _ALIKE
    return (found if group == key_group else max(found, whole / _WHOLE_ALIKE)), whole
