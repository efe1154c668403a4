"""LPD's shell scripts: which program they start, with which words. Bash stands in for Python."""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TELLER = """printf '%q ' "$0" "$@"; echo\n"""
EVAL = ["--model", "models/lpd", "--data", "dataset/test dataset", "--masked", "names", "--both-directions",
        "--no-flip", "--resize"]  # fmt: skip


def told(place: Path, script: str, words: list[str]) -> list[str]:
    """The program's words, as a clone in ``place`` starts it from elsewhere."""
    clone = place / "a clone"
    for name in ("scripts/environment.sh", "train/lpd.py", "test/retrieval.py"):
        (clone / name).parent.mkdir(parents=True, exist_ok=True)
        (clone / name).write_text("#!/bin/sh\ncommand -v bash\n" if name.startswith("scripts") else TELLER)
        (clone / name).chmod(0o755)
    (clone / "scripts" / script).write_bytes((ROOT / "scripts" / script).read_bytes())
    done = subprocess.run(
        ["bash", str(clone / "scripts" / script), *words], capture_output=True, text=True, cwd=place, check=True,
        env={"PATH": os.environ["PATH"]},
    )  # fmt: skip
    program, *rest = shlex.split(done.stdout)
    return [Path(program).relative_to(clone).as_posix(), *rest]


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ([], []),
        (["1"], ["--device_id", "1"]),
        (["cpu", "--resume", "lpd.pixels=released"], ["--device_id", "cpu", "--resume", "lpd.pixels=released"]),
        (["--data", "my faces"], ["--data", "my faces"]),
    ],
)
def test_training(tmp_path: Path, words: list[str], wanted: list[str]) -> None:
    assert told(tmp_path, "run_train.sh", words) == ["train/lpd.py", *wanted]


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ([], []),
        (["0"], ["--devices", "gpu0"]),
        (["cpu"], ["--devices", "cpu0"]),
        (["--model", "models/lpd@26440"], ["--model", "models/lpd@26440"]),
    ],
)
def test_evaluation(tmp_path: Path, words: list[str], wanted: list[str]) -> None:
    assert told(tmp_path, "run_eval.sh", words) == ["test/retrieval.py", *EVAL, *wanted]


@pytest.mark.parametrize("script", ["run_train.sh", "run_eval.sh"])
def test_they_can_be_started(script: str) -> None:
    assert os.access(ROOT / "scripts" / script, os.X_OK)
