"""ROC and DET curves as a picture."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fairface.report.picture import new_figure, save_figure
from fairface.scoring.roc import Roc

_EMPTY = (1e-3, 1.0)


def plot_curves(path: str | os.PathLike[str], curves: Mapping[str, Roc]) -> None:
    """Draw the ROC (TAR over FMR, FMR logarithmic) and the DET (FNMR over FMR, both logarithmic), one line for each
    entry of ``curves``, into the picture ``path`` (.png, .pdf or .svg). An FMR or FNMR of zero is not on such axes.

    Raises:
        ConfigError: matplotlib is not installed, or another kind of picture.
        DataError: the file cannot be written.
    """
    figure = new_figure(path, 11, 5)
    roc_axes, det_axes = figure.subplots(1, 2)
    empty = True
    for name, roc in curves.items():
        fmr, tar, fnmr = roc.fmr, roc.tar, roc.fnmr
        _line(roc_axes, fmr, tar, fmr > 0, name)
        shown = (fmr > 0) & (fnmr > 0)
        _line(det_axes, fmr, fnmr, shown, name)
        empty = empty and not shown.any()
    roc_axes.set(xscale="log", xlabel="FMR", ylabel="TAR", title="ROC", ylim=(0, 1.02))
    det_axes.set(xscale="log", yscale="log", xlabel="FMR", ylabel="FNMR", title="DET")
    if empty:  # matplotlib finds no limits for a logarithmic axis without a point
        det_axes.set(xlim=_EMPTY, ylim=_EMPTY)
    for axes in (roc_axes, det_axes):
        axes.grid(True, which="both", alpha=0.3)
        axes.legend()
    save_figure(path, figure)


def _line(axes: Any, x: NDArray[np.float64], y: NDArray[np.float64], shown: NDArray[np.bool_], name: str) -> None:
    axes.plot(x[shown], y[shown], label=name, drawstyle="steps-post")
