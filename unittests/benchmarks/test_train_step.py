"""The runner of the training-step benchmark, with settings as small as they go; figures are not judged here."""

import json
import subprocess
import sys
from pathlib import Path

PROGRAM = Path(__file__).parents[2] / "benchmarks" / "train_step.py"
SMALL = ["--net", "fresnet_tiny", "--batch", "2", "--classes", "5", "--embedding", "8", "--image-size", "32"]


def start(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(PROGRAM), *SMALL, "--pairs", "2", "--steps", "1", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_our_side_alone_gives_rates_memory_and_the_machine() -> None:
    done = start("--sides", "ours", "--json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    (ours,) = result["sides"]
    assert len(ours["rates"]) == 2
    assert min(ours["rates"]) > 0
    assert 0.05 < ours["peak_gb"] < 4
    assert (ours["ours_over_this"], result["ratio"]) == (1.0, None)
    assert result["machine"]["cores"] >= 1
    assert result["job"]["batch"] == 2


def test_python_without_torch_is_named() -> None:
    done = start("--torch-python", "/bin/false")
    assert done.returncode == 2
    assert "--torch-python" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_unknown_side_is_named() -> None:
    done = start("--sides", "ours,jax")
    assert done.returncode == 2
    assert "ours first" in done.stderr
