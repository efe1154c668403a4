"""Masks laid flat: outline, folds, pattern and trim of each style, drawn once and kept for every face.

A template covers u from -1.12 to 1.12 and v from -0.1 to 1.1 (:mod:`.fabric`), the mask itself and a margin in which
its soft edge ends.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from zlib import crc32

import cv2
import numpy as np
from numpy.typing import NDArray

from fairface.faces.masks.fabric import PATTERNS, creases, line, pleats, ridge, smooth_noise
from fairface.faces.masks.styles import STYLES

Floats = NDArray[np.float32]
Layers = NDArray[np.uint8]
VARIANTS = 16  # templates of one style: other folds, creases and patterns
WIDTHS = (96, 192, 384)  # pixels of the kept sizes; drawn at twice these
ASPECT = 2 / 3
U_END, V_LOW, V_HIGH = 1.12, -0.1, 1.1
PATTERN, RELIEF, ALPHA, TRIM = range(4)
LEVEL = 128  # of RELIEF where the fabric is flat: neither lit nor shaded
_SOFT = 0.02  # width of the edge in units of v


@dataclass(frozen=True)
class Sheet:
    """A mask that is being drawn: where each pixel lies, and what is known of it so far."""

    u: Floats
    v: Floats
    edge: Floats  # distance from the outline, positive inside, in units of v
    relief: Floats
    trim: Floats


def _rounded(u: Floats, v: Floats) -> Floats:
    """Distance inside a rectangle with round corners."""
    radius = 0.1
    x, y = 1.3 * (np.abs(u) - 1) + radius, np.abs(v - 0.5) - 0.5 + radius
    outside = np.hypot(np.maximum(x, 0), np.maximum(y, 0)) + np.minimum(np.maximum(x, y), 0)
    return np.asarray(radius - outside, np.float32)


def _tapered(u: Floats, v: Floats, taper: float, power: float) -> Floats:
    """Distance inside a mask that narrows towards its sides."""
    half = 0.5 * (1 - taper * np.abs(u) ** power)
    return np.asarray(np.minimum(half - np.abs(v - 0.5), 1.3 * (1 - np.abs(u))), np.float32)


def _oval(u: Floats, v: Floats) -> Floats:
    return np.asarray(0.5 - 0.5 * (np.abs(u) ** 2.6 + np.abs(2 * v - 1) ** 2.8) ** (1 / 2.7), np.float32)


def _nose(u: Floats, v: Floats) -> Floats:
    """The fabric stretched over the nose: bright along its ridge, darker beside it."""
    high = np.clip(1 - v / 0.5, 0, 1)
    return np.asarray(high * (0.5 * line(u, 0.1) - 0.4 * line(np.abs(u) - 0.24, 0.12)), np.float32)


def _pleated(rng: np.random.Generator, u: Floats, v: Floats) -> Sheet:
    edge = _rounded(u, v)
    relief = 0.17 * pleats(rng, u, v) + 0.05 * creases(rng, u, v, int(rng.integers(3, 9))) + 0.1 * _nose(u, v)
    relief += 0.08 * ridge(v - 0.07, 0.02) * (np.abs(u) < 0.38)  # the wire over the nose
    width = rng.uniform(0.035, 0.06)
    trim = np.maximum(v < width, np.abs(u) > 1 - 0.75 * width).astype(np.float32)
    relief -= 0.1 * (line(v - width, 0.01) + line(np.abs(u) - 1 + 0.75 * width, 0.008))
    return Sheet(u, v, edge, relief, trim * rng.choice((0.0, 0.55, 0.9)))


def _cup(rng: np.random.Generator, u: Floats, v: Floats) -> Sheet:
    edge = _oval(u, v)
    relief = -0.12 * line(edge - 0.055, 0.014) + 0.05 * line(edge - 0.025, 0.02)  # the pressed rim
    bend = v - 0.34 - 0.08 * u * u
    relief += 0.07 * ridge(bend, 0.03) * (1 - np.abs(u)) + 0.06 * ridge(v - 0.66 + 0.06 * u * u, 0.03) * (1 - np.abs(u))
    relief += 0.018 * smooth_noise(rng, u.shape, (96, 128)) + 0.12 * _nose(u, v)
    clip = (np.abs(u) < 0.3) & (np.abs(v - 0.1 - 0.1 * u * u) < 0.022)  # the metal clip over the nose
    trim = clip.astype(np.float32) * rng.choice((0.0, 0.9))
    relief += 0.06 * creases(rng, u, v, int(rng.integers(0, 3)))
    return Sheet(u, v, edge, relief, trim)


def _folded(rng: np.random.Generator, u: Floats, v: Floats) -> Sheet:
    edge = _tapered(u, v, rng.uniform(0.2, 0.32), 1.6)
    seam = rng.uniform(0.5, 1.0)
    relief = -0.16 * seam * line(u, 0.013) + 0.08 * line(np.abs(u) - 0.035, 0.025)
    relief += 0.06 * np.sign(u + 1e-6) * rng.choice((-1, 1)) * np.exp(-np.abs(u) / 0.3)  # the two halves face apart
    relief -= 0.08 * line(edge - 0.05, 0.012)  # welded along the edge
    top = v - 0.1 - 0.12 * np.abs(u)
    relief += 0.07 * ridge(top, 0.018) * (np.abs(u) < 0.45)
    relief += 0.05 * creases(rng, u, v, int(rng.integers(2, 7))) + 0.06 * _nose(u, v)
    return Sheet(u, v, edge, relief, np.zeros_like(u))


def _valve(rng: np.random.Generator, u: Floats, v: Floats) -> Sheet:
    base = _folded(rng, u, v)
    side, size = rng.choice((-1.0, 1.0)), rng.uniform(0.085, 0.115)
    x, y = (u - side * rng.uniform(0.36, 0.5)) * 1.2, (v - rng.uniform(0.44, 0.58)) * 1.1
    distance = np.hypot(x, y) if rng.random() < 0.6 else (np.abs(x) ** 4 + np.abs(y) ** 4) ** 0.25
    inside = np.clip((size * 1.3 - distance) / 0.012, 0, 1)
    dome = 0.28 * line(np.hypot(x + 0.03, y + 0.05), 0.05) - 0.2 * line(distance - size * 0.95, 0.014)
    dome += 0.1 * np.sin(y * 2 * np.pi / 0.045) * (distance < size * 0.8)
    shadow = -0.3 * line(np.maximum(np.hypot(x, y - 0.025) - size * 1.3, 0), 0.03) * (1 - inside)
    relief = base.relief * (1 - inside) + dome * inside + shadow
    return Sheet(u, v, base.edge, np.asarray(relief, np.float32), np.asarray(inside, np.float32))


def _soft(rng: np.random.Generator, u: Floats, v: Floats) -> Sheet:
    edge = _tapered(u, v, rng.uniform(0.15, 0.35), rng.uniform(1.6, 2.4))
    relief = 0.09 * creases(rng, u, v, int(rng.integers(3, 10))) + 0.12 * _nose(u, v)
    if rng.random() < 0.6:  # sewn of two halves
        relief += -0.14 * line(u, 0.014) + 0.06 * line(np.abs(u) - 0.03, 0.02)
    if rng.random() < 0.6:  # a hem
        relief -= 0.1 * line(edge - 0.045, 0.01)
    relief += 0.04 * smooth_noise(rng, u.shape, (5, 8))
    return Sheet(u, v, edge, relief, np.zeros_like(u))


SHAPES: Mapping[str, Callable[[np.random.Generator, Floats, Floats], Sheet]] = {
    "pleated": _pleated, "cup": _cup, "folded": _folded, "valve": _valve, "soft": _soft,
}  # fmt: skip


def grid(width: int) -> tuple[Floats, Floats]:
    """``u`` and ``v`` of every pixel of a template."""
    across = np.linspace(-U_END, U_END, width, dtype=np.float32)
    down = np.linspace(V_LOW, V_HIGH, round(width * ASPECT), dtype=np.float32)
    u, v = np.meshgrid(across, down)
    return u, v


@cache  # at most len(STYLES) * VARIANTS * len(WIDTHS): 4 MB of the smallest width
def template(style: str, variant: int, width: int) -> Layers:
    """The layers ``(2/3 width, width, 4)`` of a style: pattern, relief (``LEVEL`` is flat), alpha, trim."""
    rng = np.random.default_rng([variant, crc32(style.encode())])
    kind = STYLES[style]
    u, v = grid(2 * width)
    sheet = SHAPES[kind.shape](rng, u, v)
    pattern = PATTERNS[kind.patterns[int(rng.integers(len(kind.patterns)))]](rng, u, v)
    layers = layers_of(sheet, pattern * (1 - sheet.trim), rng)
    small = cv2.resize(layers, (width, round(width * ASPECT)), interpolation=cv2.INTER_AREA)
    small.flags.writeable = False
    return small  # type: ignore[return-value]


def layers_of(sheet: Sheet, pattern: Floats, rng: np.random.Generator) -> Layers:
    """The layers of a drawn sheet, with the fabric's own grain and its edge turned away from the light."""
    relief = sheet.relief + 0.015 * smooth_noise(rng, sheet.u.shape, (128, 192))
    relief = relief - 0.1 * np.exp(-np.maximum(sheet.edge, 0) / 0.025)
    alpha = 0.5 + sheet.edge / _SOFT
    layers = np.stack([255 * pattern, LEVEL * (1 + relief), 255 * alpha, 255 * sheet.trim], axis=-1)
    return np.clip(np.rint(layers), 0, 255).astype(np.uint8)
