"""Pairs of images with masks on one or both sides: a masked verification set from any other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fairface.data.image_size import is_jpeg, is_png
from fairface.data.images import check_size, encode_png, resize
from fairface.data.types import Dataset
from fairface.errors import ConfigError
from fairface.faces.masks.draw import draw_mask
from fairface.faces.masks.folder import seed_of
from fairface.faces.masks.log import MASKED, REFUSED, UNMASKED, MaskRow
from fairface.faces.masks.parameters import MaskChoice
from fairface.faces.masks.points import PointSource
from fairface.faces.masks.pose import MaskRefusedError, Reason
from fairface.threads import map_in_threads

SIDES = {"a": (True, False), "b": (False, True), "both": (True, True)}


@dataclass(frozen=True)
class PairMasks:
    """What masks pairs get: on which ``side`` (a, b, both), drawn from what, by which seed, at which size in pixels."""

    side: str
    choice: MaskChoice
    points: PointSource
    seed: int = 0
    size: int = 112
    may_resize: bool = False

    def __post_init__(self) -> None:
        if self.side not in SIDES:
            raise ConfigError(f"the side {self.side!r} of a pair is unknown; choose {', '.join(SIDES)}")


def mask_pairs(
    images: Dataset, names: Sequence[str], a: NDArray[np.int64], b: NDArray[np.int64], how: PairMasks,
    threads: int = 1, watch: Callable[[Iterable[tuple[bytes, MaskRow]]], Iterable[tuple[bytes, MaskRow]]] = iter,
) -> tuple[list[bytes], list[MaskRow]]:  # fmt: skip
    """The encoded images of a ``.bin`` set, 2M of them, and what became of each.

    Pair i is of the images ``a[i]`` and ``b[i]``. The mask of an image depends on the seed, the pair, the side and its
    name, so the two sides of a pair wear different masks, and an image in two pairs does too. Images without a mask
    keep their bytes; so do those on which none can be placed, which are told as refused.

    Args:
        images: the images.
        names: what they are called, by which landmarks are looked up.
        a, b: (M,) positions in ``images``.
        how: which masks.
        threads: that work at a time.
        watch: wraps the iteration over 2M images, to show progress.

    Raises:
        DataError: an image that cannot be read or has another size.
    """
    sides = SIDES[how.side]
    order = [(pair, side, int(position)) for pair, both in enumerate(zip(a, b, strict=True))
             for side, position in enumerate(both)]  # fmt: skip

    def made(item: tuple[int, int, int]) -> tuple[bytes, MaskRow]:
        pair, side, position = item
        title = f"pair {pair}, {'ab'[side]}: {names[position]}"
        if not sides[side]:
            return _kept(images, position, how), MaskRow(title, UNMASKED)
        return _masked(images, position, names[position], title, how)

    done = list(watch(map_in_threads(made, order, threads)))
    return [data for data, _ in done], [row for _, row in done]


def _kept(images: Dataset, position: int, how: PairMasks) -> bytes:
    data = images.encoded(position)
    image = images.decoded(position)
    if image.shape[:2] == (how.size, how.size) and (is_jpeg(data) or is_png(data)):
        return data
    return encode_png(_sized(image, images.name(position), how))


def _sized(image: NDArray[np.uint8], name: str, how: PairMasks) -> NDArray[np.uint8]:
    if not how.may_resize:
        check_size(image, name, how.size)
    return resize(image, how.size)


def _masked(images: Dataset, position: int, name: str, title: str, how: PairMasks) -> tuple[bytes, MaskRow]:
    seed = seed_of(how.seed, title)
    image = images.decoded(position)
    try:
        points = how.points.of(name, image.shape)
        if points is None:
            raise MaskRefusedError("no landmarks are known; find them, or take the template's", Reason.POINTS)
        scale = how.size / image.shape[0]
        drawn = draw_mask(_sized(image, images.name(position), how), points * scale, how.choice, seed)
    except MaskRefusedError as error:
        row = MaskRow(title, REFUSED, seed=seed, reason=error.reason.value, message=str(error))
        return _kept(images, position, how), row
    told = tuple((float(x), float(y)) for x, y in points * scale)
    height = round(drawn.nose_height_fraction, 6)
    row = MaskRow(title, MASKED, output=title, seed=seed, points=told, nose_height=height, parameters=drawn.parameters)
    return encode_png(drawn.image), row
