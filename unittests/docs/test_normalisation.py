"""docs/normalisation.md: its blocks run from top to bottom, and say what the page says."""

from __future__ import annotations

import re
from pathlib import Path

from unittests.docs.blocks import ROOT, page_blocks
from unittests.docs.clone import lay_out, typed

TEXT = (ROOT / "docs" / "normalisation.md").read_text(encoding="utf-8")
PAGE = page_blocks("docs/normalisation.md")


def test_every_block_runs(tmp_path: Path) -> None:
    _, _, fitted, applied = typed([block for block in PAGE if block.is_run], lay_out(tmp_path))
    (shown,) = [block.text for block in PAGE if block.language == "text"]
    assert fitted.startswith(shown)
    assert re.search(r"^FMR gap by sex: .*: better$", shown, re.MULTILINE)
    assert applied.startswith(fitted)  # the file says what was fitted
    assert "== Groups by sex" in applied.removeprefix(fitted)


def test_every_option_is_one_of_the_programs():
    program = (ROOT / "fairface" / "programs" / "normalise.py").read_text(encoding="utf-8")
    for flag in set(re.findall(r"--[a-z][a-z-]+", TEXT)) - {"--json"}:  # every program has it
        assert f'"{flag}"' in program, flag
