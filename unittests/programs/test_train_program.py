"""``train/train.py``: options that do not go together."""

import subprocess
import sys
from pathlib import Path

PROGRAM = Path(__file__).parents[2] / "train" / "train.py"


def test_json_without_dry_run_does_not_train(tmp_path: Path) -> None:
    config = tmp_path / "run.yaml"
    config.write_text("name: x\n")
    result = subprocess.run(
        [sys.executable, str(PROGRAM), str(config), "--json"], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert result.returncode == 2
    assert "--dry-run" in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["run.yaml"]
