"""Accuracy against the gap, over stages."""

import math

from fairface.report.page.document import document
from fairface.report.page.panel import Page
from fairface.report.page.pareto import Stage, pareto_panel
from unittests.report.page.reading import check


def test_the_page_lists_all_stages_and_marks_the_front():
    stages = [
        Stage("start", 0.95, 0.04, 0.01, 0.07), Stage("head", 0.96, 0.03, math.nan, math.nan),
        Stage("all <b>", 0.94, 0.02, 0.0, 0.05), Stage("lost", math.nan, 0.1, 0.0, 0.2),
    ]  # fmt: skip
    panel = pareto_panel(stages, "TAR at FMR 0.001", "gap in FMR")
    page = check(document(Page("t", ("v",), (panel,))))
    assert [row[0] for row in panel.tables[0].rows if row[-1] == "yes"] == ["head", "all <b>"]
    texts = {text for _, text in page.named("text")}
    assert {"start", "head", "all <b>", "gap in FMR"} <= texts
    assert "lost" not in texts
    assert "lost" in {text for _, text in page.named("th")}


def test_without_a_point_there_is_a_table_and_no_figure():
    stages = [Stage("start", 0.95, math.nan, math.nan, math.nan), Stage("end", math.nan, 0.1, 0.0, 0.2)]
    panel = pareto_panel(stages, "AUC", "gap in FMR")
    assert panel.drawing is None
    assert panel.lines == ("Nothing can be drawn: no stage has both numbers.",)
    assert [row[:3] for row in panel.tables[0].rows] == [("start", "0.95", "n/a"), ("end", "n/a", "0.1")]
    check(document(Page("t", ("v",), (panel,))))


def test_stages_that_hide_each_other_are_named():
    stages = [Stage(name, accuracy, 0.1, 0.0, 0.2) for name, accuracy in (("a", 0.9), ("b", 0.8), ("c", 0.9))]
    assert pareto_panel(stages, "AUC", "gap").lines[1:] == ("On one point: a, c.",)
    assert len(pareto_panel(stages[:2], "AUC", "gap").lines) == 1
