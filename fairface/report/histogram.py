"""How many images people have, as a picture."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fairface.errors import ConfigError
from fairface.files import atomic_write

_SUFFIXES = (".png", ".pdf", ".svg")
_BINS = 60


def plot_images_per_class(path: str | os.PathLike[str], counts: NDArray[np.int64], title: str) -> None:
    """Draw a histogram of ``counts (C,)``, the number of images of each class, into a .png, .pdf or .svg.

    Raises:
        ConfigError: matplotlib is not installed, or another kind of picture.
        DataError: the file cannot be written.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in _SUFFIXES:
        raise ConfigError(f"{path}: pictures are written as {', '.join(_SUFFIXES)}; choose a name that ends so")
    try:
        from matplotlib.figure import Figure  # here: only pictures need it, and it is not always installed
    except ImportError as error:
        raise ConfigError(f"{path}: drawing needs matplotlib; install it with: pip install matplotlib") from error
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.subplots()
    high = int(counts.max(initial=1))
    step = max(1, -(-high // _BINS))
    axes.hist(counts, bins=(np.arange(0, high + 2 * step, step) - step / 2).tolist(), color="tab:blue")
    axes.set(xlabel="images of a person", ylabel="people", title=title)
    axes.axvline(float(np.median(counts)) if len(counts) else 0.0, color="tab:red", label="median")
    axes.legend()
    with atomic_write(path) as file:
        figure.savefig(file, format=suffix[1:], dpi=120)
