"""AdaFace's shell scripts: which programs they start, with which words.

The programs only tell their arguments. Bash stands in for Python, which takes longer to start than all of this.
"""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = ("train.sh", "prep_and_train.sh", "prep_and_train_demo.sh", "eval_5valsets.sh", "prep_data_validation.sh")
PROGRAMS = ("train/adaface.py", "test/five_sets.py", "scripts/compound_multiple_datasets.py",
            "data_process/prepare_orl.py", "data_process/convert.py")  # fmt: skip
TELLER = """printf '%s' "$(basename "$0")"; printf ' %q' "$@"; echo\n"""


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    place = tmp_path / "a clone"
    (place / "scripts").mkdir(parents=True)
    for name in SCRIPTS:
        (place / "scripts" / name).write_bytes((ROOT / "scripts" / name).read_bytes())
        (place / "scripts" / name).chmod(0o755)
    environment = place / "scripts" / "environment.sh"
    environment.write_text("#!/bin/sh\ncommand -v bash\n")
    environment.chmod(0o755)
    for name in PROGRAMS:
        (place / name).parent.mkdir(exist_ok=True)
        (place / name).write_text(TELLER)
    return place


@pytest.fixture
def work(tmp_path: Path) -> Path:
    (tmp_path / "work").mkdir()
    return tmp_path / "work"


def call(clone: Path, work: Path, script: str, *words: str) -> tuple[int, list[str], str]:
    command = [str(clone / "scripts" / script), *words]
    environment = {"PATH": os.environ["PATH"]}
    done = subprocess.run(command, capture_output=True, text=True, cwd=work, env=environment, check=False)
    return done.returncode, [shlex.join(shlex.split(line)) for line in done.stdout.splitlines()], done.stderr


def test_train_joins_the_folders_and_trains_with_the_published_settings(clone, work):
    (work / "all_data" / "validation").mkdir(parents=True)
    code, lines, err = call(clone, work, "train.sh", "my references", "variants", "--gpus", "2", "data.resize=true")
    assert (code, err) == (0, "")
    assert lines[0] == "compound_multiple_datasets.py -l 'my references' variants -p all_data/train_1/imgs"
    words = shlex.split(lines[1])
    assert words[:7] == ["adaface.py", "--train_data_path", "all_data/train_1", "--val_data_path",
                         "all_data/validation", "--prefix", "ir50_1_adaface"]  # fmt: skip
    assert words[-3:] == ["--gpus", "2", "data.resize=true"]  # after the script's own, so that they count
    told = " ".join(words)
    for setting in ("--arch ir_50", "--batch_size 256", "--epochs 30", "--lr_milestones 12,20,26", "--m 0.4",
                    "--h 0.333", "--low_res_augmentation_prob 0.2", "--use_16bit"):  # fmt: skip
        assert setting in told


@pytest.mark.parametrize(("words", "into"), [
    (["--train_data_path", "other/"], "other/imgs"),
    (["--data_root", "root/", "--train_data_path", "other"], "root/other/imgs"),
    (["--data_root", "root", "--train_data_path", "/abs"], "/abs/imgs"),
])  # fmt: skip
def test_train_joins_where_it_trains(clone, work, words, into):
    _, lines, _ = call(clone, work, "train.sh", "a", *words)
    assert lines[0] == f"compound_multiple_datasets.py -l a -p {into}"
    assert "--val_data_path" not in lines[1]


def test_train_without_folders_joins_nothing_and_help_makes_nothing(clone, work):
    assert [line.split()[0] for line in call(clone, work, "train.sh", "epochs=2")[1]] == ["adaface.py"]
    assert [line.split()[0] for line in call(clone, work, "train.sh", "a", "--help")[1]] == ["adaface.py"]


def test_prep_and_train_prepares_trains_and_scores(clone, work):
    (work / "bins").mkdir()
    (work / "bins" / "lfw.bin").touch()
    words = ("refs", "variants", "--bins", "bins", "--prefix", "mine", "--output_dir", "runs")
    code, lines, err = call(clone, work, "prep_and_train.sh", *words)
    assert code == 0, err
    assert [line.split()[0] for line in lines] == [
        "convert.py", "compound_multiple_datasets.py", "adaface.py", "five_sets.py",
    ]  # fmt: skip
    assert lines[0] == "convert.py --rec_path all_data/validation --make_validation_memfiles"
    assert lines[2].endswith("--prefix mine --output_dir runs")
    assert lines[3] == "five_sets.py all_data/validation --model runs/mine"
    assert "bins/cfp_fp.bin does not exist and is skipped" in err
    _, lines, _ = call(clone, work, "prep_and_train.sh", *words, "--dry-run")
    assert [line.split()[0] for line in lines] == ["convert.py", "compound_multiple_datasets.py", "adaface.py"]


def test_prep_and_train_without_validation_sets_says_so(clone, work):
    code, lines, err = call(clone, work, "prep_and_train.sh", "refs", "variants")
    assert (code, [line.split()[0] for line in lines]) == (0, ["compound_multiple_datasets.py", "adaface.py"])
    assert err.startswith("CASIA-Webface/mxnet does not exist: no validation sets, so nothing is scored; name")
    (clone / "train" / "adaface.py").write_text("exit 130\n")  # stopped: nothing is scored after it
    assert call(clone, work, "prep_and_train.sh", "refs")[0] == 130


@pytest.mark.parametrize("words", [[], ["--demo"], ["--demo", "--epochs", "2"], ["seed=1"]])
def test_the_demonstration_trains_on_the_embedded_people(clone, work, words):
    code, lines, err = call(clone, work, "prep_and_train.sh", *words)
    assert (code, err) == (0, "")
    assert lines[:2] == [
        "prepare_orl.py --generated all_data/orl",
        "compound_multiple_datasets.py -l all_data/orl/references/images_arcface_112x112 "
        "all_data/orl/variants/images_arcface_112x112 -p all_data/orl/train/imgs",
    ]
    own = [word for word in words if word != "--demo"]
    assert shlex.split(lines[2])[-len(own or ["--overwrite"]) :] == (own or ["--overwrite"])


def test_the_demonstration_and_folders_do_not_go_together(clone, work):
    code, lines, err = call(clone, work, "prep_and_train.sh", "refs", "--demo")
    assert (code, lines) == (2, [])
    assert err == "error: --demo trains on the embedded people; leave it out to train on refs\n"


@pytest.mark.parametrize(("words", "told"), [
    ([], "all_data/validation --model pretrained/adaface_ir50.ckpt"),
    (["models/x"], "all_data/validation --model models/x"),
    (["models/r100,0", "/data/faces", "--json"], "/data/faces --model models/r100,0 --json"),
    (["--resize"], "all_data/validation --model pretrained/adaface_ir50.ckpt --resize"),
])  # fmt: skip
def test_eval_names_model_and_folder(clone, work, words, told):
    assert call(clone, work, "eval_5valsets.sh", *words) == (0, [f"five_sets.py {told}"], "")
