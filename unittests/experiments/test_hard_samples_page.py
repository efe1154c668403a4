"""The page about hard samples: its verdicts."""

import runpy
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def program():
    sys.path.insert(0, str(ROOT / "experiments"))
    try:
        yield runpy.run_path(str(ROOT / "experiments" / "hard_samples.py"))
    finally:
        sys.path.remove(str(ROOT / "experiments"))


def test_the_page_tells_better_from_worse(program, tmp_path):
    rng = np.random.default_rng(1)
    who = np.repeat(np.arange(40), 2)
    a, b = np.triu_indices(len(who), 1)
    same = who[a] == who[b]
    folder = tmp_path / "aligned" / "test"
    folder.mkdir(parents=True)
    rows = [f"{i},{j},{int(who[i] == who[j])},{who[i]},{who[j]}" for i, j in zip(a.tolist(), b.tolist(), strict=True)]
    (folder / "test_pairs.csv").write_text("\n".join(["image_a,image_b,same,subject_a,subject_b", *rows, ""]))
    (tmp_path / "models").mkdir()
    for seed in (0, 1):
        np.savez(tmp_path / f"fair_{seed}_step3.npz", test=np.tanh(rng.normal(2.0 * same, 1.0) / 4))
        np.savez(tmp_path / f"hard_{seed}_step2.npz", test=np.tanh(rng.normal(0.2 * same, 1.0) / 4))
        listed = "# 3 hard samples in /some/folder by a model: accuracy 0.9; 2 people\n0\n"
        (tmp_path / "models" / f"hard_{seed}_samples.txt").write_text(listed)
    result = program["summarise"]([], [0, 1], tmp_path, tmp_path)
    page = program["page"](result)
    assert "| hard-sample model | 0.01 | -0." in page
    assert "| worse |" in page
    assert "/some/folder" not in page
    assert "3 hard samples; accuracy 0.9; 2 people" in page
