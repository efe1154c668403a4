"""What may be done to a batch's images on their way into it, and to the columns beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn, Protocol

import numpy as np
from numpy.typing import NDArray

from fairface.errors import ConfigError

Image = NDArray[np.uint8]


class Columns(dict[str, NDArray[np.float32]]):
    """The extra columns of a source's n rows of a batch, by name, each ``(n, …)`` float32.

    They hold what the data say of these rows, NaN where they have no such column. Columns that the transform names in
    ``writes`` may be written to, ``extra["nose_height"][row] = 0.5``; the others are read-only.

    Raises:
        ConfigError: a column that neither the data nor ``writes`` know is asked for, or one is put in.
    """

    def __missing__(self, name: str) -> NoReturn:
        known = ", ".join(self) or "none"
        raise ConfigError(
            f"a transform uses the column {name}, which it does not declare and the data do not have (there are: "
            f"{known}); name it with its shape in writes, or give the data this column"
        )

    def __setitem__(self, name: str, values: object) -> NoReturn:
        raise ConfigError(
            f"a transform puts in the column {name}; name it with its shape in writes and set extra[{name!r}][row] = …"
        )


class Drawn(Protocol):
    """What happens to each of a source's n images in one step; everything random has been drawn."""

    def apply(self, image: Image, row: int, out: Image, extra: Mapping[str, NDArray[np.float32]]) -> None:
        """Write the changed ``image`` into ``out``; called from several threads, each row once.

        Args:
            image: (size, size, 3) uint8 RGB, not to be written to.
            row: 0 to n-1, the row within this source's part of the batch.
            out: (size, size, 3) uint8, the image's place in the batch; shares no memory with ``image``.
            extra: the columns of all n rows, see :class:`Columns`; only values of ``row`` may be read or written.
        """


class BatchTransform(Protocol):
    """Changes the images of one source, and writes columns beside them."""

    @property
    def writes(self) -> Mapping[str, tuple[int, ...]]:
        """The columns that ``apply`` writes: name to the shape of one row's value, ``()`` for a number."""

    def draw(self, rng: np.random.Generator, n: int, size: int) -> Drawn:
        """What happens to the next n images of ``size x size`` pixels, all taken from ``rng`` in a fixed order."""


def chain(transforms: Sequence[BatchTransform]) -> BatchTransform:
    """One transform that applies several in order; each sees the image as the one before left it.

    The first draws first from the common generator, so what is put behind it does not change its numbers.

    Raises:
        ConfigError: none are given, or two write a column in different shapes.
    """
    if not transforms:
        raise ConfigError("a chain needs a transform at least; leave the transform out instead")
    return transforms[0] if len(transforms) == 1 else Chain(tuple(transforms))


@dataclass(frozen=True)
class Chain:
    """Several transforms in order; made by :func:`chain`."""

    transforms: tuple[BatchTransform, ...]

    def __post_init__(self) -> None:
        shapes: dict[str, tuple[int, ...]] = {}
        for transform in self.transforms:
            for name, shape in transform.writes.items():
                if shapes.setdefault(name, shape) != shape:
                    raise ConfigError(f"two transforms write the column {name}, as {shapes[name]} and as {shape}")

    @property
    def writes(self) -> Mapping[str, tuple[int, ...]]:
        return {name: shape for transform in self.transforms for name, shape in transform.writes.items()}

    def draw(self, rng: np.random.Generator, n: int, size: int) -> DrawnChain:
        return DrawnChain([transform.draw(rng, n, size) for transform in self.transforms])


@dataclass(frozen=True)
class DrawnChain:
    """What several transforms do to a batch."""

    drawn: list[Drawn]

    def apply(self, image: Image, row: int, out: Image, extra: Mapping[str, NDArray[np.float32]]) -> None:
        self.drawn[0].apply(image, row, out, extra)
        for drawn in self.drawn[1:]:
            drawn.apply(out.copy(), row, out, extra)
