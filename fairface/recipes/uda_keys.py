"""UFace's and TFace's configuration (``train_config.yaml``): its upper-case keys and what each becomes here.

A file may mix them with our own keys, which are lower case and count more.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fairface.config.tree import merged
from fairface.errors import ConfigError
from fairface.hardware import usable_gpus

Tree = dict[str, Any]
DEPTHS = ("TINY", "18", "34", "50", "101", "152", "200")  # TINY is ours, for CPUs
BACKBONES = {f"IR_{depth}": f"split_ir_{depth.lower()}" for depth in DEPTHS}
HEADS: Mapping[str, Tree] = {
    "CurricularFace": {"name": "curricularface", "s": 64.0, "m2": 0.5},
    "ArcFace": {"name": "arcface_linear", "s": 64.0, "m2": 0.5},
    "CosFace": {"name": "cosface", "s": 64.0, "m3": 0.4},
}
INDEX_SUFFIXES = (".index", ".txt")  # UFace's and TFace's
# What the published program fixes or means to fix: no weight decay on BatchNorm, a fall to a tenth, half of the images
# mirrored.
FIXED: Tree = {
    "method": "uda",
    "augment": {"mirror": 0.5},
    "optimizer": {"name": "sgd", "decay_norm": False, "schedule": "step", "gamma": 0.1},
}


@dataclass(frozen=True)
class Key:
    """One upper-case key.

    Attributes:
        meaning: for people.
        of: its value and all upper-case keys to a tree of ours.
    """

    meaning: str
    of: Callable[[Any, Mapping[str, Any]], Tree]


def _to(path: str) -> Callable[[Any, Mapping[str, Any]], Tree]:
    """The value as it is, under our key ``path``."""

    def of(value: Any, keys: Mapping[str, Any]) -> Tree:
        tree: Any = value
        for part in reversed(path.split(".")):
            tree = {part: tree}
        return dict(tree)

    return of


def _only(name: str, allowed: Sequence[Any], otherwise: str) -> Callable[[Any, Mapping[str, Any]], Tree]:
    """Values that change nothing here; any other is refused."""

    def of(value: Any, keys: Mapping[str, Any]) -> Tree:
        if value not in allowed:
            raise ConfigError(f"{name} is {value!r}; {otherwise}")
        return {}

    return of


def _named(name: str, known: Mapping[str, Any], path: str) -> Callable[[Any, Mapping[str, Any]], Tree]:
    def of(value: Any, keys: Mapping[str, Any]) -> Tree:
        if value not in known:
            raise ConfigError(f"{name} is {value!r}; it can be: {', '.join(known)}; or set {path} to a name of ours")
        return _to(path)(known[value], keys)

    return of


def _index_of(folder: str, name: str) -> str:
    """The index file of a data set, by either program's suffix.

    Raises:
        ConfigError: it is not there.
    """
    if Path(name).suffix in INDEX_SUFFIXES and Path(folder, name).is_file():
        return str(Path(folder, name))
    for suffix in INDEX_SUFFIXES:
        if Path(folder, name + suffix).is_file():
            return str(Path(folder, name + suffix))
    raise ConfigError(
        f"INDEX_ROOT {folder!r} holds no {name}.index or {name}.txt, which DATASETS names; "
        "data_process/convert_new_index.py writes such files"
    )


def _datasets(value: Any, keys: Mapping[str, Any]) -> Tree:
    """Each entry is a branch: a data set with its own identities, images in a step, and weight."""
    if not isinstance(value, list) or not value or not all(isinstance(item, Mapping) for item in value):
        raise ConfigError("DATASETS must be a list such as [{name: ms1m+mask_1.0, batch_size: 256, weight: 1.0}]")
    roots = {"DATA_ROOT": "the folder of the TFRecords' folders", "INDEX_ROOT": "that of the index files"}
    for root, what in roots.items():
        if not keys.get(root):
            raise ConfigError(f"{root} is not set; give {what}, in the file or as {root}=/data/…")
    sources = []
    for item in value:
        unknown = set(item) - {"name", "batch_size", "weight"}
        if unknown or not item.get("name") or not item.get("batch_size"):
            raise ConfigError(f"DATASETS: {dict(item)} must have name and batch_size, and may have weight")
        name, weight = str(item["name"]), item.get("weight", 1.0)
        index = _index_of(str(keys["INDEX_ROOT"]), name)
        data = {"path": index, "root": str(keys["DATA_ROOT"]), "zero_is_unlabeled": True}
        clean = "".join(letter if letter.isalnum() or letter in "_-" else "_" for letter in name)
        source = {"name": clean if clean[0].isalpha() else f"d_{clean}", "batch_size": item["batch_size"]}
        sources.append({**source, "weight": weight, "data": data})
    return {"sources": sources}


def _size(value: Any, keys: Mapping[str, Any]) -> Tree:
    if not isinstance(value, list) or len(value) != 2 or value[0] != value[1]:
        raise ConfigError(f"INPUT_SIZE is {value!r}; write [112, 112]: images are square")
    return {"data": {"image_size": value[0]}}


def _stages(value: Any, keys: Mapping[str, Any]) -> Tree:
    """Epochs as shares of the run; those at its end or later never come."""
    epochs = keys.get("NUM_EPOCH")
    if not isinstance(epochs, (int, float)) or epochs <= 0:
        raise ConfigError("STAGES are epochs: give NUM_EPOCH, a number above 0, as well")
    if not isinstance(value, list) or not all(isinstance(epoch, int) and epoch > 0 for epoch in value):
        raise ConfigError(f"STAGES is {value!r}; write whole epochs from 1 on, such as [10, 18, 24]")
    return {"optimizer": {"milestones": [epoch / epochs for epoch in value if epoch < epochs]}}


def _half(value: Any, keys: Mapping[str, Any]) -> Tree:
    """float16 is for GPUs; on CPUs AMP stays float32, as the published program has no other."""
    return {"precision": "fp16"} if value and usable_gpus() else {}


def _start(value: Any, keys: Mapping[str, Any]) -> Tree:
    return {"start_from": value} if value else {}


_ONE_PROCESS = "one process trains here, on all devices of devices= or gpus=; leave it out"
_RESUME = "a run goes on with --resume; leave it empty"
KEYS: Mapping[str, Key] = {
    "SEED": Key("seed", _to("seed")),
    "DATA_ROOT": Key("folder of the TFRecords' folders", lambda value, keys: {}),
    "INDEX_ROOT": Key("folder of the index files", lambda value, keys: {}),
    "DIST_FC": Key("class centres split over the devices", _to("head.sharded")),
    "DATASETS": Key("branches: name of the index, images in a step over all devices, weight", _datasets),
    "TFRRECORD": Key("TFRecords or images; the index tells", _only("TFRRECORD", (True, False), "write true or false")),
    "BACKBONE_RESUME": Key("model to start from", _start),
    "HEAD_RESUME": Key("empty", _only("HEAD_RESUME", ("", None), _RESUME)),
    "META_RESUME": Key("empty", _only("META_RESUME", ("", None), _RESUME)),
    "BACKBONE_NAME": Key("IR_18 … IR_200: region-split nets", _named("BACKBONE_NAME", BACKBONES, "backbone.name")),
    "MODEL_ROOT": Key("folder of the runs", _to("output")),
    "LOG_ROOT": Key("TensorBoard's events; they are written to the run's folder", lambda value, keys: {
        "log": {"tensorboard": bool(value)}}),
    "HEAD_NAME": Key("CurricularFace, ArcFace, CosFace", _named("HEAD_NAME", HEADS, "head")),
    "LOSS_NAME": Key("Softmax or DistCrossEntropy, the same here", _only(
        "LOSS_NAME", ("Softmax", "DistCrossEntropy"), "it can be Softmax or DistCrossEntropy")),
    "INPUT_SIZE": Key("height and width", _size),
    "RGB_MEAN": Key("0.5 each", _only("RGB_MEAN", ([0.5, 0.5, 0.5],), "pixels are scaled in the net, by 0.5 each")),
    "RGB_STD": Key("0.5 each", _only("RGB_STD", ([0.5, 0.5, 0.5],), "pixels are scaled in the net, by 0.5 each")),
    "EMBEDDING_SIZE": Key("values of an embedding", _to("backbone.embedding")),
    "LR": Key("learning rate", _to("optimizer.lr")),
    "START_EPOCH": Key("0", _only("START_EPOCH", (0,), _RESUME)),
    "WARMUP_STEP": Key("steps of linear warm-up; -1 = none", lambda value, keys: {
        "optimizer": {"warmup": max(value, 0)}}),
    "NUM_EPOCH": Key("epochs", _to("epochs")),
    "WEIGHT_DECAY": Key("of weights, not of BatchNorm", _to("optimizer.weight_decay")),
    "MOMENTUM": Key("of SGD", _to("optimizer.momentum")),
    "STAGES": Key("epochs after which the learning rate falls", _stages),
    "WORLD_SIZE": Key("1", _only("WORLD_SIZE", (1,), _ONE_PROCESS)),
    "RANK": Key("0", _only("RANK", (0,), _ONE_PROCESS)),
    "LOCAL_RANK": Key("0", _only("LOCAL_RANK", (0,), _ONE_PROCESS)),
    "DIST_BACKEND": Key("nccl or gloo, without effect", _only("DIST_BACKEND", ("nccl", "gloo"), _ONE_PROCESS)),
    "DIST_URL": Key("env://, without effect", _only("DIST_URL", ("env://",), _ONE_PROCESS)),
    "NUM_WORKERS": Key("decoding threads; 0 = one", lambda value, keys: {"data": {"threads": value or 1}}),
    "AMP": Key("float16 on GPUs", _half),
}  # fmt: skip


def our_tree(tree: Mapping[str, Any]) -> Tree:
    """A configuration with upper-case keys, and any of ours, as a tree of ours.

    Raises:
        ConfigError: an unknown upper-case key, or a value that cannot be honoured.
    """
    upper = {key: value for key, value in tree.items() if key.isupper()}
    unknown = [key for key in upper if key not in KEYS]
    if unknown:
        raise ConfigError(f"{unknown[0]} is not a key of UFace's configuration; known: {', '.join(KEYS)}")
    result: Tree = merged({}, FIXED)
    for key, value in upper.items():
        result = merged(result, KEYS[key].of(value, upper))
    return merged(result, {key: value for key, value in tree.items() if key not in upper})
