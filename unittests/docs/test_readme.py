"""README.md from top to bottom in a fresh clone, then docs/final_evaluation.md with the models that it made."""

from __future__ import annotations

import csv
import json
from itertools import combinations
from pathlib import Path

import pytest

from unittests.docs.blocks import ROOT, page_blocks
from unittests.docs.clone import TEST_PEOPLE, lay_out, prepare_embedded, typed


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = lay_out(tmp_path_factory.mktemp("readme"))
    with pytest.MonkeyPatch.context() as monkeypatch:
        prepare_embedded(folder, monkeypatch)
    return folder


def test_readme_and_the_final_evaluation(clone: Path) -> None:
    blocks = [block for block in page_blocks("README.md") if block.is_run]
    demo, photos, three_lines, groups, fairer = typed(blocks, clone)
    # The table in the README has the columns of the one that is printed.
    shown = next(line for line in (ROOT / "README.md").read_text().splitlines() if line.startswith("set   model"))
    assert shown.split() in [line.split() for line in demo.splitlines()]  # a short run's checkpoint has a shorter name
    assert "450 genuine and 4500 impostor comparisons of 10 subjects" in demo
    assert " passed" in demo
    assert "24 photographs: 24 aligned" in photos
    assert "head is re-initialised: this run wants {'weight': (24, 256)}" in photos
    assert "24       252         8" in photos
    assert -1 <= float(three_lines) <= 1
    assert "== Groups by sex" in groups
    assert "8 subjects, 24 genuine and 252 impostor comparisons with a score" in groups
    assert "results/orl_demo: predictions.csv, fairness.json, report.md" in fairer
    for run in ("orl_demo", "my_photos", "orl_fair_step3", "orl_hard_step2"):
        assert json.loads((clone / "models" / run / "manifest.json").read_text())["checkpoints"], run

    typed([block for block in page_blocks("docs/final_evaluation.md") if block.is_run], clone)
    with (clone / "results" / "mine" / "predictions.csv").open(newline="") as file:
        header, *rows = csv.reader(file)
    ids = sorted(f"{person}_{image}" for person in TEST_PEOPLE for image in (1, 2, 3))
    assert header == ["ID1", "ID2", "SCORE"]
    assert [(a, b) for a, b, _ in rows] == list(combinations(ids, 2))
    assert len({float(score) for _, _, score in rows}) > 200
