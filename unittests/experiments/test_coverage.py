"""The intervals of the fairness score contain the truth as often as they say; those over comparisons do not."""

import runpy
from pathlib import Path

import numpy as np
import pytest

PROGRAM = runpy.run_path(str(Path(__file__).parents[2] / "experiments" / "coverage.py"))
OURS, PEOPLE, PAIRS = PROGRAM["OURS"], PROGRAM["PEOPLE"], PROGRAM["PAIRS"]
LARGE = [f"{side} {label}" for side in ("fnmr", "fmr") for label, size in PROGRAM["SIZES"].items() if size >= 40]


def test_the_world_has_the_rates_that_it_says():
    world = PROGRAM["World"]("many", genuine=1, impostor=1)
    rng = np.random.default_rng(0)
    found = []
    for _ in range(25):
        grouped = PROGRAM["draw"](world, rng)
        found.append([grouped.fnmr.spread.rate[0], grouped.fmr.spread.rate[0]])
    assert [row.too_few for row in grouped.result().rows] == [False, False, False, True]
    np.testing.assert_allclose(np.mean(found, axis=0), [0.05, 0.01], rtol=0.2)


def test_the_page_is_written(tmp_path):
    found = {world.name: PROGRAM["coverage"](world, 2, 5, 0) for world in PROGRAM["WORLDS"]}
    page = PROGRAM["document"](found, 2, 5, 0)
    assert page.count("| this project |") == len(PROGRAM["WORLDS"])
    assert max(map(len, page.splitlines())) < 250


@pytest.mark.slow
def test_intervals_contain_the_truth():
    """500 times 300 people in groups of 150, 100, 40 and 10; effects of people with standard deviation 1."""
    found = PROGRAM["coverage"](PROGRAM["WORLDS"][0], 500, 500, 0)
    ours = found[OURS]
    for what in (*LARGE, "fnmr gap", "fmr gap"):
        assert 0.91 <= ours[what] <= 0.98, what
    over_pairs = found[PAIRS]
    assert all(over_pairs[what] < 0.85 for what in LARGE if what.startswith("fmr"))
    assert all(over_pairs[what] < ours[what] for what in LARGE)
    assert over_pairs["fnmr gap"] < 0.1


@pytest.mark.slow
@pytest.mark.parametrize("world", PROGRAM["WORLDS"][1:], ids=lambda world: world.name)
def test_intervals_contain_the_truth_in_other_worlds(world):
    ours = PROGRAM["coverage"](world, 300, 50, 1)[OURS]
    for what in LARGE:
        assert 0.90 <= ours[what] <= 0.99, what
    for what in ("fnmr gap", "fmr gap"):
        assert ours[what] >= 0.91, what
