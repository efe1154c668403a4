"""The runners of the speed benchmarks, with settings as small as they go; figures are not judged here."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SMALL = ["--net", "tiny", "--batch", "2", "--embedding", "8", "--image-size", "32"]


def start(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "benchmarks" / program), *SMALL, "--pairs", "2", "--steps", "1", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize("program", ["train_step", "embed"])
def test_our_sides_give_rates_memory_ratios_and_the_machine(result_of, program: str) -> None:
    result = result_of(program)
    ours, half = result["sides"]
    assert len(ours["rates"]) == len(half["rates"]) == 2
    assert min(ours["rates"] + half["rates"]) > 0
    assert 0.05 < ours["peak_gb"] < 4
    assert ours["check"] != half["check"]
    quotients = [b / a for a, b in zip(ours["rates"], half["rates"], strict=True)]
    assert result["ratios"]["ours bf16 / ours"] == pytest.approx(sum(quotients) / 2)
    assert result["ratios"]["ours bf16 / ours, memory"] == pytest.approx(ours["peak_gb"] / half["peak_gb"])
    assert result["machine"]["cores"] >= 1
    assert result["job"]["batch"] == 2


def test_profile_shares_add_up() -> None:
    done = start("train_step.py", "--sides", "ours", "--profile", "--json")
    assert done.returncode == 0, done.stderr
    (profile,) = json.loads(done.stdout)["profiles"]
    shares = profile["shares"]
    assert sum(shares.values()) == pytest.approx(1)
    assert {"convolution", "matrix product", "BatchNorm", "PReLU and activations", "outside oneDNN"} <= set(shares)
    assert profile["outside"] == pytest.approx(1 - shares["convolution"] - shares["matrix product"])
    assert profile["step_over_convolutions"] == pytest.approx(1 / shares["convolution"])


@pytest.mark.parametrize("program", ["train_step.py", "embed.py"])
def test_python_without_torch_is_named(program: str) -> None:
    done = start(program, "--torch-python", "/bin/false")
    assert done.returncode == 2
    assert "--torch-python" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_unknown_side_is_named() -> None:
    done = start("train_step.py", "--sides", "ours,jax")
    assert done.returncode == 2
    assert "ours first" in done.stderr
