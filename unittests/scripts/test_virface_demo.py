"""VirFace's demonstration: the stages in their order, and the table at its end."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def metrics(auc: float, tar: float | None) -> str:
    interval = {"low": auc - 0.1, "high": auc + 0.1}
    return json.dumps({"auc": auc, "eer": 0.25, "tar": {"0.1": tar}, "accuracy": 0.5, "intervals": {"auc": interval},
                       "genuine": 45, "impostor": 450, "subjects": 10})  # fmt: skip


def test_the_stages_in_their_order_then_the_table(tmp_path: Path) -> None:
    """Programs that only tell their arguments stand in for the real ones; the folder has a space in its name."""
    place = tmp_path / "a folder"
    teller = "import sys; print(*sys.argv[1:], file=sys.stderr)\n"
    for name in ("train/train.py", "data_process/prepare_orl.py"):
        (place / name).parent.mkdir(parents=True)
        (place / name).write_text(teller)
    (place / "scripts").mkdir()
    (place / "scripts" / "virface_table.py").write_text("import sys; print(*sys.argv[1:])\n")
    (place / "scripts" / "environment.sh").write_text(f"#!/bin/sh\necho '{sys.executable}'\n")
    (place / "scripts" / "environment.sh").chmod(0o755)
    shutil.copy(ROOT / "scripts" / "virface_demo.sh", place / "scripts")
    command = [str(place / "scripts" / "virface_demo.sh"), "seed=1", "output=else where"]
    done = subprocess.run(command, capture_output=True, text=True, cwd="/", env=dict(os.environ), check=True)
    stages = ("pretrain", "generator", "virclass", "virface")
    told = [f"train/configs/virface_{stage}.yaml --overwrite seed=1 output=else where" for stage in stages]
    assert done.stderr.splitlines() == ["", *told]
    assert done.stdout == " ".join(f"else where/virface_{stage}" for stage in ("pretrain", *stages[2:])) + "\n"


def test_the_table_and_a_run_without_results(tmp_path: Path) -> None:
    for name, text in (("before", metrics(0.8, 0.4)), ("after", metrics(0.85, None))):
        (tmp_path / name).mkdir()
        (tmp_path / name / "metrics.json").write_text(text)
    command = [sys.executable, str(ROOT / "scripts" / "virface_table.py"), str(tmp_path / "before")]
    done = subprocess.run([*command, str(tmp_path / "after")], capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    assert lines[0].split("  ")[0] == "model"
    assert lines[2].split() == ["before", "0.800", "[0.700,", "0.900]", "0.250", "0.400"]
    assert lines[3].split() == ["after", "0.850", "[0.750,", "0.950]", "0.250", "n/a"]
    assert lines[4].startswith("45 genuine and 450 impostor comparisons of 10 subjects")
    done = subprocess.run([*command, str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "has no results of a test" in done.stderr
    assert done.stderr.count("\n") == 1
