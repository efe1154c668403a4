"""Figures of matplotlib as SVG that stands inside a page with a strict content security policy.

Such a page allows no ``style`` attribute, so each property becomes an attribute of its own. Text stays text: it is
smaller, can be searched and is drawn in the reader's font. Names inside the figure begin with the figure's own, since
all figures of a page share one space of names. The same figure gives the same bytes.
"""

from __future__ import annotations

import io
import re
from html import escape
from typing import Any
from xml.etree import ElementTree

from fairface.errors import MissingPackageError
from fairface.extras import remedy
from fairface.report.page.markup import Markup
from fairface.report.page.panel import Drawing

_SETTINGS = {"svg.fonttype": "none", "svg.hashsalt": "fairface", "font.size": 9.0}
_PIXELS_PER_POINT = 96 / 72
_DROPPED = {"metadata", "style"}
_FONT = re.compile(r"(?P<before>.*?)(?P<size>[\d.]+)px\s+(?P<family>.+)")
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0, 2.2 "Char"
_REFERENCE = re.compile(r"#([^)\"\s]+)")


def check_drawing(what: str) -> None:
    """Refuse to begin where figures could not be drawn.

    Raises:
        MissingPackageError: matplotlib is not installed; ``what`` is the file that needs it.
    """
    try:
        import matplotlib.figure  # noqa: F401
    except ImportError as error:
        raise MissingPackageError(f"{what}: drawing needs matplotlib; {remedy('matplotlib')}") from error


def figure_of(drawing: Drawing) -> Any:
    """The drawing as a matplotlib figure."""
    from matplotlib.figure import Figure

    layout = "constrained" if drawing.margins is None else None
    figure = Figure(figsize=(drawing.width, drawing.height), layout=layout)  # type: ignore[arg-type]
    drawing.draw(figure)
    if drawing.margins is not None:
        _set_margins(figure, drawing)
    return figure


def _set_margins(figure: Any, drawing: Drawing) -> None:
    assert drawing.margins is not None
    left, bottom, right, top, across, down = drawing.margins
    grid = figure.axes[0].get_gridspec()
    # matplotlib takes the space between axes as a share of their mean width and height.
    width = (drawing.width - left - right - across * (grid.ncols - 1)) / grid.ncols
    height = (drawing.height - bottom - top - down * (grid.nrows - 1)) / grid.nrows
    figure.subplots_adjust(
        left=left / drawing.width, bottom=bottom / drawing.height, right=1 - right / drawing.width,
        top=1 - top / drawing.height, wspace=across / width, hspace=down / height,
    )  # fmt: skip


def inline_svg(drawing: Drawing, key: str) -> Markup:
    """The drawing as an ``svg`` element; ``key`` is unique on the page."""
    from matplotlib import rc_context

    file = io.StringIO()
    with rc_context(_SETTINGS):
        figure_of(drawing).savefig(file, format="svg", metadata={"Date": None})
    return clean_svg(file.getvalue(), key, drawing.told)


def clean_svg(source: str, key: str, told: str) -> Markup:
    """What matplotlib wrote, as an element of a page; ``told`` is what screen readers say."""
    root = ElementTree.fromstring(_NO_XML.sub("\ufffd", source))  # names of groups may hold anything
    used = set(_REFERENCE.findall(" ".join(value for node in root.iter() for value in node.attrib.values())))
    size = root.attrib["viewBox"]
    width = round(float(size.split()[2]) * _PIXELS_PER_POINT)
    written: list[str] = []
    for child in root:
        _write(child, key, used, written)
    opening = (
        f'<svg viewBox="{escape(size)}" width="{width}" role="img" aria-label="{escape(told)}" stroke-linejoin="round" '
        'stroke-linecap="butt" preserveAspectRatio="xMidYMid meet">'
    )
    return Markup(opening + "".join(written) + "</svg>")


def _write(node: ElementTree.Element, key: str, used: set[str], written: list[str]) -> None:
    name = node.tag.rpartition("}")[2]
    if name in _DROPPED:
        return
    attributes = "".join(f' {key_}="{escape(value)}"' for key_, value in _attributes(node, key, used).items())
    inside: list[str] = [escape(node.text)] if node.text and node.text.strip() else []
    for child in node:
        _write(child, key, used, inside)
    if name == "g" and not inside:
        return
    written.append(f"<{name}{attributes}>{''.join(inside)}</{name}>" if inside else f"<{name}{attributes}/>")


def _attributes(node: ElementTree.Element, key: str, used: set[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in node.attrib.items():
        name = name.rpartition("}")[2]
        if name == "style":
            found |= _presentation(value, key)
        elif name != "id":
            found[name] = _REFERENCE.sub(rf"#{key}-\1", value) if "#" in value and name != "fill" else value
        elif value in used:
            found["id"] = f"{key}-{value}"
    return found


def _presentation(style: str, key: str) -> dict[str, str]:
    """The properties of a ``style`` attribute as attributes; the short form ``font`` in its parts."""
    found: dict[str, str] = {}
    for entry in filter(None, (part.strip() for part in style.split(";"))):
        name, _, value = (part.strip() for part in entry.partition(":"))
        font = _FONT.fullmatch(value) if name == "font" else None
        if font is not None:
            found["font-size"] = font["size"]
            if "bold" in font["before"] or "700" in font["before"]:
                found["font-weight"] = "bold"
        elif name != "font-family":
            found[name] = _REFERENCE.sub(rf"#{key}-\1", value) if value.startswith("url(") else value
    return found
