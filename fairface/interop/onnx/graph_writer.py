"""An ONNX graph while it is written: its nodes and initialisers, and the names of what flows between them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray


@dataclass(frozen=True)
class Value:
    """What a node takes or gives.

    Attributes:
        name: in the graph.
        rank: number of axes.
        array: the values of a parameter or constant; None for what a node gives.
    """

    name: str
    rank: int
    array: NDArray[Any] | None = None


class GraphWriter:
    """Collects nodes in the order in which they run. A constant becomes an initialiser when a node takes it.

    A node's name begins with its operator, as in ``Sub_pixels``: insightface reads from such names whether a network
    normalises its pixels itself.
    """

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self._constants: dict[str, NDArray[Any]] = {}
        self._taken: set[str] = set()

    @property
    def initializers(self) -> list[onnx.TensorProto]:
        """Parameters and constants."""
        return [onnx.numpy_helper.from_array(array, name) for name, array in self._constants.items()]

    def constant(self, hint: str, values: Any, dtype: type = np.float32) -> Value:
        """A constant called ``hint`` or, where that is taken, much the same."""
        array: NDArray[Any] = np.ascontiguousarray(np.asarray(values, dtype))
        return Value(self._unique(hint), array.ndim, array)

    def integers(self, hint: str, values: Any) -> Value:
        """A constant of whole numbers: axes, a shape, begins and ends."""
        return self.constant(hint, values, np.int64)

    def one(self, kind: str, hint: str, *inputs: Value, rank: int, **attributes: Any) -> Value:
        """A node with one output of ``rank`` axes."""
        return self.several(kind, hint, *inputs, ranks=(rank,), **attributes)[0]

    def several(self, kind: str, hint: str, *inputs: Value, ranks: tuple[int, ...], **attributes: Any) -> list[Value]:
        """A node with an output for each of ``ranks``."""
        for value in inputs:
            if value.array is not None:
                self._constants[value.name] = value.array
        name = self._unique(f"{kind}_{hint}")
        outputs = [f"{name}_output{number or ''}" for number in range(len(ranks))]
        names = [value.name for value in inputs]
        self.nodes.append(onnx.helper.make_node(kind, names, outputs, name=name, **attributes))
        return [Value(output, rank) for output, rank in zip(outputs, ranks, strict=True)]

    def _unique(self, name: str) -> str:
        while name in self._taken:
            name += "_"
        self._taken.add(name)
        return name
