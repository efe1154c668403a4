"""The HTML around everything: a policy that lets nothing in, the style and the script that it names, and the parts."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from importlib.resources import files
from typing import Any

from fairface.files import atomic_write
from fairface.report.page.markup import Markup, element, join, table, void
from fairface.report.page.panel import Page, Panel
from fairface.report.page.svg import inline_svg


def write_page(path: str | os.PathLike[str], page: Page) -> None:
    """Write the page as one HTML file that needs no network and no other file, whole or not at all.

    Raises:
        DataError: the file cannot be written.
    """
    text = document(page)
    with atomic_write(path, "w", encoding="utf-8") as file:
        file.write(text)


def document(page: Page) -> str:
    """The page as HTML. The same page gives the same text."""
    style, script = _asset("page.css"), _asset("slider.js")
    head = [
        void("meta", charset="utf-8"),
        void("meta", http_equiv="Content-Security-Policy", content=_policy(style, script)),
        void("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("title", page.title),
        element("style", Markup(style)),
    ]
    sections = [_section(panel) for panel in page.panels]
    body = [element("h1", page.title), *_opening(page), _contents(page)]
    body += [page.controls or Markup(), element("main", *sections)]
    if page.data is not None:
        body += [
            element("script", Markup(_json(page.data)), type="application/json", id="slider-data"),
            element("script", Markup(script)),
        ]
    return f"<!DOCTYPE html>\n{element('html', element('head', *head), element('body', *body), lang='en')}\n"


def _policy(style: str, script: str) -> str:
    return (
        f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _asset(name: str) -> str:
    return files("fairface.report.page").joinpath(name).read_text(encoding="utf-8").strip()


def _json(data: dict[str, Any]) -> str:
    """JSON in which no text can end the element that it stands in."""
    text = json.dumps(data, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _opening(page: Page) -> list[Markup]:
    parts = []
    if page.warnings:
        said = [element("p", "These results are invalid."), *(element("p", line) for line in page.warnings)]
        parts.append(element("div", *said, class_="warning", role="alert"))
    if page.verdict:
        parts.append(element("div", *(element("p", line) for line in page.verdict), class_="verdict"))
    if page.notes:
        parts.append(element("ul", *(element("li", line) for line in page.notes)))
    return parts


def _contents(page: Page) -> Markup:
    links = [element("li", element("a", panel.title, href=f"#{panel.key}")) for panel in page.panels]
    return element("nav", element("ul", *links), aria_label="Contents")


def _section(panel: Panel) -> Markup:
    parts = [element("h2", panel.title), *(element("p", line) for line in panel.lines)]
    if panel.live is not None:
        parts.append(panel.live)
    tables = [
        table(of.header, of.rows, of.caption) for of in (panel.tables if panel.live is None else panel.tables[1:])
    ]
    if panel.drawing is not None:
        parts.append(element("figure", inline_svg(panel.drawing, panel.key)))
        tables = [element("details", element("summary", "The numbers as a table"), join(tables))] if tables else []
    return element("section", *parts, *tables, id=panel.key)
