"""ROC and DET of all comparisons and of each group, with bands."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from fairface.report.fairness_numbers import MISSING, number_text
from fairface.report.page.palette import plain_label, style_of
from fairface.report.page.panel import Drawing, Panel, Table
from fairface.scoring.fairness.threshold_table import RateSweep, ThresholdTable

_TICKS = (1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.05, 0.2, 0.5, 0.8, 0.95)
_TARGETS = (0.1, 0.01, 0.001, 0.0001)
_MARGIN = 1.5
_BAND, _FAINT_BAND, _FEW = 0.15, 0.07, 4  # above so many groups, bands that lie on each other must stay readable
_MARGINS = (0.6, 0.5, 0.15, 0.35, 0.75, 0.0)


def curve_panel(of: ThresholdTable, key: str, title: str, shared: bool = True) -> Panel:
    """FNMR over FMR of each group at the thresholds of the table. A band is the interval of FNMR at each threshold.

    Without ``shared`` the scores are on scales of their own, and the threshold in use is not marked.
    """
    at = of.operating if shared else None

    def draw(figure: Any) -> None:
        roc, det = figure.subplots(1, 2)
        for place, (group, fmr, fnmr) in enumerate(zip(of.groups, of.fmr, of.fnmr, strict=True)):
            if fmr.comparisons == 0 or fnmr.comparisons == 0:
                roc.plot([], [], label=plain_label(f"{group}: one kind of comparison only"), **style_of(place))
                continue
            shade = _BAND if len(of.groups) <= _FEW else _FAINT_BAND
            _draw_roc(roc, group, fmr, fnmr, place, at, shade)
            _draw_det(det, fmr, fnmr, place, at, shade)
        roc.set(xscale="log", xlabel="FMR", ylabel="TAR (1 - FNMR)", title="ROC", ylim=(-0.02, 1.02))
        if of.groups:
            roc.legend(fontsize="small")
        det.set(xlabel="FMR (normal deviate)", ylabel="FNMR (normal deviate)", title="DET")
        _probit_axes(det, of)
        for axes in (roc, det):
            axes.minorticks_off()
            axes.grid(True, alpha=0.3)

    thresholds = "thresholds that all share; the dot is the evaluated threshold" if shared else "each threshold"
    lines = (
        f"FMR and FNMR of each are its own, at {thresholds}. Shaded: {of.level:.0%} confidence interval of FNMR over "
        "subjects. In the DET, scores that are distributed normally lie on a straight line.",
    )
    told = f"ROC and DET curves of {', '.join(of.groups) or 'no group'}; the table gives TAR at fixed FMR"
    return Panel(key, title, lines, Drawing(draw, 10, 4.8, told, _MARGINS), (_table(of),))


def _draw_roc(axes: Any, group: str, fmr: RateSweep, fnmr: RateSweep, place: int, at: int | None, shade: float) -> None:
    x, shown, style = fmr.value, fmr.errors > 0, style_of(place)
    axes.plot(x[shown], 1 - fnmr.value[shown], label=plain_label(group), linewidth=1.4, **style)
    band = shown & np.isfinite(fnmr.low)
    axes.fill_between(x[band], 1 - fnmr.high[band], 1 - fnmr.low[band], color=style["color"], alpha=shade, linewidth=0)
    if at is not None and shown[at]:
        axes.plot(x[at], 1 - fnmr.value[at], "o", color=style["color"], markersize=5)


def _draw_det(axes: Any, fmr: RateSweep, fnmr: RateSweep, place: int, at: int | None, shade: float) -> None:
    x, y, style = fmr.value, fnmr.value, style_of(place)
    shown = (x > 0) & (x < 1) & (y > 0) & (y < 1)
    axes.plot(norm.ppf(x[shown]), norm.ppf(y[shown]), linewidth=1.4, **style)
    band = shown & (fnmr.low > 0) & (fnmr.high < 1)
    axes.fill_between(
        norm.ppf(x[band]), norm.ppf(fnmr.low[band]), norm.ppf(fnmr.high[band]), color=style["color"], alpha=shade,
        linewidth=0,
    )  # fmt: skip
    if at is not None and shown[at]:
        axes.plot(norm.ppf(x[at]), norm.ppf(y[at]), "o", color=style["color"], markersize=5)


def _probit_axes(axes: Any, of: ThresholdTable) -> None:
    """Ticks at round rates; both axes end near the smallest rate above zero that any group shows."""
    for axis, sweeps, limits in ((axes.xaxis, of.fmr, axes.set_xlim), (axes.yaxis, of.fnmr, axes.set_ylim)):
        axis.set_ticks(norm.ppf(_TICKS).tolist(), [f"{tick:g}" for tick in _TICKS])
        least = min((1 / sweep.comparisons for sweep in sweeps if sweep.comparisons), default=1e-3)
        limits(float(norm.ppf(min(least / _MARGIN, 0.4))), float(norm.ppf(0.6)))


def _table(of: ThresholdTable) -> Table:
    rows = tuple(
        (group, *(_tar(fmr, fnmr, target) for target in _TARGETS))
        for group, fmr, fnmr in zip(of.groups, of.fmr, of.fnmr, strict=True)
    )
    header = ("group", *(f"TAR at FMR {target:g}" for target in _TARGETS))
    return Table("TAR at the thresholds of the curve where the group's own FMR is at most the given one", header, rows)


def _tar(fmr: RateSweep, fnmr: RateSweep, target: float) -> str:
    """The largest TAR on the curve whose FMR keeps the target; n/a below one false match in all comparisons."""
    if fnmr.comparisons == 0 or fmr.comparisons * target < 1 - 1e-9:
        return MISSING
    kept: NDArray[np.bool_] = fmr.value <= target
    return number_text(1 - float(fnmr.value[kept].min())) if kept.any() else MISSING
