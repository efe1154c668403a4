"""What a page is made of: panels with a figure, tables and sentences."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fairface.report.page.markup import Markup


@dataclass(frozen=True)
class Drawing:
    """A figure that can be drawn as often as it is needed: for the page, as PDF, as PNG.

    Attributes:
        draw: puts it into an empty matplotlib figure.
        width, height: inches.
        told: what it shows, for those who cannot see it.
        margins: left, bottom, right and top around the axes, and the width and height between them, in inches;
            ``None``: matplotlib finds them, which takes as long as drawing the figure once more.
    """

    draw: Callable[[Any], None]
    width: float
    height: float
    told: str
    margins: tuple[float, float, float, float, float, float] | None = None


@dataclass(frozen=True)
class Table:
    """Rows of text under a header; the first cell of a row names it."""

    caption: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Panel:
    """One part of a page.

    Attributes:
        key: what its files are called, and where links go (:func:`key_of`).
        title: its heading.
        lines: sentences above the figure.
        drawing: the figure.
        tables: the numbers; those of a figure are folded away below it.
        live: what stands instead of the first table on the page: the same numbers, which a script moves.
    """

    key: str
    title: str
    lines: tuple[str, ...] = ()
    drawing: Drawing | None = None
    tables: tuple[Table, ...] = ()
    live: Markup | None = None


def key_of(*parts: str | int) -> str:
    """A name of files and links from any text: small letters, digits and hyphens only."""
    return re.sub(r"[^a-z0-9]+", "-", "-".join(map(str, parts)).lower()).strip("-")


@dataclass(frozen=True)
class Page:
    """All of one report.

    Attributes:
        title: of the document.
        verdict: the few sentences that someone in a hurry reads.
        warnings: why no number here means anything; empty where they do.
        panels: in the order they are shown.
        notes: other remarks, shown below the verdict.
        controls: what moves the numbers, and
        data: what the script of the page reads, as plain values; both ``None`` without a slider.
    """

    title: str
    verdict: tuple[str, ...]
    panels: tuple[Panel, ...]
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    controls: Markup | None = None
    data: dict[str, Any] | None = None
