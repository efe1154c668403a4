"""How a page is typed: one shell for all blocks, each block's output, and the block that fails."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import yaml

from unittests.docs.blocks import Block
from unittests.docs.clone import small, typed


def sh(text: str) -> Block:
    return Block("A page", "sh", "", text)


def test_one_shell_for_all_blocks(tmp_path: Path) -> None:
    Path(tmp_path, "here.py").write_text("place = 'the clone'\n")
    activate = sh(f'export PATH="{Path(sys.executable).parent}:$PATH"\nword=kept\n')
    python = Block("A page", "python", "", "from here import place\nprint(place)\n")
    assert typed([activate, sh("echo $word; echo told >&2\n"), python], tmp_path) == ["", "kept\ntold\n", "the clone\n"]


@pytest.mark.parametrize(
    "text", ["false\n", "false | cat\n", "cat no_such_file\n", "for i in 1 2; do false; done\n", "x=$(false)\n"]
)
def test_a_command_that_fails_ends_the_page(text: str, tmp_path: Path) -> None:
    later = sh("echo later > later.txt\n")
    with pytest.raises(AssertionError, match=r"exit \d+ in\necho first"):
        typed([sh("echo before\n"), sh(f"echo first\n{text}echo last > last.txt\n"), later], tmp_path)
    assert not (tmp_path / "last.txt").exists()
    assert not (tmp_path / "later.txt").exists()


def test_the_environment_is_not_there_before_it_is_activated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_ADDOPTS", "--collect-only")
    (printed,) = typed([sh("echo $PATH $PYTEST_ADDOPTS\n")], tmp_path)
    assert printed == "/usr/bin:/bin\n"


def test_small_configurations_keep_everything_else() -> None:
    config = yaml.safe_load(
        "{name: a, epochs: 9, backbone: {name: r, embedding: 4}, steps: [{stage: head, epochs: 4}]}"
    )
    made = small(config)
    assert (made["name"], made["backbone"]) == ("a", {"name": "r", "embedding": 4, "width": 0.25})
    assert made["steps"] == [{"stage": "head", "steps": 2}]
    assert "epochs" not in made
    assert small({"backbone": {}, "epochs": 3})["steps"] == 2
