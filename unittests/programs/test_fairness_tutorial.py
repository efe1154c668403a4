"""docs/fairness.md: its blocks run from top to bottom, and say what the page says."""

import contextlib
import importlib
import io
import json
import re
import shlex
from pathlib import Path

import pytest

from fairface.cli import run
from fairface.scoring.fairness.measures import RULES

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "fairness.md").read_text(encoding="utf-8")


def run_program(command):
    """``python test/fairness.py …`` in this process; what it prints, and its exit code."""
    words, _, target = command.partition(" > ")
    program, *arguments = shlex.split(words)[1:]
    main = importlib.import_module(f"fairface.programs.{Path(program).stem}").main
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), pytest.raises(SystemExit) as left:
        run(main, [*arguments, "--bootstrap", "50"])
    if target:
        Path(target).write_text(printed.getvalue())
    return left.value.code, printed.getvalue()


def test_every_block_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names, outputs = {}, []
    for kind, text in re.findall(r"```(python|sh)\n(.*?)```", PAGE, re.DOTALL):
        if kind == "python":
            with contextlib.redirect_stdout(io.StringIO()) as printed:
                exec(compile(text, "docs/fairness.md", "exec"), names)
            outputs.append(printed.getvalue())
        else:
            code, printed_text = run_program(text.strip())
            assert code == 0
            outputs.append(printed_text)
    groups = outputs[1]
    header = next(line for line in groups.splitlines() if line.startswith("group "))
    shown = re.search(r"```text\n== Groups by sex\n(.*)\n", PAGE)[1]
    assert header.split() == shown.split()
    assert re.search(r"worst FNMR: f with 0\.\d+ \[", groups)
    assert "the target by construction" not in groups
    assert "not distinguishable from equal rates" not in re.search(r"worst FNMR.*", groups)[0]
    assert re.search(r"^f +FNMR .* 0\.05 +\d+", outputs[2], re.MULTILINE)
    assert " better" in outputs[3]
    assert json.loads(Path("fairness.json").read_text())["failed_conditions"] == []
    assert outputs[-1].startswith("worst FNMR: f with")


def test_every_measure_is_explained():
    table = PAGE.split("## How certain is that")[1].split("## How many more")[0]
    for rule in RULES:
        assert f"`{rule.name}`" in table
    program = (ROOT / "fairface" / "programs" / "fairness.py").read_text(encoding="utf-8")
    for flag in set(re.findall(r"--[a-z][a-z-]+", PAGE)) - {"--json"}:  # every program has it
        assert f'"{flag}"' in program, flag
