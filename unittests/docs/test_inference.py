"""docs/inference.md from top to bottom, with a model that is quick to make in place of the README's."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from unittests.docs.blocks import ROOT, page_blocks
from unittests.docs.clone import lay_out, typed
from unittests.small_models import draw_people, export_linear, make_run

PAGE = page_blocks("docs/inference.md")


def test_every_block(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    clone = lay_out(tmp_path)
    make_run(clone / "models" / "orl_demo")
    export_linear(clone / "pretrained" / "ir_50")
    draw_people(clone / "datasets" / "orl" / "test", people=10, images=5)
    saved, decided, matrix, adaface = typed([*PAGE[:3], with_print(PAGE[3])], clone)
    assert "models/orl_demo/thresholds.json: thresholds at FMR 0.001, 0.01" in saved
    stored = json.loads((clone / "models" / "orl_demo" / "thresholds.json").read_text())["thresholds"]
    score, decision = decided.splitlines()[0].split(" ", 1)
    same, not_same = (point["threshold"] for point in stored)
    assert decision == ("same" if float(score) >= same else "not same" if float(score) < not_same else "undecided")
    assert [line.split(":")[0] for line in decided.splitlines()[1:]] == ["same", "not same", "undecided"]
    names = re.findall(r"^(\d)  (\S+)  +-?\d\.\d{4}", matrix.split("\n\n")[0], re.MULTILINE)
    assert [int(number) for number, _ in names] == [1, 2, 3, 4, 5, 6]  # two of ada, one of grace, three of radia
    assert [name[-9:] for _, name in names[3:]] == [f"dia/{image}.jpg" for image in (1, 2, 3)]
    assert (clone / "similarity.png").stat().st_size > 1000
    assert adaface.splitlines()[-1] == "(1, 64) (1, 1) 1.0000"


def with_print(block):
    """The example for AdaFace's users, with what it has found."""
    shown = "print(feature.shape, norm.shape, f'{(feature ** 2).sum():.4f}')\n"
    return type(block)(block.heading, block.language, "", block.text + shown)


def test_a_decision_takes_ten_lines_at_most() -> None:
    assert "decide(" in PAGE[1].text
    assert len([line for line in PAGE[1].text.splitlines() if line]) <= 10


def test_every_option_and_key_of_the_page_exists() -> None:
    page = (ROOT / "docs" / "inference.md").read_text(encoding="utf-8")
    program, verification = ((ROOT / "fairface" / "programs" / f"{name}.py").read_text(encoding="utf-8")
                             for name in ("inference", "verification"))  # fmt: skip
    for flag in set(re.findall(r"--[a-z][a-z-]+", page)) - {"--json"}:  # every program has it
        assert f'"{flag}"' in program + verification, flag
    named = re.search(r"one object with (.*?)\. The", page, re.DOTALL)
    assert named
    for key in named[1].replace(" and ", ", ").split(", "):
        assert f'"{key.strip().strip("`")}":' in program, key
