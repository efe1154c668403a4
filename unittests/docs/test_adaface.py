"""docs/adaface.md from top to bottom: what a reader can type without a large data set, and that the rest exists."""

from __future__ import annotations

import json
import re
from pathlib import Path

import yaml

from fairface.recipes.adaface_flags import FLAGS
from unittests.docs.blocks import ROOT, page_blocks
from unittests.docs.clone import TEST_PEOPLE, TRAIN_PEOPLE, lay_out, typed

PAGE = page_blocks("docs/adaface.md")


def test_photographs_of_people(tmp_path: Path) -> None:
    clone = lay_out(tmp_path)
    (printed,) = typed([block for block in PAGE if block.is_run], clone)
    run = clone / "models" / "people_adaface"
    manifest = json.loads((run / "manifest.json").read_text())
    assert (manifest["images"], manifest["classes"], manifest["head"]) == ([48], [len(TRAIN_PEOPLE)], "adaface")
    config = yaml.safe_load((run / "config.yaml").read_text())
    assert config["optimizer"]["milestones"] == []  # 8, 12 and 14 of four epochs never come
    assert "--gpus 1: no GPU here" in printed or config["gpus"]
    row = next(line for line in printed.splitlines() if line.startswith("people_test  ")).split()
    pairs = 3 * len(TEST_PEOPLE)  # three photographs each
    assert row[1:4] == [str(pairs), str(pairs * (pairs - 1) // 2 - pairs), str(len(TEST_PEOPLE))]


def test_every_flag_of_the_page_exists() -> None:
    page = (ROOT / "docs" / "adaface.md").read_text(encoding="utf-8")
    of_all = {"--dry-run", "--resume", "--overwrite", "--help", "--json", "--bins", "--model", "--set", "--bootstrap"}
    assert set(re.findall(r"--[a-z][\w-]+", page)) <= {*FLAGS, *of_all}
