"""``train/adaface.py`` from its flags to a scored run, on drawn people."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from fairface.cli import run
from fairface.data.packing.plan import plan_folder
from fairface.data.packing.recordio import PackOptions, pack_plan
from fairface.data.pairsets.bin_set import write_bin
from fairface.programs import adaface
from fairface.programs.catalog import find
from unittests.training.helpers import SIZE, make_people

FIXTURES = Path(__file__).parents[1] / "fixtures"
SMALL = ("--gpus", "0", "--arch", "fresnet_tiny", "--batch_size", "8", "--num_workers", "1", "--s", "8",
         f"data.image_size={SIZE}", "backbone.embedding=8", "backbone.width=0.25", "log.tensorboard=false",
         "log.every=1", "verify.batch_size=8")  # fmt: skip
AUGMENTED = [word for name in ("low_res", "crop", "photometric") for word in (f"--{name}_augmentation_prob", "0.2")]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Data as AdaFace lays them out: images, the same as records, and two validation sets."""
    monkeypatch.chdir(tmp_path)
    people = make_people(tmp_path / "all_data" / "train_1" / "imgs", people=4, images=4)
    pack_plan(plan_folder(people), tmp_path / "all_data" / "packed", PackOptions(size=SIZE))
    photos = sorted(people.rglob("*.png"))
    (tmp_path / "all_data" / "validation").mkdir()
    for name, first in (("lfw", 0), ("calfw", 1)):
        pairs = [(photos[i], photos[(i + 1 + first + (i % 2) * 5) % len(photos)]) for i in range(12)]
        same = [a.parent == b.parent for a, b in pairs]
        assert len(set(same)) == 2
        images = [photo.read_bytes() for pair in pairs for photo in pair]
        write_bin(tmp_path / "all_data" / "validation" / f"{name}.bin", images, same)
    return tmp_path


def call(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    program = find("adaface")
    assert program is not None
    with pytest.raises(SystemExit) as left:
        run(adaface.main, words, program.settings)
    printed = capsys.readouterr()
    return int(left.value.code or 0), printed.out, printed.err


def log_of(folder: Path, event: str) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    return [line for line in lines if line["event"] == event]


@pytest.mark.parametrize("data", [("--train_data_path", "./all_data/train_1/"),
                                  ("--train_data_path", "packed", "--use_mxrecord")])  # fmt: skip
def test_from_flags_to_a_scored_model(place, capsys, data):
    words = ("--data_root", "./all_data", *data, "--val_data_path", "validation", "--custom_num_class", "4",
             "--prefix", "ada", "--output_dir", "runs", "--epochs", "5", "--lr_milestones", "2", "--lr", "0.01",
             "--head", "adaface", "--m", "0.4", "--h", "0.333", *AUGMENTED, *SMALL, "--seed", "3")  # fmt: skip
    code, _, err = call(capsys, *words)
    assert code == 0, err
    folder = place / "runs" / "ada"
    manifest = json.loads((folder / "manifest.json").read_text())
    assert [entry["step"] for entry in manifest["checkpoints"]][-1] == 10  # 16 images, 5 epochs of 2 steps
    assert (manifest["classes"], manifest["images"], manifest["head"]) == ([4], [16], "adaface")
    config = yaml.safe_load((folder / "config.yaml").read_text())
    assert config["augment"]["crop"] == config["augment"]["low_res"] == config["augment"]["photometric"] == 0.2
    assert (config["head"]["options"], config["seed"]) == ({"m": 0.4, "h": 0.333}, 3)
    assert (folder / "batch.png").read_bytes()[:4] == b"\x89PNG"  # the first batch, augmented
    # The best checkpoint is the one with the best mean accuracy over the sets.
    scores: dict[int, list[float]] = {}
    for name in ("lfw", "calfw"):
        for line in log_of(folder, f"verify/{name}"):
            scores.setdefault(line["step"], []).append(line["accuracy"])
    assert set(scores) == {2, 4, 6, 8, 10}
    means = {step: np.mean(values) for step, values in scores.items()}
    assert means[manifest["best"]] == pytest.approx(max(means.values()))
    code, _, err = call(capsys, *words)
    assert code == 2
    assert "ada: holds a run; --resume continues it, --overwrite replaces it" in err
    code, _, err = call(capsys, *words, "--resume")
    assert code == 0, err
    assert "resumed at step 10" in err
    rates = [round(line["lr"], 6) for line in log_of(folder, "train")]
    assert rates == [0.01] * 4 + [0.001] * 6
    code, out, err = call(capsys, "--evaluate", "--start_from_model_statedict", "runs/ada", "--data_root", "all_data",
                          "--val_data_path", "validation", "--batch_size", "8", "--gpus", "0")  # fmt: skip
    assert code == 0, err
    assert err.splitlines()[0] == "all_data/validation: CFP-FP, CPLFW, AgeDB-30: not there, left out"
    lines = out.splitlines()
    assert lines[0].split() == ["model", "LFW", "CFP-FP", "CPLFW", "CALFW", "AgeDB-30", "AVG", "of", "2"]
    assert lines[2].split()[-1] == f"{max(means.values()):.4f}"  # the run's best, scored as it was in training


def test_the_published_evaluation_of_a_released_checkpoint(place, capsys):
    """The words of the published eval_5valsets.sh; nobody tells the number of classes, and the net is in the file."""
    data = place / "all_data"
    words = ("--data_root", str(data / "train"), "--val_data_path", str(data / "validation"), "--use_16bit",
             "--start_from_model_statedict", str(FIXTURES / "adaface_ir.ckpt"), "--evaluate", "--arch",
             "ir_50", "--gpus", "0", "--batch_size", "8")  # fmt: skip
    code, out, err = call(capsys, *words)
    assert code == 0, err
    assert err.startswith("--use_16bit is for GPUs; on the CPU float32 is used")
    cells = out.splitlines()[2].split()
    assert cells[0].endswith("adaface_ir.ckpt")
    assert cells[2:4] == ["n/a", "n/a"]  # CFP-FP, CPLFW
    lfw, calfw, average = (float(cells[k]) for k in (1, 4, 6))
    assert average == pytest.approx((lfw + calfw) / 2, abs=1e-4)


def test_a_wrong_number_of_classes_names_both(place, capsys):
    words = ("--data_root", "all_data", "--train_data_path", "train_1", "--custom_num_class", "30000", *SMALL)
    code, out, err = call(capsys, *words)
    assert (code, out) == (2, "")
    assert err == (
        "error: all_data/train_1/imgs: has 4 identities but --custom_num_class is 30000; correct the number, leave it "
        "out, or name the data that it is of\n"
    )
    assert not (place / "models").exists()


def test_a_dry_run_estimates_and_writes_nothing(place, capsys):
    words = ("--data_root", "all_data", "--train_data_path", "train_1", *SMALL, "--dry-run", "--json")
    code, out, err = call(capsys, *words)
    assert code == 0, err
    found = json.loads(out)
    assert (found["images"], found["identities"], found["steps"]) == (16, [4], 48)
    assert found["learning_rate_first_last"] == [0.1, pytest.approx(1e-4)]  # 8, 12 and 14 of 24 epochs are over
    assert not (place / "models").exists()


@pytest.mark.parametrize(("words", "message"), [
    ("--evaluate", "--evaluate needs --start_from_model_statedict MODEL and --val_data_path FOLDER"),
    ("--evaluate --start_from_model_statedict a --val_data_path b --resume", "--evaluate does not train, so --resume"),
    ("--evaluate --start_from_model_statedict a --val_data_path b --dry-run", "so --dry-run has no meaning"),
    ("--evaluate --start_from_model_statedict a --val_data_path train_1", "all_data/train_1: holds none of lfw.bin"),
    ("--accumulate_grad_batches 2", "--accumulate_grad_batches: gradients are not summed"),
    ("--resume --overwrite", "--resume continues a run and --overwrite replaces it"),
    ("--lr -1", "error: --lr is -1.0; it must lie between 0 and"),
    ("--batch_size 0", "error: --batch_size is 0; it must"),
    ("--low_res_augmentation_prob 2", "--low_res_augmentation_prob is 2.0; it must lie between 0 and 1"),
    ("--arch ir_51", "error: --arch is 'ir_51', which is not a known backbone; did you mean ir_50?"),
    ("--epochs 0", "set one of them"), ("--epochs x", "argument --epochs: invalid int value: 'x'"),
    ("--head softmax", "argument --head: invalid choice: 'softmax'"), ("--hed adaface", "unrecognized arguments"),
    ("optimizer.lerning_rate=1", "unknown key optimizer.lerning_rate"),
    ("train_2", "'train_2' is one word too many; settings are written key=value"),
    ("--train_data_subset none.txt", "none.txt: cannot be read"),
    ("--start_from_model_statedict none.ckpt", "none.ckpt: there is no such file"),
])  # fmt: skip
def test_wrong_flags_are_one_line(place, capsys, words, message):
    given = ("--data_root", "all_data", "--train_data_path", "train_1", *SMALL)
    if words.startswith(("--batch_size", "--arch")):
        given = given[:4]
    code, _, err = call(capsys, *given, *words.split())
    assert code == 2
    assert message in err.splitlines()[-1]
    assert "Traceback" not in err
    assert not list(place.glob("models/*/*.*"))
