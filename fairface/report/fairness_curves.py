"""ROC and DET of each group as a picture, with bands over subjects."""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np

from fairface.report.picture import new_figure, save_figure
from fairface.scoring.fairness.curves import GroupCurve


def plot_group_curves(path: str | os.PathLike[str], curves: Sequence[GroupCurve], title: str = "") -> None:
    """Draw TAR over FMR and FNMR over FMR of each group; the shaded bands are the intervals of TAR.

    Groups without a curve are named in the legend with the reason.

    Raises:
        ConfigError: matplotlib is not installed, or another kind of picture.
        DataError: the file cannot be written.
    """
    figure = new_figure(path, 11, 5)
    roc_axes, det_axes = figure.subplots(1, 2)
    for number, curve in enumerate(curves):
        colour = f"C{number % 10}"
        if curve.roc is None:
            roc_axes.plot([], [], color=colour, label=f"{curve.group}: {curve.reason}")
            continue
        fmr, tar, fnmr = curve.roc.fmr, curve.roc.tar, curve.roc.fnmr
        shown, both = fmr > 0, (fmr > 0) & (fnmr > 0)
        roc_axes.plot(fmr[shown], tar[shown], drawstyle="steps-post", color=colour, label=curve.group)
        det_axes.plot(fmr[both], fnmr[both], drawstyle="steps-post", color=colour, label=curve.group)
        band = np.isfinite(curve.low)
        roc_axes.fill_between(curve.fmr[band], curve.low[band], curve.high[band], color=colour, alpha=0.2)
        floor = 1e-6  # an FNMR of zero is not on a logarithmic axis
        low, high = np.maximum(1 - curve.high[band], floor), np.maximum(1 - curve.low[band], floor)
        det_axes.fill_between(curve.fmr[band], low, high, color=colour, alpha=0.2)
    roc_axes.set(xscale="log", xlabel="FMR of the group", ylabel="TAR", title="ROC", ylim=(0, 1.02))
    det_axes.set(xscale="log", yscale="log", xlabel="FMR of the group", ylabel="FNMR", title="DET", ylim=(1e-3, 1))
    figure.suptitle(title)
    for axes in (roc_axes, det_axes):
        axes.grid(True, which="both", alpha=0.3)
        axes.legend()
    save_figure(path, figure)
