"""One unbroken run; every broken one must end in its bits."""

from __future__ import annotations

from pathlib import Path

import pytest

from unittests.faults.helpers import Program, bits
from unittests.training.helpers import make_people

STEPS = 30


@pytest.fixture(scope="session")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_people(tmp_path_factory.mktemp("data") / "people")


@pytest.fixture(scope="session")
def unbroken(tmp_path_factory: pytest.TempPathFactory, people: Path) -> dict[str, bytes]:
    """The bits of a run of ``STEPS`` steps that nothing happened to."""
    program = Program(tmp_path_factory.mktemp("unbroken"), people, f"steps={STEPS}")
    assert program.ends("--quiet")[0] == 0
    return bits(program.run)


@pytest.fixture
def program(tmp_path: Path, people: Path) -> Program:
    """The run that something will happen to."""
    return Program(tmp_path, people, f"steps={STEPS}")
