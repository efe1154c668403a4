"""What a normalisation of scores changed, as text."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from fairface.report.fairness_numbers import interval_text, number_text
from fairface.report.fairness_sections import changes_section
from fairface.report.fairness_text import as_text
from fairface.report.section import Section
from fairface.scoring.fairness.difference import Change, Difference

_NAMED = {"fmr_gap": "FMR gap", "fmr_worst": "worst FMR", "fnmr_gap": "FNMR gap", "fnmr_worst": "worst FNMR"}


def normalisation_text(title: str, lines: Sequence[str], price: Sequence[str], changes: Mapping[str, Change]) -> str:
    """The verdict first, then the price, then every number; ``lines`` say what was fitted and judged."""
    sections = [Section(title, lines=[*lines, *_short(changes)]), Section("Its price", lines=list(price))]
    return as_text([*sections, *(changes_section(change, "raw scores") for change in changes.values())])


def _short(changes: Mapping[str, Change]) -> list[str]:
    return [
        f"{name} by {change.name}: {_told(change.scalars[key])}"
        for change in changes.values() for key, name in _NAMED.items() if key in change.scalars
    ]  # fmt: skip


def _told(found: Difference) -> str:
    if found.reason and math.isnan(found.value):
        return f"n/a: {found.reason}"
    ends = f"interval of the difference {interval_text(found.low, found.high)}"
    return f"{number_text(found.before)} to {number_text(found.after)}, {ends}: {found.verdict}"
