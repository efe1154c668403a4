"""The measures of a fairness score as tables, under the headings of ISO/IEC 19795-10."""

from __future__ import annotations

import math

from fairface.report.fairness_numbers import MISSING, interval_text, number_text
from fairface.report.section import Section
from fairface.scoring.fairness.result import GroupingResult
from fairface.scoring.fairness.scalars import Scalar
from fairface.scoring.fairness.threshold import SharedThreshold

NULL = "median, 95th percentile under permutation"
_SIZES = "n (subjects, genuine, impostor)"
_HEADER = ("measure", "value", "interval", "best", NULL, "p-value", "alpha", _SIZES, "note")
_OF_ONE = {"fnmr_": "False-negative differential performance", "fmr_": "False-positive differential performance"}
_OF_BOTH = "Aggregate equitability measures"


def measure_sections(grouping: GroupingResult, threshold: SharedThreshold) -> list[Section]:
    """A table for each type of error, and one of the measures that are made of both."""
    parts: dict[str, dict[str, Scalar]] = {title: {} for title in (*_OF_ONE.values(), _OF_BOTH)}
    for name, scalar in grouping.scalars.items():
        title = next((title for start, title in _OF_ONE.items() if name.startswith(start)), _OF_BOTH)
        parts[title][name] = scalar
    sentence = f"all at threshold {threshold.value:.6g} ({threshold.how})"
    return [_section(f"{title} by {grouping.name}", scalars, grouping, sentence) for title, scalars in parts.items()]


def _section(title: str, scalars: dict[str, Scalar], grouping: GroupingResult, sentence: str) -> Section:
    rows = []
    by_reason: dict[tuple[str, str], list[str]] = {}
    for name, scalar in scalars.items():
        what = MISSING if math.isnan(scalar.value) else f"interval {MISSING}"
        by_reason.setdefault((what, scalar.reason), []).append(name)
        if math.isnan(scalar.value) and scalar.reason:
            continue  # told below, with the reason
        sizes = grouping.sample_sizes(scalar)
        counts = f"{sizes['subjects']}, {sizes['genuine']}, {sizes['impostor']}"
        rows.append([name, *scalar_cells(scalar), counts, scalar.note])
    lines = [f"{', '.join(names)} {what}: {reason}" for (what, reason), names in by_reason.items() if reason]
    return Section(title, _HEADER if rows else (), rows, [sentence, *lines])


def scalar_cells(scalar: Scalar) -> list[str]:
    """Value, interval, best value, null distribution, p-value and alpha."""
    null = f"{scalar.null_median:.4g}, {scalar.null_extreme:.4g}" if scalar.null_rounds else MISSING
    p_value = f"{scalar.p_value:.3f}" if scalar.null_rounds and not math.isnan(scalar.p_value) else MISSING
    alpha = "" if scalar.alpha is None else f"{scalar.alpha:g}"
    return [number_text(scalar.value), interval_text(scalar.low, scalar.high), f"{scalar.best:g}", null, p_value, alpha]
