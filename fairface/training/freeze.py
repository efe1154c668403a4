"""Freezing: no gradient, running BatchNorm statistics, no dropout, not in the optimizer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from fairface.mx import gluon, nn
from fairface.parameters import RUNNING, structural


def freeze_all_but(blocks: Mapping[str, gluon.Block], trained: Iterable[gluon.Parameter]) -> list[str]:
    """Freeze every parameter of ``blocks`` that is not in ``trained``; returns the frozen structural names.

    A BatchNorm layer whose parameters are all frozen normalises with its running statistics and never updates them, so
    nothing of it changes by one bit. Layers without parameters (dropout) follow the block they stand in: they are
    switched to inference when all of that block is frozen.
    """
    kept = {id(parameter) for parameter in trained}
    frozen: list[str] = []
    for name, block in blocks.items():
        for key, parameter in _learned(block).items():
            if id(parameter) not in kept:
                parameter.grad_req = "null"
                frozen.append(f"{name}.{key}")
        _freeze_layers(block, kept)
        if isinstance(block, gluon.HybridBlock):
            # The graph that was traced before still has the layers as they were.
            block._clear_cached_op()
    return frozen


def _learned(block: gluon.Block) -> dict[str, gluon.Parameter]:
    """Parameters without BatchNorm's running statistics, which never have a gradient."""
    return {name: p for name, p in structural(block).items() if not name.endswith(RUNNING)}


def _freeze_layers(block: gluon.Block, kept: set[int]) -> None:
    parameters = _learned(block).values()
    if not parameters:
        return
    if not any(id(parameter) in kept for parameter in parameters):
        block.apply(_to_inference)
        return
    for child in block._children.values():
        _freeze_layers(child, kept)


def _to_inference(layer: gluon.Block) -> None:
    if isinstance(layer, nn.BatchNorm):
        layer._kwargs["use_global_stats"] = True
    elif isinstance(layer, nn.Dropout):
        layer._rate = 0.0
    if isinstance(layer, gluon.HybridBlock):
        layer._clear_cached_op()
