"""What the tests of data share."""

from __future__ import annotations

import importlib.util
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
        spec = importlib.util.spec_from_file_location(f"program_{path.stem}", path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.run(module.main, [str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Done(int(ended.value.code or 0), captured.out, captured.err)

    return call
