"""The numbers of the table, and the script that writes them again."""

import json
import math
import shutil
import subprocess
from importlib.resources import files

import pytest

from fairface.report.page.group_table import PEOPLE, slider_data
from fairface.report.page.numbers import count_text
from fairface.scoring.fairness.score_summary import summarise_scores, summarise_sets
from unittests.report.page.pages import two_attributes

# Enough of a document for the script: cells, inputs, and what listens to them.
STAND_IN = """
const data = process.argv[2], rows = JSON.parse(data).rows.length;
const node = (more) => ({ listeners: {}, addEventListener(name, call) { this.listeners[name] = call; },
  setAttribute() {}, textContent: "", ...more });
const byId = { "slider-data": node({ textContent: data }), "slider-threshold": node({ value: process.argv[3] }),
  "slider-people": node({ value: process.argv[4] }), "slider-told": node({}), "slider-back": node({}),
  "slider": node({ hidden: true }) };
const cells = [];
for (let row = 0; row < rows; row++) for (const shows of ["fmr", "fnmr", "expected"])
  cells.push(node({ dataset: { row: String(row), shows } }));
global.document = { getElementById: (id) => byId[id],
  querySelectorAll: (what) => (what === "td[data-row]" ? cells : []) };
require(process.argv[1]);
console.log(JSON.stringify({ cells: cells.map((cell) => cell.textContent), told: byId["slider-told"].textContent,
  hidden: byId.slider.hidden }));
"""


def test_expected_counts_are_written_alike_for_all_sizes():
    assert [count_text(value) for value in (0, 0.12345, 9.996, 99.94, 100.5, 1234.5, math.nan)] == [
        "0", "0.123", "10", "99.9", "101", "1,235", "n/a"
    ]  # fmt: skip


def test_several_sets_are_rows_at_common_thresholds():
    scores, comparisons = two_attributes()
    summary = summarise_sets({"plain": (scores, comparisons), "masked": (scores - 0.1, comparisons)}, 0.35, size=50)
    data = slider_data(summary.tables.values())
    assert [row["group"] for row in data["rows"]] == ["plain", "masked"]
    place = data["operating"]
    assert data["thresholds"][place] == 0.35
    for row, shift in zip(data["rows"], (0.0, 0.1), strict=True):
        matches = scores - shift >= 0.35
        assert row["fmr"]["errors"][place] == int((matches & ~comparisons.same).sum())
        assert row["fnmr"]["errors"][place] == int((~matches & comparisons.same).sum())
    histogram = summary.histograms["set"]
    assert histogram.mated.sum(axis=1).tolist() == [comparisons.genuine] * 2


@pytest.mark.browser
@pytest.mark.parametrize(("place", "people"), [(3, "500"), (25, ""), (35, "2000000")])
def test_the_script_in_node_writes_what_a_loop_over_the_comparisons_gives(tmp_path, place, people):
    node = shutil.which("node")
    assert node, "node is not installed; make test-browser needs it"
    scores, comparisons = two_attributes()
    summary = summarise_scores(scores, comparisons, ["sex"], 0.35, size=50)
    data = slider_data(summary.tables.values())
    script = tmp_path / "slider.js"
    script.write_text(files("fairface.report.page").joinpath("slider.js").read_text())
    done = subprocess.run(
        [node, "-e", STAND_IN, str(script), json.dumps(data), str(place), people],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    found = json.loads(done.stdout)
    assert found["hidden"] is False
    among, threshold = float(people or PEOPLE), data["thresholds"][place]
    of = comparisons.attributes[comparisons.a, 0], comparisons.attributes[comparisons.b, 0]
    for row, group in enumerate((None, 0, 1)):
        shown = found["cells"][3 * row : 3 * row + 3]
        for text, genuine, times in zip(shown, (False, True, False), (1, 1, among), strict=True):
            errors = count = 0
            for score, same, one, other in zip(scores, comparisons.same, *of, strict=True):
                if same == genuine and (group is None or one == other == group):
                    errors, count = errors + ((score >= threshold) != genuine), count + 1
            assert float(text.split(" ")[0].replace(",", "")) == pytest.approx(times * errors / count, rel=6e-3, abs=0)
            low, high = map(float, text.split("[")[1].rstrip("]").replace(", ", ";").replace(",", "").split(";"))
            assert low <= times * errors / count <= high
