"""The documents name only what exists: links, headings, programs, make targets."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "benchmarks").glob("*.md")])
BY_NAME = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
PROGRAM = re.compile(r"(?<![\w/.-])(?:\./)?((?:(?:train|test|data_process|benchmarks|scripts|experiments|fairface)/)"
                     r"[\w/]+\.(?:py|sh|yaml)|\w+\.sh)\b")  # fmt: skip


def anchors(path: Path) -> set[str]:
    headings = re.findall(r"^#+ +(.+?)\s*$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@BY_NAME
def test_links_lead_somewhere(document):
    text = re.sub(r"```.*?```", "", document.read_text(encoding="utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        path = (document.parent / name).resolve() if name else document
        assert path.exists(), target
        assert not anchor or anchor in anchors(path), target


def commands(text: str) -> str:
    """Fenced blocks and words in backticks; a document's own command in the first column of a table is not ours."""
    fenced = re.findall(r"```.*?```", text, re.DOTALL)
    rest = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    rest = re.sub(r"^\|[^|]*\|", "|", rest, flags=re.MULTILINE)
    return "\n".join([*fenced, *re.findall(r"`[^`\n]+`", rest)])


@BY_NAME
def test_programs_exist(document):
    for name in PROGRAM.findall(commands(document.read_text(encoding="utf-8"))):
        assert (ROOT / name).exists(), name


@BY_NAME
def test_make_targets_exist(document):
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for target in re.findall(r"\bmake ([a-z-]+)", commands(document.read_text(encoding="utf-8"))):
        assert target in targets, target
