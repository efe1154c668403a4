"""The page as a browser with a strict policy reads it."""

from dataclasses import replace
from importlib.resources import files

import numpy as np
import pytest

from fairface.errors import DataError
from fairface.report.page.document import document, write_page
from fairface.report.page.fairness_page import fairness_page
from fairface.report.page.palette import plain_label
from fairface.report.page.panel import Drawing
from fairface.report.page.svg import inline_svg
from fairface.scoring.fairness.assess import assess
from fairface.scoring.fairness.threshold import given_threshold
from unittests.report.page.pages import MADE_BY, page_of, report_of, two_attributes, undrawn
from unittests.report.page.reading import Reader, check
from unittests.scoring.fairness.helpers import small_world

HOSTILE = ("</script><script>alert(1)</script>", "\"'><img src=x onerror=alert(1)> & $x$ _y")


def test_names_with_html_in_them_stay_text():
    scores, comparisons = two_attributes(values=HOSTILE)
    text = document(page_of(scores, comparisons, size=20))
    page = check(text)
    assert "<img src=x" not in text
    assert "alert(1)</script>" not in text
    assert len(page.named("script")) == 2
    assert [row["group"] for row in page.data()["rows"][1:3]] == list(HOSTILE)
    headings = [inside for attributes, inside in page.named("th") if attributes.get("scope") == "row"]
    assert set(HOSTILE) <= set(headings)
    assert any(HOSTILE[0] in inside for _, inside in page.named("title")) is False  # the title names the attributes
    assert "python test/fairness.py --pairs 'a <b>.csv'" in [inside for _, inside in page.named("td")]


@pytest.mark.filterwarnings("ignore:Glyph")
@pytest.mark.parametrize("sign", ["\x1b", "\x01", "\ufffe"])
def test_characters_that_no_figure_can_hold(sign):
    scores, comparisons = two_attributes(values=(f"a{sign}", "b"))
    assert "a\ufffd" in "".join(
        inside for _, inside in check(document(page_of(scores, comparisons, size=20))).named("text")
    )


def test_the_tables_show_the_operating_points_numbers_without_the_script():
    scores, comparisons = two_attributes()
    page = check(document(undrawn(page_of(scores, comparisons, ("sex", "skin")))))
    result = assess(scores, comparisons, ("sex", "skin"), given_threshold(0.35))
    data, shown = page.data(), page.live()
    assert data["thresholds"][data["operating"]] == 0.35
    expected = [(result.fmr, result.fnmr)]
    expected += [(row.fmr, row.fnmr) for found in result.groupings.values() for row in found.rows]
    assert len(data["rows"]) == len(expected) == 1 + 2 + 2 + 4
    for place, rates in enumerate(expected):
        for name, rate in zip(("fmr", "fnmr"), rates, strict=True):
            sweep = data["rows"][place][name]
            assert (sweep["errors"][data["operating"]], sweep["n"]) == (rate.errors, rate.comparisons)
            assert sweep["low"][data["operating"]] == pytest.approx(rate.low, rel=1e-5)
            assert shown[place, name].startswith(f"{rate.value:.4g} [{rate.low:.4g}, ")
        assert float(shown[place, "expected"].split(" ")[0].replace(",", "")) == pytest.approx(
            10_000 * rates[0].value, rel=0.006
        )


def test_it_names_what_readers_and_phones_need_and_is_the_same_each_time():
    scores, comparisons = two_attributes()
    text = document(undrawn(page_of(scores, comparisons)))
    assert text == document(undrawn(page_of(scores, comparisons)))
    page = check(text)
    assert ("html", "en") in [(name, attributes.get("lang")) for name, attributes, _ in page.elements]
    assert any(attributes.get("name") == "viewport" for attributes, _ in page.named("meta"))
    assert all(inside for _, inside in page.named("caption"))
    assert "@media print" in page.named("style")[0][1]
    keys = {attributes["id"] for attributes, _ in page.named("section")}
    assert {attributes["href"][1:] for attributes, _ in page.named("a")} == keys
    assert len(files("fairface.report.page").joinpath("slider.js").read_bytes()) < 10_000


def test_without_listed_scores_there_is_no_script_and_the_page_says_so():
    scores, comparisons = small_world(subjects=20)
    page = check(document(fairness_page(report_of(scores, comparisons), MADE_BY)))
    assert page.named("script") == []
    assert any("no curves" in inside for _, inside in page.named("li"))


@pytest.mark.parametrize("listed", [True, False])
def test_what_the_text_says_of_the_groups_the_page_says_too(listed):
    scores, comparisons = small_world(subjects=20)
    attributes = comparisons.attributes.copy()
    attributes[:3] = -1  # one subject whose group nobody knows
    attributes[3 * 16 :] = 2  # four of a group that is too small
    comparisons = replace(comparisons, attributes=attributes, attribute_values=(("f", "m", "x"),))
    report = report_of(scores, comparisons)
    shown = page_of(scores, comparisons, size=20) if listed else fairness_page(report, MADE_BY)
    page = check(document(undrawn(shown)))
    said = [inside for name in ("p", "li") for _, inside in page.named(name)]
    unknown = int((attributes[comparisons.a, 0] < 0).sum() + (attributes[comparisons.b, 0] < 0).sum()) - 3
    assert any(line.startswith(f"{unknown} of {len(comparisons)} comparisons are left out") for line in said)
    assert any("so excluded from measures: x (4)" in line for line in said)
    assert any(line.startswith("threshold 0.35, set by: given") for line in said)
    cells = [inside for _, inside in page.named("td")]
    assert "too few" in cells
    assert ("4 (too few)" in cells) == listed
    row = report.result.groupings["sex"].row("x")
    assert f"{row.fmr.value:.4g} [{row.fmr.low:.4g}, {row.fmr.high:.4g}]" in cells


@pytest.mark.parametrize("case", ["one group", "no group", "no subjects", "lonely"])
def test_groups_that_are_missing_or_have_nothing_to_compare(case):
    scores, comparisons = small_world(subjects=12, values=("f",) if case == "one group" else ("f", "m"))
    changed = {}
    if case == "no group":
        changed["attributes"] = np.full_like(comparisons.attributes, -1)
    if case == "no subjects":
        changed = {name: np.full(len(comparisons), -1) for name in ("subject_a", "subject_b")}
    if case == "lonely":  # m has one subject, who is compared with nobody of the group
        attributes = np.zeros_like(comparisons.attributes)
        attributes[3:6] = 1
        changed["attributes"] = attributes
    comparisons = type(comparisons)(**{**vars(comparisons), **changed})
    whole = page_of(scores, comparisons, size=20)
    drawn = case in ("no group", "lonely")
    page = check(document(whole if drawn else undrawn(whole)))
    assert bool(page.named("svg")) == drawn
    data, shown = page.data(), page.live()
    assert len(data["rows"]) == {"one group": 2, "no group": 1}.get(case, 3)
    if case == "lonely":
        assert data["rows"][2]["fmr"]["n"] == 0
        assert shown[2, "fmr"] == shown[2, "expected"] == "n/a"
    if case == "no subjects":
        assert "[" not in shown[1, "fmr"]


def test_a_page_that_cannot_be_written_keeps_the_earlier_one(tmp_path):
    scores, comparisons = small_world(subjects=8)
    (tmp_path / "file").write_text("taken")
    with pytest.raises(DataError, match="cannot be written"):
        write_page(tmp_path / "file" / "report.html", undrawn(page_of(scores, comparisons)))
    assert (tmp_path / "file").read_text() == "taken"


def test_results_that_mean_nothing_have_no_verdict():
    scores, comparisons = two_attributes(subjects=12)
    report = report_of(scores, comparisons)
    for unusable in ((), ("the scores are all the same",)):
        shown = fairness_page(replace(report, unusable=unusable), MADE_BY)
        assert shown.verdict == (() if unusable else report.verdict)
        kinds = [attributes.get("class") for attributes, _ in check(document(shown)).named("div")]
        assert ("verdict" in kinds, "warning" in kinds) == (not unusable, bool(unusable))


def test_names_are_drawn_as_they_are():
    def lines(figure):
        axes = figure.subplots()
        for name in ("_a", "$x$ and $y$"):
            axes.plot([0, 1], label=plain_label(name))
        axes.legend()

    texts = [inside for _, inside in Reader(inline_svg(Drawing(lines, 3, 2, "two lines"), "lines")).named("text")]
    assert [text.lstrip("\u200b") for text in texts[-2:]] == ["_a", "$x$ and $y$"]
