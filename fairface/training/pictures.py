"""Once an epoch, a picture of what a method makes of a few images: ``<name>/epoch_0001.png`` in the run's folder."""

from __future__ import annotations

import math
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fairface.data.image_reader import ImageReader
from fairface.data.types import Dataset
from fairface.errors import DataError
from fairface.methods.base import Method
from fairface.mx import Context
from fairface.parallel import to_input
from fairface.report.sheet import contact_sheet, save_png
from fairface.training.setup import Prepared

IMAGES = 12


class Pictures:
    """Draws the method's pictures of the first images of a data set.

    Args:
        method: whose pictures they are.
        images: uint8 (n, H, W, 3) RGB.
        context: where the net runs.
        folder: of the run.
        steps_per_epoch: may be broken; the last step of the run ends an epoch, too.
        total: steps of the run.
    """

    def __init__(
        self, method: Method, images: NDArray[np.uint8], context: Context, folder: Path, steps_per_epoch: float,
        total: int,
    ) -> None:  # fmt: skip
        self.method = method
        self.images = images
        self.context = context
        self.folder = folder
        self.steps_per_epoch = steps_per_epoch
        self.total = total

    def after_step(self, step: int) -> None:
        """Draw when an epoch ends with ``step`` steps.

        Raises:
            DataError: a picture cannot be written.
        """
        epoch = step / self.steps_per_epoch
        if math.floor(epoch) == math.floor((step - 1) / self.steps_per_epoch) and step != self.total:
            return
        inputs = to_input(self.images, self.context)
        for name, draw in self.method.pictures.items():
            sheet = contact_sheet(np.concatenate([self.images, draw(inputs)]), columns=len(self.images))
            (self.folder / name).mkdir(exist_ok=True)
            save_png(self.folder / name / f"epoch_{math.ceil(epoch):04d}.png", sheet)


def pictures_of(run: Prepared) -> Pictures | None:
    """The run's pictures, of the first verification set's images, else of training images; None where the method has
    none, they are not wanted, or no image can be read."""
    if not run.method.pictures or not run.config.log.pictures:
        return None
    size, sources = run.config.data.image_size, run.method.sources()
    if run.verification:
        images = some_images(run.verification[0].images, size, resize=False)
    else:
        images = some_images(sources[0].unaugmented(size), size, sources[0].resize)
    epoch = max(source.sampler.steps_per_epoch for source in sources)
    return Pictures(run.method, images, run.world.contexts[0], run.folder, epoch, run.total) if len(images) else None


def some_images(dataset: Dataset, size: int, resize: bool) -> NDArray[np.uint8]:
    """Up to ``IMAGES`` images, spread evenly over the data set, (n, size, size, 3) RGB; those that cannot be read are
    left out: training or verification tells of them."""
    reader = ImageReader(dataset, size, resize)
    found = []
    for place in np.unique(np.linspace(0, len(dataset) - 1, IMAGES).astype(int)).tolist():
        with suppress(DataError):
            found.append(reader.read(place))
    return np.array(found, np.uint8)
