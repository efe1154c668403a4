"""What has to be known of a family of PyTorch networks to take its weights over."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Protocol

from fairface.errors import CheckpointError
from fairface.interop.torch.tensors import Array
from fairface.mx import gluon
from fairface.quantity import quantity

State = Mapping[str, Array]
HALVINGS = 16  # the stages of these nets make a map of this fraction of the image's side


class TorchFamily(Protocol):
    """A family of PyTorch networks, and the nets of ours that are the same under other names.

    Attributes:
        mark: a parameter that every net of the family has and no other family knows.
        bgr: whether the network took BGR images.
        block: class of our nets.
        first, dense, last: our names of the first convolution, the embedding layer and the BatchNorm behind it.
    """

    mark: str
    bgr: bool
    block: type[gluon.HybridBlock]
    first: str
    dense: str
    last: str

    def key(self, structural: str) -> str | None:
        """Our structural name as the name there; None for what MXNet holds at 1 or 0 and PyTorch does not have."""

    def describe(self, state: State) -> str:
        """The net with these weights in words, by the name of its backbone here where it has one."""

    def build(self, state: State) -> gluon.HybridBlock:
        """The net of ours with the depth, width, embedding and image size of these weights, not yet initialised.

        Raises:
            CheckpointError: a layer that tells one of these is missing, or is one that no net of the family has.
        """


def torch_kind(structural: str) -> str:
    """``conv1.weight`` stays, ``bn1.gamma`` and ``bn1.beta`` become ``bn1.weight`` and ``bn1.bias``."""
    layer, _, kind = structural.rpartition(".")
    return f"{layer}.{ {'gamma': 'weight', 'beta': 'bias'}.get(kind, kind) }"


def shape_of(state: State, key: str, sides: int) -> tuple[int, ...]:
    """Shape of a parameter that must be there and have so many sides."""
    if key not in state:
        raise CheckpointError(f"has no {key}; it belongs to another architecture")
    shape = state[key].shape
    if len(shape) != sides or 0 in shape:
        raise CheckpointError(f"{key} is {shape}; it belongs to another architecture")
    return shape


def image_side(state: State, dense: str, channels: int) -> int:
    """Height and width of the images, from the size of the map that the embedding layer takes."""
    inputs = shape_of(state, dense, 2)[1]
    side = math.isqrt(inputs // channels)
    if side * side * channels != inputs:
        raise CheckpointError(
            f"{dense} takes {quantity(inputs, 'value')}, which are not a square map of {quantity(channels, 'channel')}"
        )
    return side * HALVINGS
