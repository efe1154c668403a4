"""The same network with channels of like ranges, before it goes to 8 bits.

A tensor of activations has one scale in int8, and its channels may differ a hundredfold: the small ones are rounded to
nothing, most of all between depthwise convolutions. Between two convolutions, with PReLU, relu or nothing in between,
dividing a channel by a positive number and multiplying the next weights by it changes no result (Nagel et al. 2019,
"Data-free quantization through weight equalization and bias correction", section 4.1). The numbers are chosen from
ranges on calibration images. A depthwise convolution has a scale for each channel, so before it all ranges are made
equal; a dense one shares a scale over its inputs, so range and weight meet halfway (Xiao et al. 2023, "SmoothQuant",
eq. 4).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import onnx
from numpy.typing import NDArray

from fairface.interop.onnx.session import open_session

Floats = NDArray[np.float32]
_KEEP_SIGN = ("PRelu", "Relu", "LeakyRelu")  # f(s x) = s f(x) for s > 0
_SMALLEST = 1e-2  # factor: channels that hardly ever speak are not blown up further


@dataclass(frozen=True)
class Link:
    """Convolution ``first``, whose output, through an activation, only ``second`` takes as ``tensor``."""

    first: onnx.NodeProto
    second: onnx.NodeProto
    tensor: str
    is_depthwise: bool


def equalised(model: onnx.ModelProto, batches: Iterable[Floats]) -> onnx.ModelProto:
    """The same function of images ``(B, 3, H, W)``, up to rounding; ``batches`` are calibration images."""
    result = onnx.ModelProto()
    result.CopyFrom(model)
    links = _links(result.graph)
    if not links:
        return result
    ranges = _ranges(model, [link.tensor for link in links], batches)
    tensors = {tensor.name: tensor for tensor in result.graph.initializer}
    for link in links:
        _equalise(link, ranges[link.tensor], tensors)
    return result


def _links(graph: onnx.GraphProto) -> list[Link]:
    """All pairs of convolutions in a row; the second is dense or depthwise, not in groups of several channels."""
    shapes = {tensor.name: tensor.dims for tensor in graph.initializer}
    users: dict[str, list[onnx.NodeProto]] = {}
    for node in graph.node:
        for name in node.input:
            users.setdefault(name, []).append(node)
    found = []
    for first in graph.node:
        tensor = first.output[0]
        if first.op_type != "Conv":
            continue
        while len(users.get(tensor, [])) == 1 and users[tensor][0].op_type in _KEEP_SIGN:
            tensor = users[tensor][0].output[0]
        behind = users.get(tensor, [])
        if len(behind) == 1 and behind[0].op_type == "Conv":
            groups, inputs = _groups(behind[0]), shapes[behind[0].input[1]][1]
            if groups == 1 or inputs == 1:
                found.append(Link(first, behind[0], tensor, groups > 1))
    return found


def _ranges(model: onnx.ModelProto, names: list[str], batches: Iterable[Floats]) -> dict[str, Floats]:
    """Largest absolute value of each channel, by tensor."""
    probe = onnx.ModelProto()
    probe.CopyFrom(model)
    probe.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names)
    session = open_session(probe.SerializeToString(), "calibration")
    (source,) = session.get_inputs()
    found: dict[str, Floats] = {}
    for batch in batches:
        for name, values in zip(names, session.run(names, {source.name: batch}), strict=True):
            largest = np.abs(values).max(axis=(0, 2, 3))
            found[name] = np.maximum(found[name], largest) if name in found else largest
    return found


def _equalise(link: Link, largest: Floats, tensors: dict[str, onnx.TensorProto]) -> None:
    weights = onnx.numpy_helper.to_array(tensors[link.second.input[1]])
    if link.is_depthwise:
        factor = largest
    else:
        each = np.abs(weights).max(axis=(0, 2, 3))
        factor = np.sqrt(largest / np.maximum(each, 1e-12))
    factor = np.maximum(factor / max(float(factor.max()), 1e-12), _SMALLEST).astype(np.float32)
    shape = (-1, 1, 1, 1) if link.is_depthwise else (1, -1, 1, 1)
    _scale(tensors[link.second.input[1]], factor.reshape(shape))
    _scale(tensors[link.first.input[1]], (1 / factor).reshape(-1, 1, 1, 1))
    if len(link.first.input) > 2:
        _scale(tensors[link.first.input[2]], 1 / factor)


def _scale(tensor: onnx.TensorProto, factor: Floats) -> None:
    array = onnx.numpy_helper.to_array(tensor) * factor
    tensor.CopyFrom(onnx.numpy_helper.from_array(array.astype(np.float32), tensor.name))


def _groups(node: onnx.NodeProto) -> int:
    return next((attribute.i for attribute in node.attribute if attribute.name == "group"), 1)
