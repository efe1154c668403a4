"""How many images identities have, as a picture."""

from __future__ import annotations

import os

import numpy as np
from numpy.typing import NDArray

from fairface.report.picture import new_figure, save_figure

_BINS = 60


def plot_images_per_class(path: str | os.PathLike[str], counts: NDArray[np.int64], title: str) -> None:
    """Draw a histogram of ``counts (C,)``, the number of images of each class, into a .png, .pdf or .svg.

    Raises:
        ConfigError: matplotlib is not installed, or another kind of picture.
        DataError: the file cannot be written.
    """
    figure = new_figure(path, 8, 4.5)
    axes = figure.subplots()
    high = int(counts.max(initial=1))
    step = max(1, -(-high // _BINS))
    axes.hist(counts, bins=(np.arange(0, high + 2 * step, step) - step / 2).tolist(), color="tab:blue")
    axes.set(xlabel="images of an identity", ylabel="identities", title=title)
    axes.axvline(float(np.median(counts)) if len(counts) else 0.0, color="tab:red", label="median")
    axes.legend()
    save_figure(path, figure, dpi=120)
