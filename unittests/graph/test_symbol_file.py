"""Symbols from files, and what reaches standard error meanwhile."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from fairface.errors import CheckpointError
from fairface.graph.symbol_file import read_symbol
from fairface.mx import mx
from unittests.interop.old_symbols import as_written_by

POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"


@pytest.fixture
def old(tmp_path: Path) -> Path:
    path = tmp_path / "model-symbol.json"
    path.write_text(as_written_by("0.9", mx.sym.FullyConnected(mx.sym.var("data"), num_hidden=2, name="fc1")))
    return path


def test_the_upgrade_is_not_told(old: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert read_symbol(old).list_arguments() == ["data", "fc1_weight", "fc1_bias"]
    assert capfd.readouterr() == ("", "")
    mx.sym.load(str(old))
    assert "successfully upgraded" in capfd.readouterr().err  # what it is that was kept away


def test_other_lines_are_let_through(
    old: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    load = mx.sym.load_json

    def talking(text: str) -> object:
        os.write(2, b"before\n")
        symbol = load(text)
        os.write(2, b"after, without an end")
        return symbol

    monkeypatch.setattr(mx.sym, "load_json", talking)
    read_symbol(old)
    assert capfd.readouterr().err == "before\nafter, without an end"


def test_standard_error_is_back_after_a_failure(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "x-symbol.json").write_text("{}")
    for name, why in (("x-symbol.json", "is not an MXNet symbol"), ("none-symbol.json", "cannot be read")):
        with pytest.raises(CheckpointError, match=f"{name}: {why}"):
            read_symbol(tmp_path / name)
    os.write(2, b"there\n")
    assert capfd.readouterr().err == "there\n"


def test_a_closed_standard_error(old: Path, root: Path) -> None:
    reading = f"from fairface.graph.symbol_file import read_symbol; print(read_symbol({str(old)!r}))"
    code = f"import os; os.close(2); {reading}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=root)
    assert (done.returncode, done.stdout) == (0, "<Symbol fc1>\n")


def test_a_pointer_of_git_lfs(tmp_path: Path) -> None:
    path = tmp_path / "model-symbol.json"
    path.write_text(POINTER)
    with pytest.raises(CheckpointError, match=r"model-symbol\.json: is a Git LFS pointer.* `git lfs pull`"):
        read_symbol(path)
