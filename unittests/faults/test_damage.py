"""The newest checkpoint is damaged on the disk: the one before is gone on from, with a warning."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from unittests.faults.conftest import STEPS
from unittests.faults.helpers import SAVE_EVERY, Program, bits

pytestmark = pytest.mark.faults

KINDS = ("model", "blocks", "state")


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(bytes(content))


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory, people: Path) -> Path:
    program = Program(tmp_path_factory.mktemp("ended"), people, f"steps={STEPS}")
    assert program.ends("--quiet")[0] == 0
    return program.run


@pytest.fixture
def copied(program: Program, ended: Path) -> Program:
    shutil.copytree(ended, program.run)
    return program


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("damage", [cut, flip, Path.unlink])
def test_each_file_of_the_newest(
    copied: Program, unbroken: dict[str, bytes], kind: str, damage: Callable[[Path], None]
) -> None:
    file = copied.run / f"{kind}-{STEPS:04d}.params"
    damage(file)
    code, _, err = copied.ends("--resume")
    assert code == 0
    warnings = [line for line in err.splitlines() if line.startswith("warning: ")]
    assert len(warnings) == 1
    assert str(file) in warnings[0]
    assert warnings[0].endswith(f"going on from step {STEPS - SAVE_EVERY} instead")
    assert bits(copied.run) == unbroken


def test_a_damaged_symbol_costs_nothing(copied: Program, unbroken: dict[str, bytes]) -> None:
    """All checkpoints share it; it is made from the configuration and written again with the next checkpoint."""
    symbol = copied.run / "model-symbol.json"
    whole = symbol.read_bytes()
    cut(symbol)
    flip(copied.run / f"state-{STEPS:04d}.params")  # so that there is a next one
    assert copied.ends("--resume", "--quiet")[0] == 0
    assert bits(copied.run) == unbroken
    assert symbol.read_bytes() == whole


def test_none_whole_is_one_line(copied: Program) -> None:
    for step in (STEPS, STEPS - SAVE_EVERY):
        flip(copied.run / f"model-{step:04d}.params")
    before = {path.name: path.read_bytes() for path in copied.run.iterdir()}
    code, out, err = copied.ends("--resume", "--quiet")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert f"model-{STEPS:04d}.params" in err
    assert "start_from=" in err
    assert {path.name: path.read_bytes() for path in copied.run.iterdir()} == before
