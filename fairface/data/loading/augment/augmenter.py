"""All changes of a batch, drawn together and applied image by image."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from fairface.config.schema import AugmentConfig
from fairface.data.loading.augment.color import draw_color, draw_photometric
from fairface.data.loading.augment.geometry import Crop, Cutoff, Shift
from fairface.data.loading.augment.quality import Jpeg, LowRes
from fairface.errors import ConfigError

Image = NDArray[np.uint8]
_JPEG_QUALITIES = (1, 100)
_LIMITS = {
    "color_strength": 1.0, "shift_scale": 0.9, "shift_degrees": 180.0, "shift_pixels": 1e4, "cutoff_size": 1e4,
}  # fmt: skip


class Change(Protocol):
    """One kind of change for a whole batch: ``on (n,)`` tells which rows it touches."""

    @property
    def on(self) -> NDArray[np.bool_]: ...

    def apply(self, image: Image, i: int) -> Image: ...


_Draw = Callable[[np.random.Generator, AugmentConfig, int, int], Change]
# In the order in which they are applied: geometry, then what a camera does, then what a file does, then the cutoff.
_KINDS: dict[str, _Draw] = {
    "shift": Shift.draw,
    "crop": Crop.draw,
    "low_res": LowRes.draw,
    "color": draw_color,
    "photometric": draw_photometric,
    "jpeg": Jpeg.draw,
    "cutoff": Cutoff.draw,
}


@dataclass(frozen=True)
class Draws:
    """What happens to each of a batch's n images; ``apply`` may be called from several threads."""

    mirror: list[bool]
    changed: list[bool]
    changes: tuple[Change, ...]

    @classmethod
    def none(cls, n: int) -> Draws:
        """Nothing happens to any of n images."""
        return cls([False] * n, [False] * n, ())

    def apply(self, image: Image, i: int, out: Image) -> None:
        """Write row i's version of ``image (H, W, 3)`` into ``out``, without another copy when it is only mirrored.

        ``image`` is left as it is.
        """
        if self.mirror[i]:
            cv2.flip(image, 1, out)
        else:
            out[:] = image
        if not self.changed[i]:
            return
        result = out
        for change in self.changes:
            if change.on[i]:
                result = change.apply(result, i)
        if result is not out:
            out[:] = result


class Augmenter:
    """Draws the changes that an :class:`AugmentConfig` asks for.

    Raises:
        ConfigError: a probability outside 0..1, a JPEG quality outside 1..100, or a size that makes no sense.
    """

    def __init__(self, config: AugmentConfig) -> None:
        for name in ("mirror", *_KINDS):
            _check_range(config, name, 1.0)
        for name, highest in _LIMITS.items():
            _check_range(config, name, highest)
        low, high = config.jpeg_quality
        if not _JPEG_QUALITIES[0] <= low <= high <= _JPEG_QUALITIES[1]:
            raise ConfigError(f"augment.jpeg_quality: {low}, {high}; choose two qualities from 1 to 100, lowest first")
        self.config = config
        self._kinds = tuple(draw for name, draw in _KINDS.items() if getattr(config, name) > 0)

    def draw(self, rng: np.random.Generator, n: int, size: int) -> Draws:
        """The changes of n images of ``size x size`` pixels, all taken from ``rng`` in a fixed order."""
        mirror = rng.random(n) < self.config.mirror
        changes = tuple(draw(rng, self.config, n, size) for draw in self._kinds)
        changed = np.any([change.on for change in changes], axis=0) if changes else np.zeros(n, bool)
        return Draws(mirror.tolist(), changed.tolist(), changes)


def _check_range(config: AugmentConfig, name: str, highest: float) -> None:
    value = getattr(config, name)
    if not 0 <= value <= highest:
        raise ConfigError(f"augment.{name}: {value} is out of range; choose 0 to {highest:g}")
