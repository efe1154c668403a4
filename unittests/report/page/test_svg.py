"""Figures inside a page: nothing that its policy forbids, nothing lost."""

import re

from fairface.report.page.panel import Drawing
from fairface.report.page.svg import clean_svg, inline_svg
from unittests.report.page.reading import Reader


def draw(figure):
    axes = figure.subplots()
    axes.plot([0, 1], [1, 0], color="#D55E00", linestyle="--", marker="o", label="a & b")
    axes.fill_between([0, 1], [0, 0], [1, 1], color="#0072B2", alpha=0.15)
    axes.set_title("ünlaut <b>", fontweight="bold")
    axes.legend()


DRAWING = Drawing(draw, 4, 3, 'a "line" <falling>')


def test_styles_become_attributes_and_text_stays_text():
    text = inline_svg(DRAWING, "one")
    assert "style=" not in text
    assert "<?xml" not in text
    assert "metadata" not in text
    page = Reader(text)
    lines = [attributes for attributes, _ in page.named("path") if attributes.get("stroke") == "#d55e00"]
    assert any("stroke-dasharray" in attributes for attributes in lines)
    filled = [a for name in ("path", "use") for a, _ in page.named(name) if a.get("fill") == "#0072b2"]
    assert any(attributes.get("fill-opacity") == "0.15" for attributes in filled)
    texts = {inside for _, inside in page.named("text")}
    assert {"ünlaut <b>", "a & b", "0.0"} <= texts
    title = next(attributes for attributes, inside in page.named("text") if inside == "ünlaut <b>")
    assert title["font-weight"] in ("bold", "700")
    assert title["font-size"] == "10.8px"
    assert page.named("svg")[0][0]["aria-label"] == DRAWING.told


def test_the_short_form_of_fonts_that_earlier_versions_of_matplotlib_write():
    style = "font: bold 12px 'DejaVu Sans', Arial, sans-serif; text-anchor: middle; fill: url(#g1)"
    source = f'<svg viewBox="0 0 1 1"><defs><g id="g1"><path d="M"/></g></defs><text style="{style}">a</text></svg>'
    [(attributes, text)] = Reader(clean_svg(source, "k", "told")).named("text")
    expected = {"font-size": "12", "font-weight": "bold", "text-anchor": "middle", "fill": "url(#k-g1)"}
    assert (attributes, text) == (expected, "a")


def test_every_reference_is_inside_and_two_figures_share_no_name():
    names = []
    for key in ("one", "two"):
        text = inline_svg(DRAWING, key)
        assert text == inline_svg(DRAWING, key)
        ids = set(re.findall(r' id="([^"]+)"', text))
        references = set(re.findall(r'(?:href="#|url\(#)([^")]+)', text))
        assert references == ids
        assert references
        names.append(ids)
    assert not names[0] & names[1]
