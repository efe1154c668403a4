"""The five sets on a page."""

from fairface.cli import table
from fairface.report.five_sets_table import five_sets_rows
from fairface.report.page.card import Provenance, plain_page
from fairface.report.page.document import document
from fairface.report.page.five_sets import five_sets_panel, five_sets_verdict
from unittests.report.page.reading import check

CELLS = {"a": {"LFW": (0.9, (0.85, 0.95))}, "b <i>": {"LFW": (0.8, (0.7, 0.9))}}
AVERAGES = {"a": (0.9, (0.85, 0.95)), "b <i>": None}


def test_the_page_has_the_cells_of_the_text():
    header, rows = five_sets_rows(CELLS, AVERAGES, ["LFW", "CFP-FP"])
    verdict = five_sets_verdict(header, rows)
    assert verdict[0] == "a: AVG of 1 0.9000; b <i>: AVG of 1 n/a."
    page = check(document(plain_page("t", verdict, [five_sets_panel(header, rows)], Provenance("c", {}))))
    cells = {text.strip() for name, _, text in page.elements if name in ("td", "th")}
    text = table(rows, header).split("\n")
    shown = [cell.strip() for line in (text[0], *text[2:]) for cell in line.split("  ") if cell.strip()]
    assert "b <i>" in shown
    assert set(shown) <= cells
