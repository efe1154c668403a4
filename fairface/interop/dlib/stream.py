"""Whole numbers, floating-point numbers, texts and tensors as dlib's ``serialize`` writes them.

A whole number is a control byte, whose low four bits count the bytes that follow (1 to 8, the lowest first) and whose
highest bit is the sign. A floating-point number is two of them, mantissa and exponent of two. A text is its length and
its bytes, a truth value the letter 1 or 0. A tensor is the number 2, four sizes and little-endian float32 values.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fairface.errors import CheckpointError

Array = NDArray[np.float32]
LONGEST_TEXT = 64
_SIGN, _COUNT, _UNUSED = 0x80, 0x0F, 0x70
_BYTES = 8  # of the longest whole number
_TENSOR = 2  # version of a tensor's form
_LARGEST_SIDE = 2**24
_LARGEST_EXPONENT = 1023  # beyond a double: infinite and undefined values have 32000 and more


class Stream:
    """The values of a file, one after the other; nothing is made larger than what the file still holds.

    Args:
        content: the whole file.
        path: its name, for messages.
    """

    def __init__(self, content: bytes, path: Path) -> None:
        self._content = content
        self._path = path
        self._at = 0

    def wrong(self, what: str) -> CheckpointError:
        """The error to raise where the file is not what it should be."""
        return CheckpointError(
            f"{self._path}: {what} (at byte {self._at}); it is damaged or no file of dlib's face recognition network"
        )

    def at_end(self) -> bool:
        """Whether every byte has been read."""
        return self._at == len(self._content)

    def whole(self, least: int = 0, most: int = 2**16) -> int:
        """A whole number between two bounds.

        Raises:
            CheckpointError: the file ends, another kind of value stands there, or the number is out of bounds.
        """
        value = self._number()
        if not least <= value <= most:
            raise self.wrong(f"the number {value} stands where one from {least} to {most} belongs")
        return value

    def real(self) -> float:
        """A finite floating-point number.

        Raises:
            CheckpointError: as :meth:`whole`, or the number is not finite.
        """
        mantissa, exponent = self._number(), self._number()
        if abs(exponent) > _LARGEST_EXPONENT:
            raise self.wrong("a number is not finite")
        try:
            return math.ldexp(mantissa, exponent)
        except OverflowError:
            raise self.wrong("a number is not finite") from None

    def truth(self) -> bool:
        """A truth value.

        Raises:
            CheckpointError: something else stands there.
        """
        letter = self._take(1)
        if letter not in (b"0", b"1"):
            raise self.wrong("no truth value stands where one belongs")
        return letter == b"1"

    def text(self) -> str:
        """A short ASCII text.

        Raises:
            CheckpointError: it is longer than any name of a layer, or holds other characters.
        """
        raw = self._take(self.whole(most=LONGEST_TEXT))
        if not raw.isascii():
            raise self.wrong("no layer's name stands where one belongs")
        return raw.decode("ascii")

    def shape(self) -> tuple[int, int, int, int]:
        """Samples, channels, rows and columns of a tensor.

        Raises:
            CheckpointError: negative, or larger than any tensor of such a network.
        """
        samples, channels, rows, columns = (self.whole(most=_LARGEST_SIDE) for _ in range(4))
        return samples, channels, rows, columns

    def tensor(self) -> Array:
        """All values of a tensor, in one row, and finite.

        Raises:
            CheckpointError: more values than the file still holds, or some that are not finite.
        """
        self.whole(_TENSOR, _TENSOR)
        raw = self._take(4 * math.prod(self.shape()))
        values = np.frombuffer(raw, "<f4").astype(np.float32)
        if not np.isfinite(values).all():
            raise self.wrong("a tensor holds values that are not finite")
        return values

    def part(self) -> tuple[int, int, int, int]:
        """The shape that dlib gives a part of a tensor (``alias_tensor``).

        Raises:
            CheckpointError: as :meth:`shape`.
        """
        self.whole(1, 1)
        return self.shape()

    def _number(self) -> int:
        control = self._take(1)[0]
        count = control & _COUNT
        if control & _UNUSED or not 1 <= count <= _BYTES:
            raise self.wrong("no number stands where one belongs")
        value = int.from_bytes(self._take(count), "little")
        return -value if control & _SIGN else value

    def _take(self, count: int) -> bytes:
        if count > len(self._content) - self._at:
            raise self.wrong("the file ends too early")
        raw = self._content[self._at : self._at + count]
        self._at += count
        return raw
