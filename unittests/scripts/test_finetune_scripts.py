"""The finetuning scripts end in the program, with their step."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_scripts_end_in_the_program(tmp_path: Path) -> None:
    done = subprocess.run(
        ["bash", str(ROOT / "fairface_step2_finetune.sh"), "train/configs/my_fair.yaml", "data.path=x", "--dry-run"],
        cwd=tmp_path, capture_output=True, text=True, check=False, env={**os.environ, "PYTHON": sys.executable},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "name: my_fair_step2" in done.stdout
    assert "name: my_fair_step1" not in done.stdout


def test_every_script_has_a_usage_text_of_its_own() -> None:
    for name in ("fairface_finetune", "fairface_step2_finetune", "fairface_step3_finetune", "hard_sample_finetune"):
        done = subprocess.run(
            ["bash", str(ROOT / f"{name}.sh"), "--help"], capture_output=True, text=True, check=False,
            env={**os.environ, "PYTHON": sys.executable},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        first = (ROOT / f"{name}.sh").read_text().splitlines()[1].removeprefix("# ")
        assert done.stdout.splitlines()[0] == first
        assert "--start-from" in done.stdout
        assert "set -euo" not in done.stdout
