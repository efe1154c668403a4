"""A model in int8 beside the original: which images it is calibrated and compared on, and what it costs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fairface.comparisons import Comparisons
from fairface.data.image_reader import ImageReader
from fairface.data.opening import open_dataset
from fairface.data.types import Dataset
from fairface.errors import DataError
from fairface.evaluation.precision_change import TarChange, cosines, tar_changes
from fairface.faces.align import adapted
from fairface.faces.layouts import ARCFACE
from fairface.protocols.verification_set import VerificationSet, open_verification_set
from fairface.quantity import quantity

Images = NDArray[np.uint8]
Embed = Callable[[Any], NDArray[np.float32]]
HELD_OUT = 64  # images on which cosines are measured, other than those of the calibration


@dataclass(frozen=True)
class Int8Cost:
    """What int8 changed.

    Attributes:
        images: on which the cosines were measured; none of them was calibrated on.
        mean, least: cosine of an image's embeddings in float32 and in int8.
        changes: of TAR, where a verification set was named.
    """

    images: int
    mean: float
    least: float
    changes: tuple[TarChange, ...] = ()

    @property
    def lines(self) -> tuple[str, ...]:
        """For people, a line each."""
        cosine = f"int8 against fp32 on {self.images} other images: cosine {self.mean:.4f}, at least {self.least:.4f}"
        return (cosine, *map(str, self.changes))

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "images": self.images, "cosine": self.mean, "least_cosine": self.least,
            "tar": [change.to_dict() for change in self.changes],
        }  # fmt: skip


@dataclass(frozen=True)
class Int8Data:
    """What int8 needs: images to calibrate on, and others to measure it on.

    Attributes:
        dataset: of aligned faces, as the model was trained on.
        count: images to calibrate on, spread evenly.
        verification: to measure TAR on; None: only cosines.
        protected: attributes that make groups.
        fmr: at which TAR is measured.
    """

    dataset: Dataset
    count: int
    verification: VerificationSet | None = None
    protected: tuple[str, ...] = ()
    fmr: float = 1e-3

    @classmethod
    def open(cls, path: str, count: int, test_set: str, protected: Sequence[str], fmr: float) -> Int8Data:
        """Open the data sets.

        Raises:
            DataError: one is not there or cannot be read, or the images are too few for the two parts.
        """
        dataset = open_dataset(path)
        if len(dataset) < count + HELD_OUT:
            raise DataError(
                f"{path}: has {quantity(len(dataset), 'image')}; {count} to calibrate on and {HELD_OUT} others to "
                "compare on are needed: name another folder, or fewer with --calibration-images"
            )
        verification = open_verification_set(test_set, wanted=protected) if test_set else None
        return cls(dataset, count, verification, tuple(protected), fmr)

    def images(self, size: int, layout: str = ARCFACE) -> tuple[Images, Images]:
        """The images to calibrate on and those to compare on, uint8 ``(N, size, size, 3)``.

        Args:
            size: H = W in pixels that the model takes.
            layout: of the faces that it takes; crops of ArcFace's are adapted to dlib's, as embedding does.

        Raises:
            DataError: one cannot be decoded, or has another size.
        """
        places = np.linspace(0, len(self.dataset) - 1, self.count + HELD_OUT).astype(np.int64)
        read = ImageReader(self.dataset, size, adapt=lambda image: adapted(image, size, layout)).read
        pixels = np.stack([read(int(place)) for place in places])
        held = np.zeros(len(places), bool)
        held[np.linspace(0, len(places) - 1, HELD_OUT).astype(np.int64)] = True
        return pixels[~held], pixels[held]

    def cost(self, held_out: Images, before: Embed, after: Embed) -> Int8Cost:
        """What ``after`` changes against ``before``."""
        alike = cosines(before(held_out), after(held_out))
        changes: list[TarChange] = []
        if self.verification:
            comparisons: Comparisons = self.verification.comparisons
            images = self.verification.images
            changes = tar_changes(comparisons, before(images), after(images), self.fmr, self.protected)
        return Int8Cost(len(held_out), float(alike.mean()), float(alike.min()), tuple(changes))
