"""HTML that cannot be broken by the text in it: whatever is not :class:`Markup` is escaped."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


def element(name: str, /, *children: str, **attributes: str | bool) -> Markup:
    """``<name …>children</name>``.

    Args:
        children: text, which is escaped, or :class:`Markup`, which is not.
        attributes: their values are escaped; ``True`` writes the name alone, ``False`` nothing. An underscore in a name
            stands for a hyphen, one at its end for nothing: ``aria_label``, ``class_``.
    """
    return Markup(f"<{name}{_attributes(attributes)}>{join(children)}</{name}>")


def void(name: str, /, **attributes: str | bool) -> Markup:
    """An element that has no end, such as ``meta`` or ``img``."""
    return Markup(f"<{name}{_attributes(attributes)}>")


def join(children: Sequence[str]) -> Markup:
    """Text and markup one after the other."""
    return Markup("".join(child if isinstance(child, Markup) else escape(child) for child in children))


def table(header: Sequence[str], rows: Sequence[Sequence[str]], caption: str, key: str = "") -> Markup:
    """A table with a caption; the first cell of each row is its heading. It scrolls where the page is too narrow."""
    head = element("tr", *(element("th", cell, scope="col") for cell in header))
    body = [
        element("tr", *(element("th", cell, scope="row") if place == 0 else cell_of(cell)
                        for place, cell in enumerate(row)))
        for row in rows
    ]  # fmt: skip
    inside = [element("caption", caption), element("thead", head), element("tbody", *body)]
    named = {"id": key} if key else {}
    return element(
        "div", element("table", *inside, **named), class_="scroll", tabindex="0", role="group", aria_label=caption
    )


def cell_of(cell: str) -> Markup:
    """A cell of a table; one that is ``td`` already stays as it is."""
    return cell if isinstance(cell, Markup) and cell.startswith("<td") else element("td", cell)


def _attributes(attributes: dict[str, str | bool]) -> str:
    written = []
    for name, value in attributes.items():
        if value is False:
            continue
        spelled = name.rstrip("_").replace("_", "-")
        written.append(f" {spelled}" if value is True else f' {spelled}="{escape(str(value))}"')
    return "".join(written)
