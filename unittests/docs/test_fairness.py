"""docs/fairness.md: its blocks run from top to bottom, and say what the page says."""

from __future__ import annotations

import json
import re
from pathlib import Path

from fairface.scoring.fairness.rules import RULES
from unittests.docs.blocks import ROOT, page_blocks
from unittests.docs.clone import lay_out, typed

TEXT = (ROOT / "docs" / "fairness.md").read_text(encoding="utf-8")
PAGE = page_blocks("docs/fairness.md")


def test_every_block_runs(tmp_path: Path) -> None:
    _, _, groups, power, against, _, _, python = typed([block for block in PAGE if block.is_run], lay_out(tmp_path))
    (shown,) = [block.text for block in PAGE if block.language == "text"]
    assert shown in groups  # the table of the page, to the digit
    assert re.search(r"worst FNMR: f with 0\.\d+ \[", groups)
    assert "the target by construction" not in groups
    assert "not distinguishable from equal rates" not in re.search(r"worst FNMR.*", groups)[0]
    assert re.search(r"^f +FNMR .* 0\.05 +(about )?\d+", power, re.MULTILINE)
    assert " better" in against
    assert json.loads((tmp_path / "fairness.json").read_text())["failed_conditions"] == []
    assert "worst FNMR" in (tmp_path / "report.html").read_text()
    assert len(list((tmp_path / "figures").iterdir())) > 8
    assert (tmp_path / "tables" / "rates-1-sex.csv").read_text().startswith("group,")
    assert python.startswith("worst FNMR: f with")


def test_every_measure_is_explained():
    table = TEXT.split("## How certain is that")[1].split("## How many more")[0]
    for rule in RULES:
        assert f"`{rule.name}`" in table
    programs = ROOT / "fairface" / "programs"
    others = [programs / name for name in ("page_options.py", "verification.py", "compare_runs.py")]
    program = "".join(path.read_text(encoding="utf-8") for path in (*programs.glob("fairness*.py"), *others))
    for flag in set(re.findall(r"--[a-z][a-z-]+", TEXT)) - {"--json"}:  # every program has it
        assert f'"{flag}"' in program, flag
