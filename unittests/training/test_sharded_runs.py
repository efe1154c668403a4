"""Runs with split classes: as without, resumed to the same bits, on other devices, refused in one line."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from fairface.checkpoints import resolve
from fairface.config.check import check
from fairface.config.schema import TrainConfig
from fairface.errors import CheckpointError, ConfigError, TrainingError
from fairface.heads.sharded import ShardedClassifier
from fairface.methods.classify import Classify
from fairface.parameters import load_arrays
from fairface.training.estimate import estimate
from fairface.training.plan import plan
from fairface.training.run import train
from unittests.training.helpers import make_people, tiny_config

PEOPLE = 7
SHARDED = ("head.sharded=true",)
SAMPLED = (*SHARDED, "head.sample_rate=0.5")


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_people(tmp_path_factory.mktemp("data") / "people", people=PEOPLE)


def config_of(folder: Path, people: Path, *words: str) -> TrainConfig:
    config = tiny_config(folder, people, "save_every=2", "log.every=1", "verify.sets=", "verify.every=0", *words)
    check(config)
    return config


def arrays_of(run: Path) -> dict[str, np.ndarray]:
    files = resolve(f"{run}@last", with_state=True)
    found = {}
    for file in (files.params, files.blocks, files.state):
        found.update({name: array.asnumpy() for name, array in load_arrays(str(file)).items()})
    return found


def trained(folder: Path, people: Path, *words: str) -> dict[str, np.ndarray]:
    config = config_of(folder, people, *words)
    assert train(config, quiet=True) == 0
    return arrays_of(folder / "models" / config.name)


def killed(config: TrainConfig, calls: int) -> None:
    """A run whose process dies at a call of ``losses``."""
    counted = iter(range(100))
    real = Classify.losses

    def losses(self: Classify, *arguments: object) -> object:
        if next(counted) == calls:
            raise TrainingError("killed")
        return real(self, *arguments)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patch, pytest.raises(TrainingError, match="killed"):
        patch.setattr(Classify, "losses", losses)
        train(config, quiet=True)


def test_split_classes_learn_what_whole_ones_do_also_when_resumed_on_other_devices(
    tmp_path: Path, people: Path
) -> None:
    """The frozen backbone makes numbers of devices comparable. Either head starts from the other's checkpoint."""
    trained(tmp_path, people, "name=start", "steps=1")
    words = ("stage=head", "optimizer.lr=0.2", "optimizer.head_lr_mult=0.5", "steps=4")
    whole = trained(tmp_path, people, *words, "start_from=start", "name=whole")
    words = (*words, *SHARDED, "start_from=start", "name=split")
    killed(config_of(tmp_path, people, *words, "devices=cpu0,cpu1"), calls=3)
    assert train(config_of(tmp_path, people, *words, "devices=cpu0,cpu1,cpu2"), resume=True, quiet=True) == 0
    split = arrays_of(tmp_path / "models" / "split")
    np.testing.assert_allclose(split["head.weight"], whole["head.weight"], rtol=1e-4, atol=2e-6)
    np.testing.assert_allclose(split["head.momentum"], whole["optimizer.head.weight.0"], rtol=1e-3, atol=2e-6)
    again = trained(tmp_path, people, "stage=head", "steps=1", "optimizer.lr=0", "start_from=split", "name=again")
    np.testing.assert_array_equal(again["head.weight"], split["head.weight"])


def test_a_killed_run_goes_on_to_the_same_bits_with_its_classes_in_files(tmp_path: Path, people: Path) -> None:
    words = (*SAMPLED, "head.name=curricularface", "head.m3=0", "devices=cpu0,cpu1", "steps=4")
    whole = trained(tmp_path, people, *words, "name=whole")
    killed(config_of(tmp_path, people, *words, "name=broken"), calls=3)
    assert resolve(f"{tmp_path}/models/broken@last").step == 2
    assert train(config_of(tmp_path, people, *words, "name=broken", f"head.scratch={tmp_path}"), True, quiet=True) == 0
    broken = arrays_of(tmp_path / "models" / "broken")
    assert {name: array.tobytes() for name, array in broken.items()} == {n: a.tobytes() for n, a in whole.items()}
    assert whole["method.head.step"] == [4]
    assert whole["head.momentum"].any()


def test_the_loss_falls_with_half_of_the_classes_in_a_step(tmp_path: Path, people: Path) -> None:
    trained(tmp_path, people, *SAMPLED, "steps=24", "save_every=24", "optimizer.lr=0.1", "augment.mirror=0")
    lines = (tmp_path / "models" / "tiny" / "log.jsonl").read_text().splitlines()
    losses = [entry["loss"] for entry in map(json.loads, lines) if "loss" in entry]
    assert len(losses) == 24
    assert np.mean(losses[-4:]) < 0.5 * np.mean(losses[:4])


def test_a_triplet_loss_beside_split_classes(tmp_path: Path, people: Path) -> None:
    words = ("method=fused", "sampler.kind=pk", "sampler.images_per_class=4", "steps=2", "devices=cpu0,cpu1")
    found = trained(tmp_path, people, *SAMPLED, *words)
    assert found["head.momentum"].any()
    assert {"method.head.step", "method.triplet.step"} <= set(found)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((*SHARDED, "devices=" + ",".join(f"cpu{n}" for n in range(8)), "batch_size=8"),
         "7 classes cannot be split over 8 devices"),
        (("head.sample_rate=0.5",), "head.sample_rate is 0.5, but head.sharded is false"),
        (("head.scratch=/tmp",), "head.scratch is /tmp, but head.sharded is false"),
        ((*SHARDED, "head.scratch=/tmp"), "set head.sample_rate below 1"),
        ((*SAMPLED, "head.scratch=/nowhere"), "head.scratch is '/nowhere', which is not a folder"),
        ((*SHARDED, "head.sample_rate=0"), "head.sample_rate is 0"),
        ((*SHARDED, "optimizer.name=adam"), "optimizer.name is adam, but head.sharded=true"),
        ((*SHARDED, "method=virface", "stage=pretrain"), "set head.sharded=false"),
        (("head.name=softmax", "head.m3=0", "head.interclass_filter=0.4"), "head.interclass_filter needs cosines"),
    ],
)  # fmt: skip
def test_refused_in_one_line_before_the_first_step(
    tmp_path: Path, people: Path, words: tuple[str, ...], said: str
) -> None:
    with pytest.raises(ConfigError, match=said) as caught:
        train(config_of(tmp_path, people, *words), quiet=True)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "models").exists()


def test_a_sources_own_head_is_checked_too(tmp_path: Path, people: Path) -> None:
    source = {"name": "known", "data": {"path": str(people)}, "batch_size": 8, "head": {"sample_rate": 0.5}}
    config = tiny_config(tmp_path, people, sources=[source])
    with pytest.raises(ConfigError, match=r"sources\.known\.head\.sample_rate is 0\.5, but sources\.known\.head\.shar"):
        check(config)


def test_resuming_a_whole_head_as_a_split_one_is_refused(tmp_path: Path, people: Path) -> None:
    trained(tmp_path, people, "name=run", "steps=2")
    with pytest.raises(CheckpointError, match=r"head\.sharded was False and is now True"):
        train(config_of(tmp_path, people, "name=run", "steps=2", *SHARDED), resume=True, quiet=True)


def test_a_start_with_other_classes_is_reinitialised_and_said(
    tmp_path: Path, people: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fewer = make_people(tmp_path / "fewer", people=4)
    trained(tmp_path, fewer, "name=start", "steps=1", *SHARDED)
    config = config_of(tmp_path, people, "start_from=start", "head.init_from=mean_embedding", *SHARDED, "steps=1")
    assert train(config) == 0
    told = capsys.readouterr()
    assert "head is re-initialised: this run wants {'weight': (7, 8)}" in told.out + told.err
    assert "head starts from the mean embedding of each of 7 identities" in told.out + told.err


def test_the_estimate_counts_classes_once(tmp_path: Path, people: Path) -> None:
    bytes_of = {}
    for name, words in (("one", SHARDED), ("two", (*SHARDED, "devices=cpu0,cpu1")), ("sampled", SAMPLED)):
        planned = plan(config_of(tmp_path, people, *words))
        found = estimate(planned)
        head = planned.run.method.blocks()["head"]
        assert isinstance(head, ShardedClassifier)
        assert found["parameters"]["head"] == PEOPLE * 8
        bytes_of[name] = (found["memory_bytes"], found["parameters"]["backbone"])
    one, backbone = bytes_of["one"]
    assert bytes_of["two"][0] - one == backbone * 4 * 3
    assert bytes_of["sampled"][0] - one == PEOPLE * 8 * 4 // 2  # 3.5 arrays instead of 3


def test_more_gpus_than_identities_are_refused_where_there_are_none(tmp_path: Path, people: Path) -> None:
    words = ("devices=", "batch_size=16", "gpus=" + ",".join(map(str, range(90, 98))))
    with pytest.raises(ConfigError, match="7 classes cannot be split over 8 devices"):
        plan(config_of(tmp_path, people, *SHARDED, *words))
