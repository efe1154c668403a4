"""Masks drawn in the loader, before mirror and every other change of the images."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from fairface.config.schema import AugmentConfig, TrainConfig
from fairface.data.loading.source import Source
from fairface.data.loading.transform import chain
from fairface.errors import ConfigError
from fairface.faces.align import template
from fairface.faces.masks.column import LANDMARKS, with_landmarks
from fairface.faces.masks.draw import draw_mask, nose_height
from fairface.faces.masks.parameters import MaskChoice
from fairface.faces.masks.pose import MaskRefusedError
from fairface.faces.masks.textures import Textures, read_textures

Image = NDArray[np.uint8]
SHAPES = ((5, 2), (68, 2), (10,), (136,))


@dataclass(frozen=True)
class DrawnMasks:
    """Which of n images get a mask, and the seed of each."""

    on: list[bool]
    seeds: list[int]
    choice: MaskChoice
    usual: NDArray[np.float64]

    def apply(self, image: Image, row: int, out: Image, extra: Mapping[str, NDArray[np.float32]]) -> None:
        points = self._points(row, extra)
        extra["nose_height"][row] = nose_height(points, image.shape[0])
        extra["masked"][row] = 0
        out[:] = image
        if not self.on[row]:
            return
        try:
            out[:] = draw_mask(image, points, self.choice, self.seeds[row]).image
        except MaskRefusedError:
            return  # no mask fits this head; the column says that it has none
        extra["masked"][row] = 1

    def _points(self, row: int, extra: Mapping[str, NDArray[np.float32]]) -> NDArray[np.float64]:
        if LANDMARKS not in extra:
            return self.usual
        known = extra[LANDMARKS][row].reshape(-1, 2).astype(np.float64)
        return known if np.isfinite(known).all() else self.usual


class MaskTransform:
    """Puts a mask on each image with probability ``p``; a :class:`~fairface.data.loading.transform.BatchTransform`.

    Landmarks are those of the column ``landmarks``, (5, 2) or (68, 2) pixels, where the data have it and know them,
    else the template's of an aligned crop. The column ``nose_height`` tells how far down the nose's tip is, as a share
    of the image's height, with a mask or without; ``masked`` is 1 or 0. A head on which no mask fits keeps its image.

    Raises:
        ConfigError: ``p`` is no probability.
    """

    writes: Mapping[str, tuple[int, ...]] = MappingProxyType({"nose_height": (), "masked": ()})

    def __init__(self, p: float, choice: MaskChoice | None = None) -> None:
        if not 0 <= p <= 1:
            raise ConfigError(f"the probability of a mask is {p}; it must lie between 0 and 1")
        self.p, self.choice = p, choice or MaskChoice()

    def draw(self, rng: np.random.Generator, n: int, size: int) -> DrawnMasks:
        """The masks of n images, all taken from ``rng`` in a fixed order."""
        on, seeds = rng.random(n) < self.p, rng.integers(1 << 48, size=n)
        return DrawnMasks(on.tolist(), seeds.tolist(), self.choice, template(size))


def masked_sources(sources: Sequence[Source], config: TrainConfig) -> list[Source]:
    """A method's sources, with masks in front of their other changes where ``augment.mask`` of theirs is above 0.

    Raises:
        ConfigError: a style that does not exist, or landmarks of another shape.
        DataError: textures or a table of landmarks that cannot be used.
    """
    augment, size = {source.name: source.augment for source in config.all_sources()}, config.data.image_size
    return [_with_masks(source, augment[source.name], size) if source.name in augment else source for source in sources]


def _with_masks(source: Source, config: AugmentConfig, size: int) -> Source:
    choice = choice_of(config)
    if config.mask == 0:
        return source
    data = source.dataset
    if config.mask_landmarks:
        data = with_landmarks(data, config.mask_landmarks, size)
    known = data.extra.get(LANDMARKS)
    if known is not None and known.shape[1:] not in SHAPES:
        raise ConfigError(
            f"source {source.name}: the column {LANDMARKS} holds {known.shape[1:]} for an image; "
            "masks need 5 or 68 points, (5, 2) or (68, 2)"
        )
    masks = MaskTransform(config.mask, choice)
    others = [source.transform] if source.transform else []
    return dataclasses.replace(source, dataset=data, transform=chain([masks, *others]))


def choice_of(config: AugmentConfig) -> MaskChoice:
    """What the ``augment`` group of a configuration draws masks from."""
    textures = read_textures(config.mask_textures) if config.mask_textures else Textures()
    return MaskChoice(config.mask_styles, config.mask_nose_out, config.mask_chin, textures)
