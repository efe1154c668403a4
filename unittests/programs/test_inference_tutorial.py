"""docs/inference.md: its blocks run from top to bottom on a tiny model and drawn photographs."""

import contextlib
import importlib
import io
import json
import re
import shlex
from pathlib import Path

import numpy as np
import pytest

from fairface.cli import run
from unittests.small_models import FixedDetector, draw_people, export_linear, make_run

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "inference.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(python|sh)\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture
def place(tmp_path, monkeypatch):
    """What the page takes for granted."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("fairface.faces.main_crop.MtcnnDetector", FixedDetector)
    monkeypatch.setattr("fairface.programs.inference.MtcnnDetector", FixedDetector)
    make_run("models/orl_demo")
    export_linear("pretrained/ir_50")
    draw_people("datasets/orl/test", people=10, images=5)
    draw_people("photographs", people=3, images=2, noise=20)
    Path("photographs/p0/1.png").rename("ada.jpg")
    Path("photographs/p1/1.png").rename("grace.jpg")
    return tmp_path


def run_block(kind, text, names):
    """What a block prints; it must end well."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        if kind == "python":
            exec(compile(text, "docs/inference.md", "exec"), names)
            return printed.getvalue()
        program, *arguments = shlex.split(text)[1:]
        assert (ROOT / program).exists()
        with pytest.raises(SystemExit) as left:
            run(importlib.import_module(f"fairface.programs.{Path(program).stem}").main, arguments)
    assert left.value.code == 0
    return printed.getvalue()


def test_every_block_runs(place):
    pytest.importorskip("matplotlib")
    names = {}
    saved, decided, matrix, _ = (run_block(kind, text, names) for kind, text in BLOCKS)
    assert "models/orl_demo/thresholds.json: thresholds at FMR 0.001, 0.01" in saved
    stored = json.loads(Path("models/orl_demo/thresholds.json").read_text())["thresholds"]
    score, decision = decided.splitlines()[0].split(" ", 1)
    same, not_same = (point["threshold"] for point in stored)
    assert decision == ("same" if float(score) >= same else "not same" if float(score) < not_same else "undecided")
    assert [line.split(":")[0] for line in decided.splitlines()[1:]] == ["same", "not same", "undecided"]
    assert re.search(r"^1 +ada\.jpg +1\.0000", matrix, re.MULTILINE)
    assert len(set(re.findall(r"photographs/p\d/\d\.png", matrix))) == 4
    assert Path("similarity.png").stat().st_size > 1000
    assert (names["feature"].shape, names["norm"].shape) == ((1, 64), (1, 1))
    assert np.linalg.norm(names["feature"]) == pytest.approx(1, abs=1e-6)


def test_a_decision_takes_ten_lines_at_most():
    lines = [line for line in BLOCKS[1][1].splitlines() if line]
    assert "decide(" in BLOCKS[1][1]
    assert len(lines) <= 10


def test_every_option_and_key_of_the_page_exists():
    program = (ROOT / "fairface" / "programs" / "inference.py").read_text(encoding="utf-8")
    verification = (ROOT / "fairface" / "programs" / "verification.py").read_text(encoding="utf-8")
    for flag in set(re.findall(r"--[a-z][a-z-]+", PAGE)) - {"--json"}:  # every program has it
        assert f'"{flag}"' in program + verification, flag
    for key in re.search(r"one object with (.*?)\. The", PAGE, re.DOTALL)[1].replace(" and ", ", ").split(", "):
        assert f'"{key.strip().strip("`")}":' in program, key
