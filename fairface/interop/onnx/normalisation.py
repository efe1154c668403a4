"""Whether a network brings pixels from 0..255 to its own scale, as its graph shows.

It does where its first operators are a shift and a scale whose constants fit such values, ``(x - 127.5) / 128`` or
``x / 255 - 0.5``, or a BatchNorm whose running variance does. A graph may also begin with ``(x - 0.5) * 2``: such a
network takes values from 0 to 1.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Constants = Mapping[str, NDArray[Any]]
_LARGE_SHIFT, _SMALL_FACTOR, _LARGE_VARIANCE = 16.0, 0.1, 16.0  # that only values up to 255 need
_PASSES = ("Identity", "Cast", "Transpose")
_SHIFTS, _SCALES = ("Sub", "Add"), ("Mul", "Div")


def normalises(content: bytes) -> bool:
    """Whether the graph of the ONNX file's ``content`` begins with a normalisation of values from 0 to 255.

    Raises:
        MissingPackageError: the package ``onnx`` is not installed.
    """
    import onnx

    graph = onnx.load_from_string(content).graph
    constants = _constants(graph, onnx.numpy_helper.to_array)
    has_shift, factor = False, 1.0
    for node, size, variance in _first_operators(graph, constants):
        if node.op_type == "BatchNormalization":
            return variance > _LARGE_VARIANCE
        if node.op_type in _SHIFTS:
            has_shift = has_shift or size > _LARGE_SHIFT * factor  # in levels of the input
        elif node.op_type in _SCALES:
            factor *= size if node.op_type == "Mul" else 1.0 / size
        if has_shift and factor < _SMALL_FACTOR:
            return True
    return False


def _constants(graph: Any, to_array: Any) -> dict[str, NDArray[Any]]:
    found = {tensor.name: to_array(tensor) for tensor in graph.initializer}
    for node in graph.node:
        for attribute in node.attribute:
            if node.op_type == "Constant" and attribute.name == "value":
                found[node.output[0]] = to_array(attribute.t)
    return found


def _first_operators(graph: Any, constants: Constants) -> Iterator[tuple[Any, float, float]]:
    """Operators from the image on while each has one user and at most constants beside it: the node, the size of its
    constant (1 where there is none), and BatchNorm's running variance."""
    source = next(value.name for value in graph.input if value.name not in constants)
    while True:
        users = [node for node in graph.node if source in node.input]
        if len(users) != 1:
            return
        (node,) = users
        others = [constants[name] for name in node.input if name in constants]
        if node.op_type == "BatchNormalization" and len(others) == 4:
            yield node, 1.0, float(np.median(others[3]))
            return
        if node.op_type in (*_SHIFTS, *_SCALES) and len(others) == 1:
            size = float(np.median(np.abs(others[0])))
            if size == 0.0 and node.op_type in _SCALES:
                return
            yield node, size, 0.0
        elif node.op_type not in _PASSES:
            return
        source = node.output[0]
