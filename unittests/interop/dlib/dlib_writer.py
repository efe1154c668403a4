"""A tiny network in dlib's format, written by its rules, and what dlib computes with it, in loops."""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass, field

import numpy as np

MEAN = (122.0, 117.5, 104.25)
TRAINING = b"110"  # a layer's three truth values


def whole(value: int) -> bytes:
    """The control byte counts the bytes, its highest bit is the sign."""
    raw = abs(value).to_bytes(max((abs(value).bit_length() + 7) // 8, 1), "little")
    return bytes([len(raw) | (0x80 if value < 0 else 0)]) + raw


def real(value: float) -> bytes:
    mantissa, exponent = math.frexp(value)
    return whole(int(mantissa * 2**24)) + whole(exponent - 24)


def text(value: str) -> bytes:
    return whole(len(value)) + value.encode()


def tensor(values: np.ndarray | tuple[()] = (), shape: tuple[int, ...] = (0, 0, 0, 0)) -> bytes:
    flat = np.asarray(values).ravel()
    return whole(2) + b"".join(map(whole, shape)) + struct.pack(f"<{len(flat)}f", *flat)


def part(*shape: int) -> bytes:
    return whole(1) + b"".join(map(whole, shape))


def rest(innermost: bool = False) -> bytes:
    return TRAINING + 3 * tensor() + (whole(1) if innermost else b"")


def convolution(weight: np.ndarray, bias: np.ndarray, stride: int, padding: int, version: str = "con_4") -> bytes:
    flat = np.concatenate([weight.ravel(), bias])
    numbers = [len(weight), *weight.shape[2:], stride, stride, padding, padding]
    return (text(version) + tensor(flat, (len(flat), 1, 1, 1)) + b"".join(map(whole, numbers)) + part(*weight.shape)
            + part(1, len(bias), 1, 1) + 4 * real(1.0) + (b"1" if version == "con_5" else b""))  # fmt: skip


def affine(gamma: np.ndarray, beta: np.ndarray, version: str = "affine_") -> bytes:
    flat, shape = np.concatenate([gamma, beta]), (1, len(gamma), 1, 1)
    end = b"0" if version == "affine_2" else b""
    return text(version) + tensor(flat, (len(flat), 1, 1, 1)) + part(*shape) + part(*shape) + whole(0) + end


def pool(kind: str, window: int, stride: int) -> bytes:
    return text(f"{kind}_2") + b"".join(map(whole, (window, window, stride, stride, 0, 0)))


def dense(weight: np.ndarray, version: str = "fc_2") -> bytes:
    """``weight`` (inputs, outputs); no bias."""
    inputs, outputs = weight.shape
    return (text(version) + whole(outputs) + whole(inputs) + tensor(weight, (*weight.shape, 1, 1))
            + part(inputs, outputs, 1, 1) + part(0, 0, 0, 0) + whole(1) + 4 * real(1.0)
            + (b"0" if version == "fc_3" else b""))  # fmt: skip


@dataclass
class TinyNet:
    """Stem of 2 channels, a plain unit, two halving units to 4 channels, 3 numbers. Maps: 46, 20, 9, 4, 2 pixels.

    The last unit's convolution gives 1 x 1 where the shortcut has 2 x 2, as in dlib's own network.
    """

    size: int = 46
    units: tuple[tuple[int, bool], ...] = ((2, False), (4, True), (4, True))
    newer: bool = False  # versions of dlib 19.20 and later
    arrays: dict[str, np.ndarray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        rng = np.random.default_rng(5)
        inputs = 2
        self._conv("stem", rng, 3, 2, 7)
        for number, (channels, _) in enumerate(self.units):
            self._conv(f"{number}a", rng, inputs, channels, 3)
            self._conv(f"{number}b", rng, channels, channels, 3)
            inputs = channels
        self.arrays["fc"] = rng.normal(size=(inputs, 3)).astype(np.float32)

    def _conv(self, name: str, rng: np.random.Generator, inputs: int, outputs: int, side: int) -> None:
        spread = 1 / side
        self.arrays[f"{name}.w"] = rng.normal(0, spread, (outputs, inputs, side, side)).astype(np.float32)
        for kind in ("bias", "gamma", "beta"):
            self.arrays[f"{name}.{kind}"] = rng.normal(0.5, 0.5, outputs).astype(np.float32)

    def _written(self, name: str, stride: int, padding: int) -> list[bytes]:
        a = self.arrays
        con, aff = ("con_5", "affine_2") if self.newer else ("con_4", "affine_")
        return [convolution(a[f"{name}.w"], a[f"{name}.bias"], stride, padding, con),
                affine(a[f"{name}.gamma"], a[f"{name}.beta"], aff)]  # fmt: skip

    def layers(self) -> list[bytes | None]:
        """Every layer's own bytes behind the input's, None for a tag or a skip."""
        relu = text("relu_2") + b"0" if self.newer else text("relu_")
        found: list[bytes | None] = [*self._written("stem", 2, 0), relu, pool("max_pool", 3, 2)]
        for number, (_, down) in enumerate(self.units):
            found += [None, *self._written(f"{number}a", 2 if down else 1, 0 if down else 1), relu]
            found += self._written(f"{number}b", 1, 1)
            found += [None, None, pool("avg_pool", 2, 2)] if down else []
            found += [text("add_prev_"), relu]
        return [*found, pool("avg_pool", 0, 1), dense(self.arrays["fc"], "fc_3" if self.newer else "fc_2")]

    def content(self) -> bytes:
        """The whole file."""
        return written(self.layers(), self.size)

    def embedding(self, image: np.ndarray) -> np.ndarray:
        """What dlib gives for ``image (H, W, 3)``, in float64 loops."""
        x = ((image.astype(float) - MEAN) / 256).transpose(2, 0, 1)
        x = window(np.maximum(self._convolved("stem", x, 2, 0), 0), 3, 2, np.max)
        for number, (_, down) in enumerate(self.units):
            y = np.maximum(self._convolved(f"{number}a", x, 2 if down else 1, 0 if down else 1), 0)
            y = self._convolved(f"{number}b", y, 1, 1)
            x = np.maximum(added(y, window(x, 2, 2, np.mean) if down else x), 0)
        return x.mean(axis=(1, 2)) @ self.arrays["fc"].astype(float)

    def _convolved(self, name: str, x: np.ndarray, stride: int, padding: int) -> np.ndarray:
        weight = self.arrays[f"{name}.w"].astype(float)
        side = weight.shape[2]
        x = np.pad(x, ((0, 0), (padding, padding), (padding, padding)))
        rows, columns = ((x.shape[axis] - side) // stride + 1 for axis in (1, 2))
        y = np.zeros((len(weight), rows, columns))
        for channel, filters in enumerate(weight):
            for i in range(rows):
                for j in range(columns):
                    seen = x[:, i * stride : i * stride + side, j * stride : j * stride + side]
                    y[channel, i, j] = (seen * filters).sum() + self.arrays[f"{name}.bias"][channel]
            y[channel] = y[channel] * self.arrays[f"{name}.gamma"][channel] + self.arrays[f"{name}.beta"][channel]
        return y


def written(layers: list[bytes | None], size: int = 46, loss: bytes | None = None) -> bytes:
    """A file of these layers, innermost first."""
    first, *others = layers
    assert first is not None
    versions = b"".join(whole(1 if layer is None else 2) for layer in reversed(others))
    image = text("input_rgb_image_sized") + b"".join(map(real, MEAN)) + whole(size) + whole(size)
    loss = text("loss_metric_2") + real(0.04) + real(0.6) if loss is None else loss
    body = b"".join(b"" if layer is None else layer + rest() for layer in others)
    return whole(1) + loss + versions + whole(3) + image + first + rest(innermost=True) + body


def window(x, side, stride, of):
    """``of`` every whole window of a map (C, H, W)."""
    rows, columns = ((x.shape[axis] - side) // stride + 1 for axis in (1, 2))
    y = np.zeros((len(x), rows, columns))
    for i in range(rows):
        for j in range(columns):
            y[:, i, j] = of(x[:, i * stride : i * stride + side, j * stride : j * stride + side], axis=(1, 2))
    return y


def added(a, b):
    """dlib's sum of two maps: what one of them lacks, in channels, rows or columns, is zero."""
    total = np.zeros(np.maximum(a.shape, b.shape))
    for x in (a, b):
        total[: x.shape[0], : x.shape[1], : x.shape[2]] += x
    return total
