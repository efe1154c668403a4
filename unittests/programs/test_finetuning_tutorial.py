"""docs/finetuning.md: every command runs, in its order, on a tiny data set."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from fairface.training.run import train
from unittests.training.helpers import make_people, tiny_config

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "finetuning.md").read_text(encoding="utf-8")
# A tiny net, short steps, and groups of the few people that there are.
SMALL = [
    "data.image_size=32", "backbone.embedding=8", "backbone.width=0.25", "devices=cpu0", "batch_size=8",
    "step1.steps=1", "step2.steps=2", "log.tensorboard=false", "log.sheet=false", "verify.every=1",
]  # fmt: skip
FAIR = ["step3.steps=1", "fairness.fmr=0.1", "fairness.min_subjects=2"]


def copy(source: Path, target: Path) -> None:
    """A file, or a folder without caches."""
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", "tmp_data", "datasets"))
    else:
        shutil.copy(source, target)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout's programs, photographs of three sets of people, their CSV files and a model."""
    # Copies, since the scripts go to the folder that they really lie in.
    for name in ("train", "test", "data_process", "fairface", "scripts", "pyproject.toml", "requirements.lock"):
        copy(ROOT / name, tmp_path / name)
    for script in ROOT.glob("*.sh"):
        shutil.copy(script, tmp_path)
    for name, people in (("mine", 4), ("others", 6), ("kept", 6)):
        photos = make_people(tmp_path / name, people, 4, 32)
        for photo in sorted(photos.glob("*/*.png")):
            photo.rename(photo.with_name(f"{photo.parent.name}_{photo.name}"))
        rows = [f"{photo.relative_to(tmp_path)},{photo.parent.name},{'mf'[int(photo.parent.name[-1]) % 2]}"
                for photo in sorted(photos.glob("*/*.png"))]  # fmt: skip
        (tmp_path / f"{name}.csv").write_text("\n".join(["image,identity,sex", *rows, ""]))
    assert train(tiny_config(tmp_path, tmp_path / "mine", "name=my_model", "verify.every=0"), quiet=True) == 0
    monkeypatch.chdir(tmp_path)
    return tmp_path


def small(command: str) -> list[str]:
    """The command's words with what makes it quick."""
    words = command.split()
    if words[0] == "python":
        extra = ["--size", "32"] if words[1].endswith("face2rec2.py") else []
        return [sys.executable, *words[1:], *extra, *(["--bootstrap", "20"] if "fairness.py" in words[1] else [])]
    if words[0] == "./do.sh":
        return [*words, "--size", "32", "--bootstrap", "20", "--fmr", "0.05", "--min-subjects", "2"]
    return [*words, *SMALL, *([] if "hard" in words[0] else FAIR)]


def test_every_command_runs(place: Path) -> None:
    commands = [line for block in re.findall(r"```bash\n(.*?)```", PAGE, re.DOTALL) for line in block.splitlines()]
    assert len(commands) >= 10
    environment = {**os.environ, "PYTHON": sys.executable, "PYTHONPATH": str(place)}
    environment.pop("VIRTUAL_ENV", None)
    pack = f"{sys.executable} {ROOT}/data_process/face2rec2.py kept.csv --attributes sex:m/f --size 32"
    printed = []
    for words in [[*pack.split(), "--output", "datasets/kept"], *map(small, commands)]:
        done = subprocess.run(words, cwd=place, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{' '.join(words)}\n{done.stderr}"
        printed.append(done.stdout + done.stderr)
    told = "\n".join(printed)
    assert "worst FMR" in told
    assert "Compared with the model before" in told
    assert "group set by hand: sex=f" in told
    assert "step 1 of slower is finished" in told
    assert (place / "hard.txt").is_file()
    assert (place / "models" / "my_hard_step2" / "manifest.json").is_file()
    assert (place / "models" / "my_fair_step3" / "group.json").is_file()
    report = (place / "results" / "kept" / "report.md").read_text()
    assert "What these subjects cannot show" in report
    assert "Groups by sex" in report
    assert len((place / "results" / "kept" / "predictions.csv").read_text().splitlines()) == 1 + 24 * 23 // 2


def test_scripts_end_in_the_program(tmp_path: Path) -> None:
    done = subprocess.run(
        ["bash", str(ROOT / "fairface_step2_finetune.sh"), "train/configs/my_fair.yaml", "data.path=x", "--dry-run"],
        cwd=tmp_path, capture_output=True, text=True, check=False, env={**os.environ, "PYTHON": sys.executable},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "name: my_fair_step2" in done.stdout
    assert "name: my_fair_step1" not in done.stdout
