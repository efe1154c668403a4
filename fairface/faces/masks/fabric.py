"""Patterns, folds and creases of a mask's fabric, drawn on the flat mask.

``u`` runs from -1 at the left side to 1 at the right side, ``v`` from 0 at the upper edge to 1 at the lower one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import cos, pi, sin

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
_Draw = Callable[[np.random.Generator, Floats, Floats], Floats]


def smooth_noise(rng: np.random.Generator, shape: tuple[int, ...], cells: tuple[int, int]) -> Floats:
    """Noise of mean 0 and deviation 1 that changes over ``cells`` (down, across)."""
    coarse = rng.standard_normal(cells).astype(np.float32)
    noise = cv2.resize(coarse, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC)
    return np.asarray((noise - noise.mean()) / (noise.std() + 1e-6), np.float32)


def ridge(distance: Floats, width: float) -> Floats:
    """A fold seen under light from above: dark on one side of the line, bright on the other; from -1 to 1."""
    scaled = distance / width
    return np.asarray(-scaled * np.exp(0.5 - 0.5 * scaled * scaled), np.float32)


def line(distance: Floats, width: float) -> Floats:
    """A line of a width: 1 on it, falling to 0."""
    return np.asarray(np.exp(-np.square(distance / width)), np.float32)


def creases(rng: np.random.Generator, u: Floats, v: Floats, count: int) -> Floats:
    """Folds that run from the sides, where the cords pull, towards the middle; some from anywhere."""
    total = np.zeros_like(u)
    for _ in range(count):
        side = rng.choice((-1.0, 1.0))
        start_u, start_v = side * rng.uniform(0.5, 1.0), rng.choice((rng.uniform(0, 0.3), rng.uniform(0.6, 1)))
        angle = rng.uniform(-0.5, 0.5) + (pi if side > 0 else 0)
        bend, length = rng.uniform(-0.3, 0.3), rng.uniform(0.25, 0.8)
        along = (u - start_u) * cos(angle) + (v - start_v) * sin(angle)
        across = (v - start_v) * cos(angle) - (u - start_u) * sin(angle) + bend * along * along
        window = np.exp(-np.square((along - length / 2) / (length / 2)))
        total += rng.uniform(0.3, 1.0) * ridge(across, rng.uniform(0.02, 0.06)) * window
    return total


def pleats(rng: np.random.Generator, u: Floats, v: Floats) -> Floats:
    """Three horizontal folds that are pressed together at the sides and open in the middle."""
    total = np.zeros_like(u)
    opened = rng.uniform(0.15, 0.45)
    for place in (0.3, 0.47, 0.64):
        middle = place + rng.uniform(-0.025, 0.025)
        at = 0.5 + (middle - 0.5) * (1 + opened * (1 - u * u)) + rng.uniform(-0.03, 0.03) * u
        strength = 0.55 + 0.45 * u * u
        below = v - at
        total -= strength * line(below - 0.012, 0.016)  # the shadow below a fold
        total += 0.55 * strength * line(below + 0.02, 0.022)  # its edge, which catches the light
        total -= 0.3 * np.where(below > 0, np.exp(-below / 0.07), 0)
    return total


def _plain(rng: np.random.Generator, u: Floats, v: Floats) -> Floats:
    return np.zeros_like(u)


def _melange(rng: np.random.Generator, u: Floats, v: Floats) -> Floats:
    return np.clip(0.3 + 0.12 * smooth_noise(rng, u.shape, (96, 144)), 0, 1)


def _stripes(rng: np.random.Generator, u: Floats, v: Floats) -> Floats:
    angle, pitch, share = rng.choice((0.0, pi / 2, pi / 4)), rng.uniform(0.09, 0.22), rng.uniform(0.25, 0.5)
    place = ((u * cos(angle) + 0.6 * v * sin(angle)) / pitch) % 1
    return np.asarray(place < share, np.float32)


def _checks(rng: np.random.Generator, u: Floats, v: Floats) -> Floats:
    pitch = rng.uniform(0.1, 0.24)
    down, across = (0.6 * v / pitch) % 1 < 0.5, (u / pitch) % 1 < 0.5
    return 0.5 * down.astype(np.float32) + 0.5 * across.astype(np.float32)


def _dots(rng: np.random.Generator, u: Floats, v: Floats) -> Floats:
    pitch, radius = rng.uniform(0.1, 0.24), rng.uniform(0.2, 0.36)
    row = np.floor(0.6 * v / pitch)
    x, y = (u / pitch + 0.5 * (row % 2)) % 1 - 0.5, (0.6 * v / pitch) % 1 - 0.5
    return np.asarray(np.hypot(x, y) < radius, np.float32)


def _flowers(rng: np.random.Generator, u: Floats, v: Floats) -> Floats:
    total = np.zeros_like(u)
    for _ in range(int(rng.integers(18, 40))):
        x, y = u - rng.uniform(-1, 1), 0.6 * (v - rng.uniform(0, 1))
        petals = 1 + 0.4 * np.cos(rng.integers(4, 7) * np.arctan2(y, x) + rng.uniform(0, 6))
        total = np.maximum(total, rng.uniform(0.5, 1) * (np.hypot(x, y) < rng.uniform(0.03, 0.09) * petals))
    return np.asarray(total, np.float32)


PATTERNS: Mapping[str, _Draw] = {
    "plain": _plain, "melange": _melange, "stripes": _stripes, "checks": _checks, "dots": _dots, "flowers": _flowers,
}  # fmt: skip
