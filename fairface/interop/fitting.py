"""Which backbone of ours a model's parameters fit: the remedy where the configured one does not."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from fairface.backbones import BACKBONES, build_backbone
from fairface.checkpoints import CheckpointFiles
from fairface.config.schema import BackboneConfig
from fairface.errors import CheckpointError, ConfigError
from fairface.graph.saved import Graph
from fairface.interop.deployed import values_for
from fairface.interop.models import image_size_of, load_graph
from fairface.mx import gluon
from fairface.parameters import structural

_OUTPUTS = ("", "GDC", "ECCV")


def fitting_backbone(files: CheckpointFiles) -> str:
    """The configuration keys with which a backbone takes every parameter of MXNet's deploy layout; empty if none does.

    Names are compared first, at the backbone's own sizes; then width and embedding are read off the first and the last
    parameter, and all shapes are compared.
    """
    try:
        graph = load_graph(files)
    except CheckpointError:
        return ""
    size = image_size_of(files, graph)
    for config in _candidates(len(graph.arrays), size):
        try:
            sized = _sized(config, graph, size)
            if sized is not None and _fits(build_backbone(sized, size), graph, shapes=True):
                return _described(sized, size)
        except ConfigError:  # an option that this backbone has not
            continue
    return ""


def _candidates(count: int, size: int) -> Iterator[BackboneConfig]:
    """Backbones of up to ``count`` parameters; with options, which all add layers, only those that have fewer."""
    for name in BACKBONES:
        own = len(structural(build_backbone(BackboneConfig(name=name), size)))
        if own == count:
            yield BackboneConfig(name=name)
        elif own < count:
            yield from (BackboneConfig(name=name, se=se, output=output) for se in (False, True) for output in _OUTPUTS)


def _sized(config: BackboneConfig, graph: Graph, size: int) -> BackboneConfig | None:
    """``config`` with the width and the embedding size of the graph; None where it has other layers."""
    net = build_backbone(config, size)
    if not _fits(net, graph, shapes=False):
        return None
    values, own = values_for(net, graph), structural(net)
    first, last = next(iter(own)), next(reversed(own))
    width = values[first].shape[0] / own[first].shape[0]
    return dataclasses.replace(config, width=width, embedding=values[last].shape[0])


def _fits(net: gluon.HybridBlock, graph: Graph, shapes: bool) -> bool:
    own = {name: tuple(parameter.shape) for name, parameter in structural(net).items()}
    if len(own) != len(graph.arrays):
        return False
    found = {name: tuple(array.shape) for name, array in values_for(net, graph).items()}
    return found == own if shapes else found.keys() == own.keys()


def _described(config: BackboneConfig, size: int) -> str:
    output = f" backbone.output={config.output}" if config.output else ""
    return (
        f"backbone.name={config.name} backbone.embedding={config.embedding} backbone.width={config.width:g} "
        f"backbone.se={str(config.se).lower()}{output} data.image_size={size}"
    )
