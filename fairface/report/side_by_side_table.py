"""Unmasked and masked faces side by side, as a table for people."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol

from fairface.cli import table
from fairface.quantity import quantity
from fairface.scoring.measure import Interval

MISSING = "n/a"
HEADER = ("measure", "unmasked", "masked", "difference")
_TITLES = {"auc": "AUC", "eer": "EER"}


class MeasuredTwice(Protocol):
    """One measure of both sets."""

    @property
    def key(self) -> str: ...
    @property
    def unmasked(self) -> float: ...
    @property
    def masked(self) -> float: ...
    @property
    def difference(self) -> float: ...
    @property
    def interval(self) -> Interval | None: ...


def side_by_side_table(names: Sequence[str], rows: Sequence[MeasuredTwice], drawn: str) -> str:
    """:func:`side_by_side_rows` as text."""
    cells, notes = side_by_side_rows(names, rows, drawn)
    return "\n".join([table(cells, HEADER), *notes])


def side_by_side_rows(
    names: Sequence[str], rows: Sequence[MeasuredTwice], drawn: str
) -> tuple[list[list[str]], list[str]]:
    """A row for each measure under :data:`HEADER`, and notes: what the sets are called and what the intervals draw
    (``drawn``, or "")."""
    cells = [
        [_title(row.key), _number(row.unmasked), _number(row.masked), _signed(row.difference, row.interval)]
        for row in rows
    ]
    notes = [f"unmasked: {names[0]}; masked: {names[1]}; TAR at the threshold of each set"]
    shown = {(of.level, of.rounds) for of in (row.interval for row in rows) if of is not None}
    notes += [
        f"[low, high]: {level:.0%} confidence intervals of the difference, "
        + (
            f"{quantity(rounds, 'bootstrap resample')} of {drawn}"
            if rounds
            else "of the accuracy by Student's t over folds"
        )
        for level, rounds in sorted(shown, reverse=True)
    ]
    return cells, notes


def _title(key: str) -> str:
    return _TITLES.get(key, key.replace("tar@", "TAR at FMR "))


def _number(value: float) -> str:
    return MISSING if math.isnan(value) else f"{value:.4f}"


def _signed(value: float, interval: Interval | None) -> str:
    if math.isnan(value):
        return MISSING
    return f"{value:+.4f}" + (f" [{interval.low:+.4f}, {interval.high:+.4f}]" if interval else "")
