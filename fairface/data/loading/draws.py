"""Random numbers that depend on nothing but where they are used: (seed, index, purpose, stream)."""

from __future__ import annotations

from enum import IntEnum

import numpy as np

_WORD = 2**64 - 1


class Purpose(IntEnum):
    """What numbers are drawn for; two purposes never share numbers."""

    ORDER = 1
    AUGMENT = 2
    SUBSTITUTE = 3
    IMAGES = 4
    MINING = 5
    CLASSES = 6
    START = 7
    STEP = 8


def generator(seed: int, index: int, purpose: Purpose, stream: int = 0) -> np.random.Generator:
    """A Philox generator for step, epoch or record ``index`` of the run ``seed``.

    (seed, index) is Philox's key; purpose and stream stand in the two high words of its counter, which drawing never
    reaches. So every step can be drawn again without drawing the steps before it.
    """
    key = np.array([seed & _WORD, index & _WORD], np.uint64)
    counter = np.array([0, 0, stream & _WORD, int(purpose)], np.uint64)
    return np.random.Generator(np.random.Philox(key=key, counter=counter))


def device_seed(seed: int, index: int, purpose: Purpose, stream: int = 0) -> int:
    """What MXNet's own generators are seeded with, 0 to 2^31 - 2: for dropout, noise and start values on the devices.

    Scattered, because on CPUs MXNet keeps 1024 generators and seeds generator i with ``127 * seed + i``: after seeds
    that are neighbours, seven of eight generators give the same numbers again, to other places of an array.
    """
    return int(generator(seed, index, purpose, stream).integers(2**31 - 1))
