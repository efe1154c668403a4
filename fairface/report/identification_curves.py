"""CMC and DET of identification as a picture."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from fairface.report.page.palette import plain_label, style_of
from fairface.report.picture import new_figure, save_figure
from fairface.scoring.identification import IdentificationResult

_RANKS = 50
_LEAST = 0.01  # the axes of the DET go down to it at least


def plot_identification(path: str | os.PathLike[str], results: Mapping[str, IdentificationResult]) -> None:
    """Draw the CMC (share of mated searches over the rank, to rank 50) and the DET (FNIR over FPIR, both logarithmic),
    one line for each entry of ``results``, into the picture ``path`` (.png, .pdf or .svg). Rates of zero are not on
    such axes; a set without non-mated searches has no DET.

    Raises:
        ConfigError: matplotlib is not installed, or another kind of picture.
        DataError: the file cannot be written.
    """
    figure = new_figure(path, 11, 5)
    draw_identification(figure, results)
    save_figure(path, figure)


def draw_identification(figure: Any, results: Mapping[str, IdentificationResult]) -> None:
    """Put the CMC and the DET into an empty ``figure``."""
    cmc_axes, det_axes = figure.subplots(1, 2)
    lowest = 1.0
    for place, (name, result) in enumerate(results.items()):
        style, label = style_of(place), plain_label(name)
        cmc_axes.plot(np.arange(1, len(result.cmc) + 1)[:_RANKS], result.cmc[:_RANKS], label=label, marker=".", **style)
        if result.det is not None:
            shown = (result.det.fpir > 0) & (result.det.fnir > 0)
            fpir, fnir = result.det.fpir[shown], result.det.fnir[shown]
            det_axes.plot(fpir, fnir, label=label, drawstyle="steps-post", **style)
            lowest = min([lowest, *fpir.tolist(), *fnir.tolist()])
    cmc_axes.set(xlabel="rank", ylabel="share of mated searches", title="CMC", ylim=(0, 1.02))
    # With limits, since matplotlib cannot find any for a logarithmic axis without a point.
    limits = (min(lowest, _LEAST) / 2, 1.0)
    det_axes.set(xscale="log", yscale="log", xlabel="FPIR", ylabel="FNIR", title="DET", xlim=limits, ylim=limits)
    for axes in (cmc_axes, det_axes):
        axes.grid(True, which="both", alpha=0.3)
        if axes.lines:
            axes.legend()
