"""The net of ours that dlib's file describes, with its weights."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from fairface.backbones import dlib_resnet
from fairface.backbones.dlib_resnet import DlibResNet, DlibShape, Unit
from fairface.errors import CheckpointError
from fairface.interop.dlib.layers import TAG, Layer, read_layers
from fairface.mx import mx, nd
from fairface.parameters import set_values, structural
from fairface.quantity import quantity

SCALE = 256.0  # dlib divides the pixels, less their mean, by it
_STEM = ((dlib_resnet.STEM_KERNEL,) * 2, (dlib_resnet.STEM_STRIDE,) * 2, (0, 0))
_POOL = ((dlib_resnet.POOL_KERNEL,) * 2, (dlib_resnet.POOL_STRIDE,) * 2, (0, 0))
_SAME = ((dlib_resnet.KERNEL,) * 2, (1, 1), (1, 1))
_HALVE = ((dlib_resnet.KERNEL,) * 2, (dlib_resnet.DOWN,) * 2, (0, 0))
_MEAN = ((dlib_resnet.DOWN,) * 2, (dlib_resnet.DOWN,) * 2, (0, 0))
_WHOLE = ((0, 0), (1, 1), (0, 0))

Values = dict[str, NDArray[np.float64]]


def dlib_net(path: Path) -> DlibResNet:
    """The net in dlib's file ``path``, on the CPU.

    Raises:
        CheckpointError: the file cannot be read, or its layers make another network.
    """
    shape, values = _Reading(read_layers(path), path).run()
    net = DlibResNet(shape)
    for parameter in structural(net).values():
        parameter.initialize(mx.init.Zero(), ctx=mx.cpu())
    set_values(net, {name: nd.array(value.astype(np.float32)) for name, value in values.items()}, str(path))
    return net


class _Reading:
    """Takes the layers one by one, in the order that the network must have."""

    def __init__(self, layers: Sequence[Layer], path: Path) -> None:
        self._layers = list(layers)
        self._path = path
        self._at = 0
        self._values: Values = {}

    def run(self) -> tuple[DlibShape, Values]:
        image = self._take("input_rgb_image_sized")
        if image.size[0] != image.size[1]:
            self._refuse(f"takes images of {image.size[1]}x{image.size[0]} pixels, not square")
        stem = self._convolution("conv0", _STEM, inputs=3)
        self._take_pixels(np.array(image.mean))
        self._take("relu")
        self._check(self._take("max_pool"), _POOL)
        units: list[Unit] = []
        channels = stem
        while self._next() == TAG:
            units.append(self._unit(f"units.{len(units)}", channels))
            channels = units[-1].channels
        self._check(self._take("avg_pool"), _WHOLE)
        dense = self._take("fc")
        if dense.weights.shape[0] != channels or self._at != len(self._layers):
            self._refuse("does not end with one embedding layer behind the mean of the map")
        self._values["fc.weight"] = dense.weights.T.astype(np.float64)
        shape = DlibShape(image.size[0], stem, tuple(units), dense.weights.shape[1])
        if min(shape.sides()) < 1 or any(side < dlib_resnet.KERNEL for side in _halved(shape)):
            self._refuse(f"halves images of {image.size[0]} pixels more often than they last")
        return shape, self._values

    def _unit(self, name: str, inputs: int) -> Unit:
        self._take(TAG)
        down = self._peek().stride != (1, 1)
        channels = self._convolution(f"{name}.conv1", _HALVE if down else _SAME, inputs)
        self._take("relu")
        self._convolution(f"{name}.conv2", _SAME, channels, channels)
        if down:
            self._take(TAG)
            self._take(TAG)
            self._check(self._take("avg_pool"), _MEAN)
        self._take("add_prev")
        self._take("relu")
        if channels not in ((inputs, 2 * inputs) if down else (inputs,)):
            self._refuse(f"has a shortcut from {inputs} to {quantity(channels, 'channel')}")
        return Unit(channels, down)

    def _convolution(self, name: str, form: object, inputs: int, outputs: int | None = None) -> int:
        """A convolution and the affine layer behind it, as one; returns its channels."""
        layer, affine = self._take("con"), self._take("affine")
        self._check(layer, form)
        channels = layer.weights.shape[0]
        if layer.weights.shape[1] != inputs or channels != (outputs or channels) or len(affine.weights) != channels:
            self._refuse(f"has a convolution {layer.weights.shape} behind {quantity(inputs, 'channel')}")
        scale = affine.weights.astype(np.float64)
        self._values[f"{name}.weight"] = layer.weights * scale[:, None, None, None]
        self._values[f"{name}.bias"] = layer.bias * scale + affine.bias
        return channels

    def _take_pixels(self, mean: NDArray[np.float64]) -> None:
        """Let the first convolution take raw pixels; it has no padding, so its mean goes into the bias."""
        weight = self._values["conv0.weight"] / SCALE
        self._values["conv0.weight"] = weight
        self._values["conv0.bias"] = self._values["conv0.bias"] - weight.sum(axis=(2, 3)) @ mean

    def _peek(self) -> Layer:
        if self._at >= len(self._layers):
            self._refuse("ends in the middle of a unit")
        return self._layers[self._at]

    def _next(self) -> str:
        return self._peek().kind

    def _take(self, kind: str) -> Layer:
        layer = self._peek()
        if layer.kind != kind:
            self._refuse(f"has {layer.kind} as its layer {self._at}, not {kind}")
        self._at += 1
        return layer

    def _check(self, layer: Layer, form: object) -> None:
        found = (layer.window, layer.stride, layer.padding)
        if found != form:
            self._refuse(f"has a {layer.kind} with window, stride and padding {found}, not {form}")

    def _refuse(self, what: str) -> NoReturn:
        raise CheckpointError(f"{self._path}: {what}; it is not dlib's face recognition network")


def _halved(shape: DlibShape) -> list[int]:
    """Sides of the maps that are halved."""
    return [side for side, unit in zip(shape.sides(), shape.units, strict=False) if unit.down]
