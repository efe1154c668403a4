"""How an ONNX file wants its pixels: said by its own metadata, found in its graph, or named by the user; not guessed.

A network that normalises by itself takes values from 0 to 255. Nothing in a graph tells RGB from BGR.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fairface.errors import ConfigError
from fairface.interop.onnx.metadata import RAW, RGB, Metadata
from fairface.interop.onnx.normalisation import normalises

COLOURS = (RGB, "bgr")
PIXELS_HELP = "for an ONNX file that does not say it: raw (0..255), or minusM/D: (x - M) / D, such as minus127.5/128"
COLOUR_HELP = "for an ONNX file that does not say it: order of its channels"
_MINUS = re.compile(r"minus(\d+(?:\.\d+)?)/(\d+(?:\.\d+)?)")


@dataclass(frozen=True)
class Pixels:
    """``(x - mean) / divisor`` of channels in RGB or BGR order."""

    mean: float = 0.0
    divisor: float = 1.0
    is_bgr: bool = False

    def prepare(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        """RGB from 0 to 255 ``(B, 3, H, W)`` as the network wants it."""
        if self.is_bgr:
            x = x[:, ::-1]
        if (self.mean, self.divisor) == (0.0, 1.0):
            return x
        return (x - np.float32(self.mean)) / np.float32(self.divisor)


def choose_pixels(name: str, content: bytes, metadata: Metadata | None, pixels: str = "", colour: str = "") -> Pixels:
    """How the file ``name`` wants its pixels.

    Args:
        name: for messages.
        content: of the file.
        metadata: what the file says of itself, where this library wrote it.
        pixels: ``raw`` or ``minusM/D``, as the user named it; empty: find out.
        colour: ``rgb`` or ``bgr``, as the user named it; empty: find out.

    Raises:
        ConfigError: it is not known and was not named, was named otherwise than the file says, or means nothing.
    """
    if metadata is not None:
        for option, given, said in (("--pixels", pixels, metadata.pixels), ("--colour", colour, metadata.colour)):
            if given not in ("", said):
                raise ConfigError(f"{name}: says of itself that it takes {said}; leave {option} {given} out")
        pixels, colour = metadata.pixels, metadata.colour
    if not colour:
        raise ConfigError(
            f"{name}: does not say whether it takes RGB or BGR; add --colour rgb (insightface's and OpenCV's models) "
            "or --colour bgr (AdaFace's)"
        )
    if colour not in COLOURS:
        raise ConfigError(f"--colour {colour}: write {' or '.join(COLOURS)}")
    if not pixels and normalises(content):
        pixels = RAW
    if not pixels:
        raise ConfigError(
            f"{name}: its graph does not show that it normalises pixels itself; add --pixels minus127.5/127.5 "
            "(insightface's packs), --pixels minus127.5/128, or --pixels raw"
        )
    mean, divisor = _parse(pixels)
    return Pixels(mean, divisor, colour != RGB)


def _parse(pixels: str) -> tuple[float, float]:
    match = _MINUS.fullmatch(pixels)
    if pixels != RAW and (match is None or float(match[2]) == 0):
        raise ConfigError(f"--pixels {pixels}: write raw, or minusM/D such as minus127.5/128")
    return (0.0, 1.0) if match is None else (float(match[1]), float(match[2]))
