"""LPD's flags: the published settings as they come out, each flag's key, what is refused and how."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

import pytest

from fairface import hardware
from fairface.cli import parser
from fairface.config.flags import add_flags, ignored
from fairface.config.schema import TrainConfig
from fairface.errors import ConfigError, FairfaceError
from fairface.programs.lpd import configured
from fairface.programs.run_options import add_run_options, parse_run
from fairface.recipes.lpd_flags import FLAGS, notes_on
from fairface.training.schedule import learning_rate


def parsed(*words: str) -> Namespace:
    options = parser("Trains.", prog="trains")
    add_flags(options, FLAGS)
    add_run_options(options, "nothing")
    return parse_run(options, words, [])


def config_of(*words: str) -> TrainConfig:
    return configured(parsed(*words))


def value(config: TrainConfig, key: str) -> Any:
    found: Any = config
    for part in key.split("."):
        found = getattr(found, part)
    return found


def test_the_published_settings() -> None:
    config = config_of()
    wanted = {
        "method": "lpd", "name": "lpd", "output": "models", "data.path": "dataset/train dataset", "epochs": 120,
        "batch_size": 128, "sampler.kind": "pk", "sampler.images_per_class": 8, "backbone.name": "lpd",
        "backbone.embedding": 4096, "data.image_size": 128, "data.resize": True, "head.name": "softmax",
        "augment.mirror": 0, "optimizer.lr": 0.01, "optimizer.momentum": 0.9, "optimizer.weight_decay": 0,
        "optimizer.gamma": 0.1, "optimizer.schedule": "step", "lpd.nose_height": "file_name", "seed": 1,
        "log.every": 100, "lpd.height_weight": 1, "lpd.epsilon": 1e-4, "lpd.head_deviation": 1e-3,
    }  # fmt: skip
    assert {key: value(config, key) for key in wanted} == wanted


def test_the_published_learning_rates() -> None:
    """Epochs of 661 steps: up to epoch 20 rising, to 60 at 0.01, to 100 a tenth, then a hundredth."""
    optimizer, epoch = config_of().optimizer, 661
    rates = [learning_rate(optimizer, step, 120 * epoch) for step in range(120 * epoch)]
    assert rates[0] == pytest.approx(0.01 / (20 * epoch))
    assert rates[10 * epoch - 1] == pytest.approx(0.005)
    for first, last, rate in ((20, 60, 1e-2), (60, 100, 1e-3), (100, 120, 1e-4)):
        assert rates[first * epoch : last * epoch] == pytest.approx([rate] * ((last - first) * epoch))


@pytest.mark.parametrize(
    ("words", "key", "wanted"),
    [
        (["--data", "faces"], "data.path", "faces"),
        (["--name", "mine"], "name", "mine"),
        (["--snapshot_prefix", "runs"], "output", "runs"),
        (["--device_id", "cpu"], "devices", "cpu0"),
        (["--nose_height", "column"], "lpd.nose_height", "column"),
        (["--nose_height", "0.55"], "lpd.nose_height", "constant"),
        (["--nose_height", "0.55"], "lpd.nose_height_value", 0.55),
        (["--arch", "lpd_tiny"], "backbone.name", "lpd_tiny"),
        (["--feat_len", "64"], "backbone.embedding", 64),
        (["--image_size", "112"], "data.image_size", 112),
        (["--ids_per_batch", "3"], "batch_size", 24),
        (["--images_per_id", "2"], "batch_size", 32),
        (["--images_per_id", "2"], "sampler.images_per_class", 2),
        (["--max_epoch", "40"], "optimizer.warmup", 0.5),
        (["--max_epoch", "40"], "optimizer.milestones", ()),
        (["--warmup_epochs", "0", "--lr_epochs", "[30, 60]"], "optimizer.milestones", (0.25, 0.5)),
        (["--warmup_epochs", "0"], "optimizer.warmup", 0),
        (["--lr", "0.2"], "optimizer.lr", 0.2),
        (["--gamma", "0.5"], "optimizer.gamma", 0.5),
        (["--momentum", "0.8"], "optimizer.momentum", 0.8),
        (["--weight_decay", "1e-4"], "optimizer.weight_decay", 1e-4),
        (["--height_weight", "2"], "lpd.height_weight", 2),
        (["--seed", "7"], "seed", 7),
        (["--log_every", "5"], "log.every", 5),
        (["--pretrained", "models/a@5"], "start_from", "models/a@5"),
        (["augment.mirror=0.5"], "augment.mirror", 0.5),
        (["--lr", "0.2", "optimizer.lr=0.3"], "optimizer.lr", 0.3),
    ],
)
def test_each_flag_sets_its_key(words: list[str], key: str, wanted: Any) -> None:
    assert value(config_of(*words), key) == wanted


def test_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hardware, "compute_capabilities", lambda: [])
    assert config_of("--device_id", "2").devices == "cpu0"
    assert notes_on(parsed("--device_id", "2")) == ["--device_id 2: no GPU here that MXNet can use; the CPU is used"]
    assert notes_on(parsed("--device_id", "cpu")) == notes_on(parsed()) == []
    monkeypatch.setattr(hardware, "compute_capabilities", lambda: [(8, 0)])
    assert config_of("--device_id", "2").gpus == "2"
    assert notes_on(parsed("--device_id", "2")) == []


def test_a_loss_scale_is_told_to_do_nothing() -> None:
    assert ignored(FLAGS, parsed("--loss_scale", "1024"))[0].startswith("--loss_scale: float32 needs no loss scale")
    assert ignored(FLAGS, parsed()) == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--device_id", "gpu0"], r"--device_id 'gpu0': write the number of a GPU"),
        (["--nose_height", "nose"], r"--nose_height nose: write column, file_name, constant or a share"),
        (["--nose_height", "1.5"], r"nose_height.* 1.5.*between 0 and 1"),
        (["--lr_epochs", "40,x"], r"--lr_epochs 40,x: write whole epochs"),
        (["--lr_epochs", "0"], r"--lr_epochs 0: write whole epochs"),
        (["--max_epoch", "20"], r"--warmup_epochs is 20 and --max_epoch 20: .* end before the run"),
        (["--warmup_epochs", "-1"], r"must be 0 or more"),
    ],
)
def test_what_is_refused(words: list[str], said: str) -> None:
    with pytest.raises(FairfaceError, match=said) as caught:
        config_of(*words)
    assert isinstance(caught.value, ConfigError)
    assert "\n" not in str(caught.value)
