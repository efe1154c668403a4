"""Colours, lines and markers that tell groups apart, for the colour-blind as well and in print.

The colours are those of Okabe and Ito (2008), without yellow, which is too pale for a line on white.
"""

from __future__ import annotations

from typing import Any

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
LINES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)))
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
MATED, NON_MATED = COLOURS[0], COLOURS[1]


def style_of(place: int) -> dict[str, Any]:
    """How the group at this place is drawn. Any two of the first 35 differ in colour or line; neighbours in both."""
    return {"color": COLOURS[place % len(COLOURS)], "linestyle": LINES[place % len(LINES)]}


def plain_label(text: str) -> str:
    """Text that matplotlib takes as it is: no mathematics, and never hidden for a leading underscore."""
    return ("\u200b" + text if text.startswith("_") else text).replace("$", "\\$")


def marker_of(place: int) -> str:
    """Its marker."""
    return MARKERS[place % len(MARKERS)]
