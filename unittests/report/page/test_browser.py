"""The page in headless Chromium: the slider moves the numbers to those of the fairness score; nothing is refused."""

import pytest

from fairface.report.page.document import write_page
from fairface.scoring.fairness.assess import assess
from fairface.scoring.fairness.threshold import given_threshold
from unittests.report.page.browser import Browser
from unittests.report.page.pages import page_of, two_attributes

MOVE = """(() => {{ const slider = document.getElementById("slider-threshold"); slider.value = "{place}";
  slider.dispatchEvent(new Event("input", {{ bubbles: true }})); }})()"""
CELLS = """[...document.querySelectorAll("td[data-row]")].map((cell) => cell.textContent)"""
DATA = """JSON.parse(document.getElementById("slider-data").textContent)"""
CAPTION_ENDS = """Math.max(...[...document.querySelectorAll("details")].map((one) => (one.open = true, 0)),
  ...[...document.querySelectorAll("caption")].map((of) => {
    const text = document.createRange(); text.selectNodeContents(of); return text.getBoundingClientRect().right; }))"""


def numbers(text):
    """Value, low and high of a cell."""
    return [float(part) for part in text.replace("[", "").replace("]", "").replace(",", "").split()]


@pytest.mark.browser
def test_the_slider_moves_the_numbers_and_nothing_is_refused(tmp_path):
    scores, comparisons = two_attributes(values=("f", "m <b>bold</b>"))
    write_page(tmp_path / "report.html", page_of(scores, comparisons, ("sex", "skin")))
    with Browser() as browser:
        browser.open((tmp_path / "report.html").as_uri())
        data = browser.evaluate(DATA)
        assert browser.evaluate('document.getElementById("slider").checkVisibility()')
        for place in (data["operating"], 12, 40):
            browser.evaluate(MOVE.format(place=place))
            cells = browser.evaluate(CELLS)
            result = assess(scores, comparisons, ("sex", "skin"), given_threshold(data["thresholds"][place]))
            rates = [(result.fmr, result.fnmr)]
            rates += [(row.fmr, row.fnmr) for of in result.groupings.values() for row in of.rows]
            assert len(cells) == 3 * len(rates)
            for row, (fmr, fnmr) in enumerate(rates):
                shown = zip(cells[3 * row : 3 * row + 3], (fmr, fnmr, fmr), (1, 1, 10_000), strict=True)
                for text, rate, times in shown:
                    expected = [times * of for of in (rate.value, rate.low, rate.high)]
                    assert numbers(text) == pytest.approx(expected, rel=6e-3, abs=1e-12)
        browser.evaluate('document.getElementById("slider-back").click()')
        assert "(the evaluated threshold)" in browser.evaluate('document.getElementById("slider-told").textContent')
        browser.evaluate("""(() => { const people = document.getElementById("slider-people"); people.value = "1000000";
          people.dispatchEvent(new Event("input")); })()""")
        assert "1,000,000" in browser.evaluate('document.querySelector("[data-people]").textContent')
        assert browser.evaluate('document.querySelectorAll("b").length') == 0
        assert browser.console == []


@pytest.mark.browser
def test_a_narrow_screen_needs_no_sideways_scrolling_of_the_page(tmp_path):
    scores, comparisons = two_attributes()
    write_page(tmp_path / "report.html", page_of(scores, comparisons))
    with Browser() as browser:
        browser.call("Emulation.setDeviceMetricsOverride", width=360, height=740, deviceScaleFactor=2, mobile=True)
        browser.open((tmp_path / "report.html").as_uri())
        assert browser.evaluate("document.documentElement.scrollWidth") <= 360
        assert browser.evaluate('document.querySelector("svg").getBoundingClientRect().width') >= 300
        # A table may scroll by itself, but what it is called is read without.
        assert browser.evaluate(CAPTION_ENDS) <= 360


@pytest.mark.browser
def test_without_the_script_the_slider_is_hidden_and_the_numbers_are_there(tmp_path):
    scores, comparisons = two_attributes()
    write_page(tmp_path / "report.html", page_of(scores, comparisons))
    with Browser() as browser:
        browser.call("Emulation.setScriptExecutionDisabled", value=True)
        browser.open((tmp_path / "report.html").as_uri())
        assert not browser.evaluate('document.getElementById("slider").checkVisibility()')
        result = assess(scores, comparisons, ("sex",), given_threshold(0.35))
        first = numbers(browser.evaluate(CELLS)[0])
        assert first == pytest.approx([result.fmr.value, result.fmr.low, result.fmr.high], rel=1e-3)
