"""ONNX networks as others write them: small, with a front of one's choice."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SIZE, DIMENSIONS = 16, 4
FLOAT = TensorProto.FLOAT


def network(*front: tuple[str, Any], batch: Any = "N", size: tuple[Any, Any] = (SIZE, SIZE), outputs: int = 1,
            channels: int = 3, constant_nodes: bool = False) -> bytes:  # fmt: skip
    """Operators with a constant each, then flatten and a fixed random matrix: (N, 3, 16, 16) to (N, 4)."""
    nodes, tensors, value = [], [], "input.1"
    for number, (kind, constant) in enumerate(front):
        names = []
        for part, array in enumerate(constant if isinstance(constant, list) else [constant]):
            if array is None:
                continue
            names.append(f"c{number}_{part}")
            tensor = numpy_helper.from_array(np.asarray(array, np.float32), names[-1])
            if constant_nodes:
                nodes.append(helper.make_node("Constant", [], [names[-1]], value=tensor))
            else:
                tensors.append(tensor)
        nodes.append(helper.make_node(kind, [value, *names], [f"v{number}"]))
        value = f"v{number}"
    height, width = (SIZE if isinstance(side, str) else side for side in size)
    matrix = np.random.default_rng(0).normal(size=(channels * height * width, DIMENSIONS)).astype(np.float32)
    tensors.append(numpy_helper.from_array(matrix, "matrix"))
    nodes.append(helper.make_node("Flatten", [value], ["flat"]))
    nodes.append(helper.make_node("MatMul", ["flat", "matrix"], ["683"]))
    gives = [helper.make_tensor_value_info("683", FLOAT, [batch, DIMENSIONS])]
    for number in range(1, outputs):
        nodes.append(helper.make_node("Relu", ["683"], [f"norm{number}"]))
        gives.append(helper.make_tensor_value_info(f"norm{number}", FLOAT, [batch, DIMENSIONS]))
    takes = [helper.make_tensor_value_info("input.1", FLOAT, [batch, channels, *size])]
    graph = helper.make_graph(nodes, "other", takes, gives, tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    return bytes(model.SerializeToString())


def norm(variance: float) -> list[Any]:
    """BatchNorm's constants: gamma, beta, mean, variance."""
    return [np.ones(3), np.zeros(3), np.full(3, variance / 20), np.full(3, variance)]


def expected(x: Any) -> Any:
    """What :func:`network` gives for normalised pixels, computed in float64."""
    matrix = np.random.default_rng(0).normal(size=(3 * SIZE * SIZE, DIMENSIONS)).astype(np.float32)
    return np.asarray(x, np.float64).reshape(len(x), -1) @ matrix.astype(np.float64)


def save(path: Any, content: bytes) -> str:
    """The file's name."""
    path.write_bytes(content)
    onnx.checker.check_model(onnx.load(path))
    return str(path)
