"""CONTRIBUTING.md: each example is short and runs as it stands, as a program of its own in an empty folder."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
TOO_LONG = 40  # lines


def examples(text: str) -> list[tuple[str, str]]:
    """The heading above each block of Python, and the block."""
    found: list[tuple[str, list[str]]] = []
    heading, fence = "", ""
    for line in text.splitlines():
        if line.startswith("```"):
            fence = "" if fence else line
            if fence == "```python":
                found.append((heading, []))
        elif fence == "```python":
            found[-1][1].append(line)
        elif not fence and line.startswith("#"):
            heading = line.lstrip("# ")
    return [(heading, "\n".join(lines) + "\n") for heading, lines in found]


EXAMPLES = examples((ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"))


def test_examples_are_found_below_their_headings():
    text = "# One\n```bash\n# no heading\n```\n## Two\n```python\n# a comment\nx = 1\n```\n```python\ny\n```\n"
    assert examples(text) == [("Two", "# a comment\nx = 1\n"), ("Two", "y\n")]


def test_there_is_an_example_of_each_contract():
    assert [heading for heading, _ in EXAMPLES] == ["A method", "A margin", "A data format", "A protocol"]


@pytest.mark.parametrize("code", [code for _, code in EXAMPLES], ids=[heading for heading, _ in EXAMPLES])
def test_example_is_short_and_runs(code: str, tmp_path: Path) -> None:
    assert code.count("\n") < TOO_LONG
    (tmp_path / "example.py").write_text(code, encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "example.py"], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
