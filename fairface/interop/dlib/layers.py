"""The layers of a network that dlib wrote, from the image to the loss.

dlib's networks are nested types: the file opens with a version number for every layer, from the loss to the one that
takes the image, and then holds the layers from the image on. Of tags and skips only the version number 1 is there.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from fairface.errors import CheckpointError
from fairface.interop.dlib.stream import Array, Stream
from fairface.quantity import quantity

TAG = "tag"
MOST_LAYERS = 2000
_OUTER, _LAYER, _INNERMOST = 1, 2, 3  # version numbers; tags, skips and the loss have 1
_LARGEST_FILE = 2**28  # bytes


@dataclass(frozen=True)
class Layer:
    """One layer.

    Attributes:
        kind: dlib's name without its version: input_rgb_image_sized, con, affine, relu, max_pool, avg_pool, add_prev,
            fc; ``tag`` for a tag or a skip.
        weights: con (outputs, inputs, rows, columns), affine (channels,), fc (inputs, outputs).
        bias: con (outputs,), affine (channels,).
        window, stride, padding: rows and columns, of con and the pools; a window of 0 is the whole map.
        mean: of red, green and blue, of the input.
        size: rows and columns of the image, of the input.
    """

    kind: str
    weights: Array = field(default_factory=lambda: np.zeros(0, np.float32))
    bias: Array = field(default_factory=lambda: np.zeros(0, np.float32))
    window: tuple[int, int] = (0, 0)
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int] = (0, 0)
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    size: tuple[int, int] = (0, 0)


def read_layers(path: Path) -> list[Layer]:
    """The layers in the file ``path``, the input first, tags among them.

    Raises:
        CheckpointError: the file cannot be read, is cut off or damaged, or holds a layer that dlib's face recognition
            network does not have.
    """
    stream = _opened(path)
    versions = _versions(stream)
    layers = [_input(stream), _details(stream)]
    _rest(stream, innermost=True)
    for version in reversed(versions):
        if version == _OUTER:
            layers.append(Layer(TAG))
        else:
            layers.append(_details(stream))
            _rest(stream)
    if not stream.at_end():
        raise stream.wrong("the file goes on after its last layer")
    return layers


def chip_size(path: Path) -> int:
    """Height and width in pixels of the images that the network in ``path`` takes; what follows them is not read.

    Raises:
        CheckpointError: the file cannot be read, or does not begin as such a file does.
    """
    stream = _opened(path)
    _versions(stream)
    return _input(stream).size[0]


def _opened(path: Path) -> Stream:
    """The file's content, behind its loss.

    Raises:
        CheckpointError: it cannot be read, or begins otherwise.
    """
    try:
        if path.stat().st_size > _LARGEST_FILE:
            raise CheckpointError(f"{path}: is larger than 256 MiB; it is no file of dlib's face recognition network")
        stream = Stream(path.read_bytes(), path)
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read ({error.strerror}); name another file") from error
    stream.whole(_OUTER, _OUTER)
    _loss(stream)
    return stream


def _loss(stream: Stream) -> None:
    name = stream.text()
    if name not in ("loss_metric_", "loss_metric_2"):
        raise stream.wrong(f"the loss is {name!r}, not loss_metric")
    if name == "loss_metric_2":
        for _ in range(2):  # margin and distance, of training only
            stream.real()


def _versions(stream: Stream) -> list[int]:
    """Of every layer but the innermost, the outermost first."""
    versions: list[int] = []
    while (version := stream.whole(_OUTER, _INNERMOST)) != _INNERMOST:
        versions.append(version)
        if len(versions) > MOST_LAYERS:
            raise stream.wrong(f"more than {MOST_LAYERS} layers")
    return versions


def _rest(stream: Stream, innermost: bool = False) -> None:
    """What stands behind a layer: its state in training."""
    for _ in range(3):
        stream.truth()
    for _ in range(3):  # two gradients and the output, empty in a file that was cleaned
        stream.tensor()
    if innermost:
        stream.whole()  # images that one sample becomes


def _input(stream: Stream) -> Layer:
    kind = stream.text()
    if kind != "input_rgb_image_sized":
        raise stream.wrong(f"the input is {kind!r}, not input_rgb_image_sized")
    mean = stream.real(), stream.real(), stream.real()
    return Layer(kind, mean=mean, size=(stream.whole(1, 1024), stream.whole(1, 1024)))


def _details(stream: Stream) -> Layer:
    name = stream.text()
    if name in ("con_4", "con_5"):
        return _convolution(stream, has_flag=name == "con_5")
    if name in ("affine_", "affine_2"):
        return _affine(stream, has_flag=name == "affine_2")
    if name in ("max_pool_2", "avg_pool_2"):
        window, stride, padding = _pair(stream), _pair(stream), _pair(stream)
        return Layer(name.removesuffix("_2"), window=window, stride=stride, padding=padding)
    if name in ("fc_2", "fc_3"):
        return _dense(stream, has_flag=name == "fc_3")
    if name == "relu_2" and stream.truth():
        raise stream.wrong("a ReLU is disabled")
    if name in ("relu_", "relu_2"):
        return Layer("relu")
    if name == "add_prev_":
        return Layer("add_prev")
    raise stream.wrong(f"the layer {name!r} is unknown here")


def _pair(stream: Stream) -> tuple[int, int]:
    return stream.whole(most=1024), stream.whole(most=1024)


def _convolution(stream: Stream, has_flag: bool) -> Layer:
    values, outputs = stream.tensor(), stream.whole(1)
    window, stride, padding = _pair(stream), _pair(stream), _pair(stream)
    filters, biases = stream.part(), stream.part()
    _rates(stream)
    if has_flag and not stream.truth():
        raise stream.wrong("a convolution has no bias")
    count = int(np.prod(filters, dtype=np.int64))
    if filters[0] != outputs or filters[2:] != window or biases != (1, outputs, 1, 1) or len(values) != count + outputs:
        raise stream.wrong(f"a convolution of {outputs} filters {filters} has {quantity(len(values), 'weight')}")
    return Layer("con", values[:count].reshape(filters), values[count:], window, stride, padding)


def _affine(stream: Stream, has_flag: bool) -> Layer:
    values, gamma, beta = stream.tensor(), stream.part(), stream.part()
    mode = stream.whole(most=1)
    if has_flag and stream.truth():
        raise stream.wrong("an affine layer is disabled")
    channels = gamma[1]
    if mode != 0 or gamma != (1, channels, 1, 1) or beta != gamma or len(values) != 2 * channels:
        raise stream.wrong(f"an affine layer of {gamma} has {quantity(len(values), 'weight')} in mode {mode}")
    return Layer("affine", values[:channels], values[channels:])


def _dense(stream: Stream, has_flag: bool) -> Layer:
    outputs, inputs = stream.whole(1), stream.whole(1)
    values, weights, _ = stream.tensor(), stream.part(), stream.part()
    without_bias = stream.whole(most=1)
    _rates(stream)
    if has_flag:
        stream.truth()
    if not without_bias or weights[:2] != (inputs, outputs) or len(values) != inputs * outputs:
        raise stream.wrong(
            f"the embedding layer of {inputs} x {outputs} has {quantity(len(values), 'weight')}, or a bias"
        )
    return Layer("fc", values.reshape(inputs, outputs))


def _rates(stream: Stream) -> None:
    """Multipliers of learning rate and weight decay, of training only."""
    for _ in range(4):
        stream.real()
