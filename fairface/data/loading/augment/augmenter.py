"""All changes of a batch, drawn together and applied image by image."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from fairface.config.check import check_augment
from fairface.config.schema import AugmentConfig
from fairface.data.loading.augment.color import SwapColors, draw_color, draw_photometric
from fairface.data.loading.augment.geometry import Crop, Cutoff, Shift
from fairface.data.loading.augment.quality import Jpeg, LowRes

Image = NDArray[np.uint8]


class Change(Protocol):
    """One kind of change for a whole batch: ``on (n,)`` tells which rows it touches."""

    @property
    def on(self) -> NDArray[np.bool_]: ...

    def apply(self, image: Image, i: int) -> Image: ...


_Draw = Callable[[np.random.Generator, AugmentConfig, int, int], Change]
# In the order in which they are applied: colours put right, geometry, what a camera does, what a file does, the cutoff.
_KINDS: dict[str, _Draw] = {
    "swap_colors": SwapColors.draw,
    "shift": Shift.draw,
    "crop": Crop.draw,
    "low_res": LowRes.draw,
    "color": draw_color,
    "photometric": draw_photometric,
    "jpeg": Jpeg.draw,
    "cutoff": Cutoff.draw,
}


@dataclass(frozen=True)
class BatchAugmentation:
    """What happens to each of a batch's n images; ``apply`` may be called from several threads."""

    mirror: list[bool]
    changed: list[bool]
    changes: tuple[Change, ...]

    def apply(self, image: Image, row: int, out: Image, extra: Mapping[str, NDArray[np.float32]]) -> None:
        """Write the row's version of ``image (H, W, 3)`` into ``out``, without another copy when it is only mirrored.

        ``image`` is left as it is, and so are the extra columns: landmarks are those of the image before.
        """
        if self.mirror[row]:
            cv2.flip(image, 1, out)
        else:
            out[:] = image
        if not self.changed[row]:
            return
        result = out
        for change in self.changes:
            if change.on[row]:
                result = change.apply(result, row)
        if result is not out:
            out[:] = result


class Augmenter:
    """The transform that an :class:`AugmentConfig` asks for; writes no columns.

    Raises:
        ConfigError: a value that is not allowed.
    """

    writes: Mapping[str, tuple[int, ...]] = MappingProxyType({})

    def __init__(self, config: AugmentConfig) -> None:
        check_augment(config)
        self.config = config
        self._kinds = tuple(draw for name, draw in _KINDS.items() if getattr(config, name) > 0)

    def draw(self, rng: np.random.Generator, n: int, size: int) -> BatchAugmentation:
        """The changes of n images of ``size x size`` pixels, all taken from ``rng`` in a fixed order."""
        mirror = rng.random(n) < self.config.mirror
        changes = tuple(draw(rng, self.config, n, size) for draw in self._kinds)
        changed = np.any([change.on for change in changes], axis=0) if changes else np.zeros(n, bool)
        return BatchAugmentation(mirror.tolist(), changed.tolist(), changes)
