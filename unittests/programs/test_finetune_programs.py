"""``train/finetune.py`` and ``train/mine_hard_samples.py``: wrong words cost one line and exit code 2."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FAIR = str(ROOT / "train" / "configs" / "orl_fair.yaml")


def call(program: str, *words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    path = ROOT / "train" / program
    return subprocess.run([sys.executable, str(path), *words], capture_output=True, text=True, cwd=cwd, check=False)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("none.yaml", "all"), "none.yaml"),
        ((FAIR, "4", "--dry-run"), "1 to 3"),
        ((FAIR, "two", "--dry-run"), "1 to 3"),
        ((FAIR, "1", "step2.optimiser.lr=1"), "optimizer.lr"),
        ((FAIR, "1", "start_from=nobody"), "nobody: is not a run"),
        ((str(ROOT / "train" / "configs" / "orl_demo.yaml"), "1"), "steps"),
    ],
)
def test_finetune_says_what_is_wrong_in_one_line(tmp_path: Path, words: tuple[str, ...], message: str) -> None:
    done = call("finetune.py", *words, cwd=tmp_path)
    assert done.returncode == 2
    assert message in done.stderr
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_start_for_a_later_step_is_named_another_way(tmp_path: Path) -> None:
    done = call("finetune.py", FAIR, "2", "start_from=x", cwd=tmp_path)
    assert done.returncode == 2
    assert "--start-from" in done.stderr


def test_dry_run_shows_the_steps(tmp_path: Path) -> None:
    done = call("finetune.py", FAIR, "all", "step3.epochs=9", "--dry-run", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert [line for line in done.stdout.splitlines() if line.startswith("name:")] == [
        "name: orl_fair_step1", "name: orl_fair_step2", "name: orl_fair_step3",
    ]  # fmt: skip
    assert "epochs: 9.0" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_mining_needs_a_run(tmp_path: Path) -> None:
    done = call("mine_hard_samples.py", "nobody", cwd=tmp_path)
    assert done.returncode == 2
    assert "nobody: is not a run" in done.stderr
    assert list(tmp_path.iterdir()) == []
