"""AdaFace's flags: each one ends in the key that it means, and what cannot be honoured is one line."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fairface import hardware
from fairface.cli import parser
from fairface.config.flags import add_flags, check_refused, ignored, tree_of
from fairface.config.keys import keys
from fairface.config.load import from_tree
from fairface.config.tree import merged
from fairface.errors import ConfigError, DataError
from fairface.heads import build_head
from fairface.programs.run_options import add_run_options, parse_run
from fairface.recipes.adaface_flags import FIXED, FLAGS, HEADS, notes_on
from fairface.training.schedule import learning_rate, steps_of
from unittests.data.builders import bin_file, images


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder as the published scripts leave it, on a machine without GPUs."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "all_data" / "train_1" / "imgs").mkdir(parents=True)
    made = bin_file(tmp_path / "made", images()).path
    (tmp_path / "all_data" / "validation").mkdir()
    for name in ("agedb_30", "lfw", "cfp_fp"):
        (tmp_path / "all_data" / "validation" / f"{name}.bin").write_bytes(made.read_bytes())
    monkeypatch.setattr(hardware, "compute_capabilities", list)
    return tmp_path


def parse(*words: str) -> Namespace:
    options = parser("Trains.", prog="adaface.py")
    add_flags(options, FLAGS)
    add_run_options(options, "everything")
    return parse_run(options, words, [])


def flat(tree: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, value in tree.items():
        result |= flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": value}
    return result


def set_by(*words: str) -> dict[str, Any]:
    return flat(tree_of(FLAGS, parse("--data_root", "all_data", "--train_data_path", "train_1", *words)))


EXPECTED = {
    "--data_root elsewhere --train_data_path all_data/train_1": {"data.path": "all_data/train_1/imgs"},
    "--train_data_path train_1/imgs": {"data.path": "all_data/train_1/imgs"},
    "--val_data_path validation": {"verify.sets": [f"all_data/validation/{name}.bin"
                                                   for name in ("lfw", "cfp_fp", "agedb_30")]},
    "--custom_num_class 30000": {"data.identities": 30000},
    "--train_data_subset kept.txt": {"data.only": "kept.txt"},
    "--swap_color_channel": {"augment.swap_colors": 1.0},
    "--prefix ir50_1_adaface": {"name": "ir50_1_adaface"},
    "--output_dir ./experiments": {"output": "./experiments"},
    "--gpus 0": {"devices": "cpu0"},
    "--batch_size 512": {"batch_size": 512},
    "--num_workers 8": {"data.threads": 8},
    "--num_workers 0": {"data.threads": 1},
    "--epochs 26": {"epochs": 26, "verify.every": 1 / 26, "optimizer.milestones": [8 / 26, 12 / 26, 14 / 26]},
    "--epochs 4": {"epochs": 4, "verify.every": 0.1 / 4, "optimizer.milestones": []},
    "--lr 0.05": {"optimizer.lr": 0.05},
    "--lr_milestones 12,20,26": {"optimizer.milestones": [12 / 24, 20 / 24]},
    "--lr_gamma 0.5": {"optimizer.gamma": 0.5},
    "--momentum 0.8": {"optimizer.momentum": 0.8},
    "--weight_decay 0.1": {},
    "--distributed_backend ddp": {},
    "--head adaface --m 0.3 --h 0.2 --t_alpha 1.0": {
        "head.name": "adaface", "head.options.m": 0.3, "head.options.h": 0.2, "head.options.t_alpha": 1.0},
    "--head arcface --m 0.3 --h 0.2 --t_alpha 1.0": {"head.name": "arcface_clamped", "head.m2": 0.3},
    "--head cosface --m 0.3": {"head.name": "cosface_clamped", "head.m3": 0.3},
    "--s 32": {"head.s": 32.0},
    "--arch ir_50": {"backbone.name": "ir_50"},
    "--low_res_augmentation_prob 0.2": {"augment.low_res": 0.2},
    "--crop_augmentation_prob 0.3": {"augment.crop": 0.3},
    "--photometric_augmentation_prob 0.4": {"augment.photometric": 0.4},
    "--seed 7": {"seed": 7},
    "--test_run": {"steps": 50, "verify.every": None},
    "--start_from_model_statedict a.ckpt": {"start_from": "a.ckpt"},
    "--save_all_models": {"keep": 1 << 20},
    "--use_mxrecord": {},
    "--use_16bit": {},
    "--accumulate_grad_batches 1": {},
    "--resume_from_checkpoint": {},
}  # fmt: skip


@pytest.mark.parametrize("words", EXPECTED)
def test_each_flag_ends_in_its_key(words, place):
    if words == "--use_mxrecord":
        (place / "all_data" / "train_1" / "train.rec").touch()
        assert set_by(words)["data.path"] == "all_data/train_1"
        return
    given = [*words.split(), ""] if words == "--resume_from_checkpoint" else words.split()
    before, after = set_by(), set_by(*given)
    changed = {key: after.get(key) for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
    same_as_before = {key for key, value in EXPECTED[words].items() if before.get(key) == value}
    assert changed | {key: after[key] for key in same_as_before} == EXPECTED[words]


def test_no_flag_is_left_out_above_and_all_keys_exist():
    tried = {word for words in EXPECTED for word in words.split() if word.startswith("--")}
    assert set(FLAGS) - tried == {"--evaluate", "--use_wandb", "--fast_dev_run"}  # no keys: see below and the program
    known = {key for key, _ in keys()} | {f"head.options.{name}" for name in ("m", "h", "t_alpha")}
    assert {key for flag in FLAGS.values() for key in flag.keys} <= known
    assert set(flat(dict(FIXED))) <= known


def test_gpus_are_a_count(monkeypatch):
    monkeypatch.setattr(hardware, "compute_capabilities", lambda: [(9, 0), (8, 0), (7, 5)])  # the first is too new
    assert set_by("--gpus", "2", "--use_16bit").items() >= {"gpus": "1,2", "precision": "fp16"}.items()
    assert set_by("--use_16bit")["gpus"] == "1"
    assert "precision" not in set_by("--gpus", "0", "--use_16bit")
    with pytest.raises(ConfigError, match="--gpus 3: it is a number of GPUs, and this machine has 2"):
        set_by("--gpus", "3")
    with pytest.raises(ConfigError, match="--gpus -1"):
        set_by("--gpus=-1")


def test_the_schedule_is_that_of_epochs():
    """Learning rate and verification at every step of a run of 30 epochs, against torch's rule for epochs."""
    words = ("--data_root", "all_data", "--train_data_path", "train_1", "--epochs", "30", "--lr_milestones", "12,20,26")
    config = from_tree(merged(tree_of(FLAGS, parse(*words)), FIXED), "adaface.py")
    for steps_per_epoch in (1, 7, 113):
        total = 30 * steps_per_epoch
        for step in range(total):
            epoch = step // steps_per_epoch
            expected = 0.1 * 0.1 ** sum(epoch >= milestone for milestone in (12, 20, 26))
            assert learning_rate(config.optimizer, step, total) == pytest.approx(expected)
        assert steps_of(config.verify.every, total) == steps_per_epoch
    assert (config.optimizer.weight_decay, config.optimizer.decay_norm, config.optimizer.momentum) == (5e-4, False, 0.9)
    assert (config.verify.monitor, config.verify.flip, config.verify.folds) == ("accuracy", True, 10)


@pytest.mark.parametrize("head", ["adaface", "arcface", "cosface"])
def test_class_weights_start_at_length_one_as_published(head):
    config = from_tree(merged(FIXED, {"head": {"name": HEADS[head]}, "data": {"path": "x"}}), "adaface.py")
    made = build_head(config.head, config.backbone.embedding, 200)
    made.initialize()
    lengths = np.linalg.norm(made.weight.data().asnumpy(), axis=1)
    np.testing.assert_allclose(lengths, 1, atol=0.15)
    assert lengths.mean() == pytest.approx(1, abs=0.01)


def test_a_single_epoch_is_scored_ten_times():
    assert steps_of(set_by("--epochs", "1")["verify.every"], 1000) == 100


def test_sets_beside_the_training_data_are_found_without_the_flag(place):
    assert "verify.sets" not in set_by()
    (place / "all_data" / "validation" / "lfw.bin").rename(place / "all_data" / "train_1" / "lfw.bin")
    assert set_by()["verify.sets"] == ["all_data/train_1/lfw.bin"]


@pytest.mark.parametrize(("words", "message"), [
    ("--lr_milestones 8,x", "--lr_milestones 8,x: write whole epochs from 1 on"),
    ("--lr_milestones 0,8", "--lr_milestones 0,8: write whole epochs from 1 on"),
    ("--head arcface --m 0", "--m 0 leaves arcface without a margin"),
    ("--train_data_subset", "--train_data_subset: the published list is not part of this project; name a file"),
    ("--use_mxrecord", r"train_1: holds no train\.rec; leave out --use_mxrecord"),
    ("--val_data_path train_1", "train_1: holds no verification set"),
    ("--val_data_path none", "all_data/none: there is no such file or folder, nor none; correct --data_root or --val"),
])  # fmt: skip
def test_what_cannot_be_meant_is_one_line(words, message):
    with pytest.raises((ConfigError, DataError), match=message):
        set_by(*words.split())


def test_training_data_must_be_named():
    with pytest.raises(ConfigError, match="give --train_data_path"):
        tree_of(FLAGS, parse())


@pytest.mark.parametrize(("words", "message"), [
    ("--accumulate_grad_batches 4", "--accumulate_grad_batches: gradients are not summed"),
    ("--resume_from_checkpoint last.ckpt", "--resume_from_checkpoint: Lightning's training state"),
    ("--use_wandb", "--use_wandb: runs write log.jsonl"), ("--fast_dev_run", "--fast_dev_run: give --test_run"),
])  # fmt: skip
def test_what_is_not_there_is_refused_with_its_reason(words, message):
    with pytest.raises(ConfigError, match=message):
        check_refused(FLAGS, parse(*words.split()))


def test_what_does_nothing_or_something_else_is_said():
    args = parse("--data_root", "all_data", "--train_data_path", "all_data/train_1", "--use_16bit", "--head", "cosface",
                 "--h", "0.3", "--weight_decay", "1e-4", "--distributed_backend", "ddp")  # fmt: skip
    assert [note.split(":")[0].split(" is ")[0] for note in notes_on(args)] == [
        "--train_data_path all_data/train_1", "--gpus 1", "--use_16bit", "--h does nothing with --head cosface",
    ]  # fmt: skip
    assert [note.split(":")[0] for note in ignored(FLAGS, args)] == ["--weight_decay", "--distributed_backend"]
    quiet = parse("--data_root", "all_data", "--train_data_path", "train_1", "--gpus", "0")
    assert notes_on(quiet) == ignored(FLAGS, quiet) == []
