"""The fenced blocks of a document, as its reader types them: in order, each with its heading."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# What a reader reads. CONTRIBUTING.md's examples are programs of their own, see unittests/test_contributing.py.
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
COMMANDS = ("sh", "python")
EXAMPLE = "example"  # after the language: such a block is not run, and unittests/test_recipes.py holds the reason
NO_COMMANDS = ("", "text", "yaml")
TRAINING = re.compile(r"\./(?:train|fairface\w*|hard_sample)[\w]*\.sh\b|\btrain/(?:train|finetune)\.py\b")


@dataclass(frozen=True)
class Block:
    """A fenced block: the heading above it, the language, what else stands behind that, the text."""

    heading: str
    language: str
    note: str
    text: str

    @property
    def is_run(self) -> bool:
        return self.language in COMMANDS and not self.note

    @property
    def commands(self) -> list[str]:
        """The commands of a block of shell, without comments, with what stands on continued lines."""
        joined = self.text.replace("\\\n", " ")
        lines = (re.split(r"(?:^|\s)#", line)[0].strip() for line in joined.splitlines())
        return [" ".join(line.split()) for line in lines if line]


def blocks_of(text: str) -> list[Block]:
    """All fenced blocks of a document in Markdown."""
    found: list[Block] = []
    heading, fence, lines = "", None, []
    for line in text.splitlines():
        if line.startswith("```") and fence is None:
            fence, lines = line[3:].strip(), []
        elif line.startswith("```"):
            language, _, note = str(fence).partition(" ")
            found.append(Block(heading, language, note.strip(), "".join(f"{line}\n" for line in lines)))
            fence = None
        elif fence is not None:
            lines.append(line)
        elif line.startswith("#"):
            heading = line.lstrip("# ")
    assert fence is None, f"the block below {heading!r} has no end"
    return found


def page_blocks(name: str) -> list[Block]:
    """The blocks of one of this checkout's documents, such as ``docs/data.md``."""
    return blocks_of((ROOT / name).read_text(encoding="utf-8"))


def run_names(block: Block) -> list[str]:
    """The names that the block's training commands give their runs: ``name=``, else the configuration's.

    A command that goes on with a run (``--resume``) or only looks (``--dry-run``) claims no name.
    """
    names = []
    for command in block.commands if block.language == "sh" else ():
        if not TRAINING.search(command) or re.search(r"--(resume|dry-run)\b", command):
            continue
        given = re.findall(r"(?<![\w.])name=(\S+)", command)
        config = re.search(r"\S+\.yaml", command)
        names.append(given[-1] if given else Path(config[0]).stem if config else command.split()[0])
    return names
