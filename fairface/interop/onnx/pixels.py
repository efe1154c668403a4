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
CHANNELS_HELP = "(three numbers each where channels differ: minus123.675,116.28,103.53/58.395,57.12,57.375)"
COLOUR_HELP = "for an ONNX file that does not say it: order of its channels"
_NUMBERS = r"(\d+(?:\.\d+)?(?:,\d+(?:\.\d+)?,\d+(?:\.\d+)?)?)"  # one, or one for each channel
_MINUS = re.compile(f"minus{_NUMBERS}/{_NUMBERS}")
Levels = float | tuple[float, ...]


@dataclass(frozen=True)
class Pixels:
    """``(x - mean) / divisor`` of channels in RGB or BGR order; mean and divisor: numbers, or three in that order."""

    mean: Levels = 0.0
    divisor: Levels = 1.0
    is_bgr: bool = False

    def prepare(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        """RGB from 0 to 255 ``(B, 3, H, W)`` as the network wants it."""
        if self.is_bgr:
            x = x[:, ::-1]
        if (self.mean, self.divisor) == (0.0, 1.0):
            return x
        mean, divisor = (np.reshape(np.asarray(levels, np.float32), (-1, 1, 1)) for levels in (self.mean, self.divisor))
        return (x - mean) / divisor


def choose_pixels(name: str, content: bytes, metadata: Metadata | None, pixels: str = "", colour: str = "") -> Pixels:
    """How the file ``name`` wants its pixels.

    Args:
        name: for messages.
        content: of the file.
        metadata: what the file says of itself, where this library wrote it.
        pixels: ``raw`` or ``minusM/D`` (M and D may be three numbers, in the order of the network's channels), as the
            user named it; empty: find out.
        colour: ``rgb`` or ``bgr``, as the user named it; empty: find out.

    Raises:
        ConfigError: it is not known and was not named, was named otherwise than the file says, or means nothing; or
            pixels would be normalised twice.
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
    elif pixels != RAW and metadata is None and _shows_normalisation(content):
        raise ConfigError(
            f"{name}: its graph already normalises values from 0 to 255, so --pixels {pixels} would do it twice; leave "
            "it out, or write --pixels raw"
        )
    if not pixels:
        raise ConfigError(
            f"{name}: its graph does not show that it normalises pixels itself; add --pixels minus127.5/127.5 "
            "(insightface's packs), --pixels minus127.5/128, or --pixels raw"
        )
    mean, divisor = _parse(pixels)
    return Pixels(mean, divisor, colour != RGB)


def _shows_normalisation(content: bytes) -> bool:
    """:func:`normalises` where the package for looking is there: a user who names the pixels does not need it."""
    try:
        return normalises(content)
    except ImportError:
        return False


def _parse(pixels: str) -> tuple[Levels, Levels]:
    if pixels == RAW:
        return 0.0, 1.0
    match = _MINUS.fullmatch(pixels)
    divisor = None if match is None else _levels(match[2])
    if match is None or divisor is None or 0.0 in np.atleast_1d(divisor):
        raise ConfigError(f"--pixels {pixels}: write raw, or minusM/D such as minus127.5/128 {CHANNELS_HELP}")
    return _levels(match[1]), divisor


def _levels(text: str) -> Levels:
    numbers = tuple(map(float, text.split(",")))
    return numbers if len(numbers) > 1 else numbers[0]
