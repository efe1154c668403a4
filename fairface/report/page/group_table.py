"""The table of groups whose numbers follow a threshold, and the slider that moves it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from fairface.report.fairness_numbers import number_text
from fairface.report.page.markup import Markup, element, table, void
from fairface.report.page.numbers import count_text, sweep_text
from fairface.report.page.panel import Panel, Table
from fairface.scoring.fairness.threshold_table import ThresholdTable

PEOPLE = 10_000
_HEADER = ("mated", "non-mated", "FMR", "FNMR")


def group_panel(
    of: ThresholdTable,
    first_row: int,
    key: str,
    title: str,
    noun: str = "group",
    people: Mapping[str, str] | None = None,
) -> Panel:
    """Rates of each group at the operating threshold, and expected false matches among :data:`PEOPLE` people.

    Args:
        first_row: where the rows of this table begin in :func:`slider_data`.
        key, title: of the panel.
        noun: what the rows are.
        people: how many people each row is about, as text; ``None``: there is no such column.
    """
    at = of.operating
    rows = tuple(
        (group, *(() if people is None else (people[group],)), str(fnmr.comparisons), str(fmr.comparisons),
         sweep_text(fmr, at), sweep_text(fnmr, at), sweep_text(fmr, at, count_text, PEOPLE))
        for group, fmr, fnmr in zip(of.groups, of.fmr, of.fnmr, strict=True)
    )  # fmt: skip
    caption = f"{title}; [low, high]: {of.level:.0%} confidence intervals over subjects"
    header = _HEADER if people is None else ("people", *_HEADER)
    numbers = Table(caption, (noun, *header, f"expected false matches among {PEOPLE:,} people"), rows)
    line = (
        "FMR: share of comparisons of two people that match. FNMR: share of comparisons of one person that do not. "
        f"Expected false matches: one photograph is searched among that many other people of its {noun}."
    )
    return Panel(key, title, (line,), tables=(numbers,), live=_live(numbers, first_row))


def _live(numbers: Table, first_row: int) -> Markup:
    shown = ("fmr", "fnmr", "expected")
    rows = [
        [*row[:-3], *(element("td", text, data_row=str(first_row + place), data_shows=name)
                      for text, name in zip(row[-3:], shown, strict=True))]
        for place, row in enumerate(numbers.rows)
    ]  # fmt: skip
    people = element("span", f"{PEOPLE:,}", data_people=True)
    last = Markup(f"expected false matches among {people} people")
    return table([*numbers.header[:-1], last], rows, numbers.caption)


def controls(of: ThresholdTable) -> Markup:
    """The slider and the number of people; hidden where no script runs."""
    slider = void(
        "input", type="range", id="slider-threshold", min="0", max=str(len(of.thresholds) - 1), step="1",
        value=str(of.operating), aria_controls="slider-told",
    )  # fmt: skip
    people = void("input", type="number", id="slider-people", min="1", step="1", value=str(PEOPLE), inputmode="numeric")
    return element(
        "div",
        element("label", "Threshold ", slider, for_="slider-threshold"),
        element("label", "People searched ", people, for_="slider-people"),
        element("output", f"threshold {number_text(float(of.thresholds[of.operating]))}", id="slider-told",
                aria_live="polite", for_="slider-threshold slider-people"),
        element("button", "Back to the evaluated threshold", type="button", id="slider-back"),
        class_="controls", id="slider", hidden=True,
    )  # fmt: skip


def slider_data(tables: Iterable[ThresholdTable]) -> dict[str, Any]:
    """What the script reads: the thresholds, and counts and interval ends of each row of the tables, in their order.

    The first row must be that of all comparisons; the tables share their thresholds.
    """
    tables = list(tables)
    first = tables[0]
    rows = [
        {"group": group, "by": of.name, "fmr": fmr.to_dict(), "fnmr": fnmr.to_dict()}
        for of in tables
        for group, fmr, fnmr in zip(of.groups, of.fmr, of.fnmr, strict=True)
    ]
    return {
        "thresholds": first.thresholds.tolist(), "operating": first.operating, "people": PEOPLE, "level": first.level,
        "rows": rows,
    }  # fmt: skip
