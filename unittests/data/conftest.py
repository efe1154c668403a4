"""What the tests of data share."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from fairface import cli


class Done(NamedTuple):
    """How a program ended and what it printed."""

    code: int
    out: str
    err: str


@pytest.fixture
def program(root: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., Done]:
    """Run ``folder/name.py`` with its arguments, in this process: starting a new one takes longer than the work."""

    def call(name: str, *arguments: object) -> Done:
        path = root / name
        assert path.is_file()
        module = importlib.import_module(f"fairface.programs.{path.stem}")
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.run(module.main, [str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Done(int(ended.value.code or 0), captured.out, captured.err)

    return call
