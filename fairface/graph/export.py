"""A block as MXNet's deploy layout: a graph with the input ``data`` and parameters under structural names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fairface.backbones.dropblock import without_dropblock
from fairface.files import atomic_write
from fairface.graph.saved import Graph
from fairface.mx import NDArray, gluon, mx
from fairface.parameters import save_arrays, structural, value_of


def export(block: gluon.HybridBlock) -> tuple[Any, dict[str, NDArray]]:
    """The block's inference graph and its arrays, keyed ``arg:<name>`` and ``aux:<name>``, float32 on the CPU.

    Gluon's own export names parameters by counters that depend on what else the process has built. Here parameters
    carry their structural names, so the same network always gives the same names.
    """
    parameters = structural(block)
    before = {name: (parameter.name, parameter._var) for name, parameter in parameters.items()}
    try:
        for name, parameter in parameters.items():
            parameter.name, parameter._var = name, None
        with mx.name.NameManager(), without_dropblock(block):
            symbol = block(mx.sym.var("data"))
    finally:
        for name, parameter in parameters.items():
            parameter.name, parameter._var = before[name]
    auxiliary = set(symbol.list_auxiliary_states())
    used = {*symbol.list_arguments(), *auxiliary}
    arrays = {
        f"{'aux' if name in auxiliary else 'arg'}:{name}": value_of(name, parameter).astype("float32")
        for name, parameter in parameters.items()
        if name in used
    }
    return symbol, arrays


def write_deploy(graph: Graph, prefix: str, epoch: int = 0) -> tuple[Path, Path]:
    """Write ``prefix-symbol.json`` and ``prefix-NNNN.params``, each whole or not at all; returns both.

    Raises:
        DataError: a file cannot be written.
    """
    auxiliary = set(graph.symbol.list_auxiliary_states())
    arrays = {f"{'aux' if name in auxiliary else 'arg'}:{name}": array for name, array in graph.arrays.items()}
    symbol, params = Path(f"{prefix}-symbol.json"), Path(f"{prefix}-{epoch:04d}.params")
    save_arrays(params, arrays)
    with atomic_write(symbol, "w", encoding="utf-8") as file:
        file.write(graph.symbol.tojson())
    return symbol, params
