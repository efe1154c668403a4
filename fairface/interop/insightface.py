"""insightface's parameter names and ours: two spellings of the same structure.

insightface writes ``stage1_unit2_bn1_moving_mean``, we write ``stages.0.1.bn1.running_mean``; stem and output layers
have the same names in both. mobilefacenet's layers, which we count, bear names of their own there
(``res_3_block0_conv_dw_batchnorm_gamma``). Formats: MXNet's ``prefix-symbol.json`` and ``prefix-NNNN.params`` with
``arg:`` and ``aux:``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TypeVar

from fairface.graph.roles import names_by_operator
from fairface.graph.saved import Graph, with_names, with_prelu

T = TypeVar("T")

EMBEDDINGS = ("fc1", "fusion_fc1")  # operator that gives the embedding, the second with attribute fusion

_UNIT = re.compile(r"^stages\.(\d+)\.(\d+)\.")
_THEIR_UNIT = re.compile(r"^stage(\d+)_unit(\d+)_(se_)?(\w+)$")
_THEIR_KIND = re.compile(r"^(\w+?)_(weight|bias|gamma|beta|moving_mean|moving_var)$")
_THEIR_OUTPUT = re.compile(r"^(bn1|(pre_)?fc\d|class_branch_fc)$")
_MOBILE = re.compile(r"^features\.(\d+)\.(?:(sep|dw|proj)\.)?([012])$")
_MOBILE_LAYERS = (
    "conv_1", "conv_2_dw", "dconv_23", *(f"res_3_block{i}" for i in range(4)), "dconv_34",
    *(f"res_4_block{i}" for i in range(6)), "dconv_45", *(f"res_5_block{i}" for i in range(2)), "conv_6sep",
)  # fmt: skip
_MOBILE_OPERATORS = ("conv2d", "batchnorm", "relu")
_MOBILE_OUTPUT = {"output.conv_6dw": "conv_6dw7_7_conv2d", "output.bn_6dw": "conv_6dw7_7_batchnorm"}


def insightface_name(structural: str) -> str:
    """``stages.0.1.bn1.running_mean`` to ``stage1_unit2_bn1_moving_mean``."""
    layer, _, kind = structural.rpartition(".")
    kind = kind.replace("running_", "moving_")
    return f"{_their_layer(layer)}_{kind}".replace(".", "_")


def structural_name(insightface: str) -> str:
    """``stage1_unit2_bn1_moving_mean`` to ``stages.0.1.bn1.running_mean``; a layer that is not known keeps its name."""
    found = _THEIR_KIND.match(insightface)
    if not found:
        return insightface
    layer, kind = found[1], found[2].replace("moving_", "running_")
    if unit := _THEIR_UNIT.match(layer):
        layer = f"stages.{int(unit[1]) - 1}.{int(unit[2]) - 1}.{'se.' if unit[3] else ''}{unit[4]}"
    elif layer in _MOBILE_STRUCTURAL:
        layer = _MOBILE_STRUCTURAL[layer]
    elif _THEIR_OUTPUT.match(layer):
        layer = f"output.{layer}"
    elif layer not in ("conv0", "bn0", "relu0"):
        return insightface
    return f"{layer}.{kind}"


def from_insightface(arrays: Mapping[str, T], structural: Iterable[str]) -> dict[str, T]:
    """What is kept by insightface's names (without ``arg:`` and ``aux:``) by structural names.

    The classifier of a training checkpoint (``fc7_*``) is left out, as is the ``2048_`` that the fair-face system puts
    before the output layers of nets with 2048 values. What has no counterpart keeps its own name, so that whoever takes
    the result can say what is left over.
    """
    ours = {insightface_name(key): key for key in structural}
    kept = {key.removeprefix("2048_"): value for key, value in arrays.items() if not key.startswith("fc7_")}
    return {ours.get(key, key): value for key, value in kept.items()}


def to_insightface(graph: Graph) -> Graph:
    """The net as insightface would have written it: its names, PReLU as one operator, the embedding ``fc1_output``."""
    return with_names(with_prelu(graph, "native"), insightface_name, EMBEDDINGS)


def to_fairface(graph: Graph) -> Graph:
    """The net as a run on a CPU writes it: structural names, PReLU made of operators that oneDNN has."""
    ours = any("." in name for name in graph.arrays)
    by_operator = {} if ours else names_by_operator(graph)
    return with_names(
        with_prelu(graph, "onednn"), lambda name: structural_name(by_operator.get(name, name)), EMBEDDINGS
    )


def _their_layer(layer: str) -> str:
    if unit := _UNIT.match(layer):
        return f"stage{int(unit[1]) + 1}_unit{int(unit[2]) + 1}_{layer[unit.end() :]}"
    mobile = _MOBILE.match(layer)
    if mobile and int(mobile[1]) < len(_MOBILE_LAYERS):
        part = f"_conv_{mobile[2]}" if mobile[2] else ""
        return f"{_MOBILE_LAYERS[int(mobile[1])]}{part}_{_MOBILE_OPERATORS[int(mobile[3])]}"
    if layer == "bn1":  # of a stem; insightface's bn1 is the output's
        return "stem_bn1"
    return _MOBILE_OUTPUT.get(layer, layer.removeprefix("output."))


_MOBILE_STRUCTURAL = {theirs: ours for ours, theirs in _MOBILE_OUTPUT.items()} | {
    _their_layer(ours): ours
    for index in range(len(_MOBILE_LAYERS))
    for part in ("", "sep.", "dw.", "proj.")
    for operator in range(len(_MOBILE_OPERATORS))
    for ours in (f"features.{index}.{part}{operator}",)
}
