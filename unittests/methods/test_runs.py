"""Whole runs of two steps from configuration alone, for every head and pair loss; broken runs end in the same bits."""

import json
import math
import signal
from pathlib import Path

import numpy as np
import pytest

from fairface.checkpoints import resolve
from fairface.errors import ConfigError
from fairface.heads import HEADS, PRESETS
from fairface.heads.triplets import TRIPLET_LOSSES
from fairface.parameters import load_arrays
from fairface.training import trainer
from fairface.training.run import train
from unittests.training.helpers import make_people, tiny_config

PK = ["sampler.kind=pk", "sampler.images_per_class=4"]
QUICK = ["head.m3=0", "verify.sets=", "verify.every=0", "log.every=1"]


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_people(tmp_path_factory.mktemp("data") / "people")


def log_of(run: Path) -> list[dict[str, float]]:
    lines = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    return [line for line in lines if line["event"] == "train"]


def saved(run: Path) -> dict[str, np.ndarray]:
    files = resolve(f"{run}@last")
    paths = [path for path in (files.params, files.blocks, files.state) if path is not None]
    return {name: array.asnumpy() for path in paths for name, array in load_arrays(str(path)).items()}


@pytest.mark.parametrize("name", sorted(set(HEADS) - set(PRESETS)))
def test_every_head_trains_from_its_name_alone(tmp_path, people, name):
    smoothing = "head.label_smoothing=0.1"
    assert train(tiny_config(tmp_path, people, *QUICK, f"head.name={name}", smoothing, "steps=2"), quiet=True) == 0
    run = tmp_path / "models" / "tiny"
    assert all(math.isfinite(line["loss"]) and 0 <= line["accuracy"] <= 1 for line in log_of(run))
    statistics = {key: value for key, value in saved(run).items() if key.startswith("method.head.")}
    assert len(statistics) == {"adaface": 2, "curricularface": 1}.get(name, 0)
    assert all(value not in (0, 20, 100) for value in statistics.values())


@pytest.mark.parametrize("method", ["triplet", "fused"])
@pytest.mark.parametrize("loss", sorted(TRIPLET_LOSSES))
def test_every_pair_loss_trains_from_its_name_alone(tmp_path, people, loss, method):
    config = tiny_config(tmp_path, people, *QUICK, *PK, f"method={method}", f"triplet.loss={loss}", "steps=2")
    assert train(config, quiet=True) == 0
    run = tmp_path / "models" / "tiny"
    for line in log_of(run):
        assert line["triplets"] > 0
        assert line["triplet" if method == "fused" else "loss"] > 0
        assert ("accuracy" in line) == (method == "fused")
    assert saved(run)["method.triplet.step"] == 2
    assert resolve(str(run)).blocks is None or method == "fused"


class StopAfter:
    """Stands in for the signal: asks to stop after so many steps."""

    def __init__(self, steps: int) -> None:
        self.steps = steps
        self.asked = 0

    def __enter__(self) -> "StopAfter":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    @property
    def received(self) -> int | None:
        self.asked += 1
        return signal.SIGTERM if self.asked >= self.steps else None


@pytest.mark.parametrize(
    "overrides",
    [
        ["head.name=adaface"],
        ["method=triplet", "triplet.loss=angular_triplet", *PK],
        ["method=fused", "triplet.alpha=0.5", "head.name=curricularface", "head.options={alpha: 0.3}", *PK],
    ],
    ids=["adaface", "triplet", "fused"],
)
def test_a_broken_run_ends_in_the_same_bits(tmp_path, people, monkeypatch, overrides):
    whole, broken = (tiny_config(tmp_path / part, people, *QUICK, *overrides) for part in "ab")
    assert train(whole, quiet=True) == 0
    with monkeypatch.context() as patch:
        patch.setattr(trainer, "StopSignal", lambda: StopAfter(3))
        assert train(broken, quiet=True) == 128 + signal.SIGTERM
    run = tmp_path / "b" / "models" / "tiny"
    assert 0 < resolve(f"{run}@last").step < 6
    assert train(broken, resume=True, quiet=True) == 0
    first, second = saved(tmp_path / "a" / "models" / "tiny"), saved(run)
    assert {key: value.tobytes() for key, value in first.items()} == {k: v.tobytes() for k, v in second.items()}


@pytest.mark.parametrize("name", ["adaface", "curricularface"])
def test_two_devices_learn_the_same_as_one(tmp_path, people, name):
    """Only the head is trained: a frozen backbone's BatchNorm looks at no batch."""
    assert train(tiny_config(tmp_path, people, *QUICK, "name=base", "steps=1", "head.m3=0.1"), quiet=True) == 0
    ends = []
    for devices in ("cpu0", "cpu0,cpu1"):
        config = tiny_config(
            tmp_path, people, *QUICK, "stage=head", "start_from=base", "steps=2", f"head.name={name}",
            f"devices={devices}", f"name=d{len(ends)}", "batch_size=9",
        )  # fmt: skip
        assert train(config, quiet=True) == 0
        ends.append(saved(tmp_path / "models" / f"d{len(ends)}"))
    for key, value in ends[0].items():
        np.testing.assert_allclose(ends[1][key], value, rtol=1e-5, atol=1e-7)


def test_options_reach_the_head(tmp_path, people):
    config = tiny_config(tmp_path, people, *QUICK, "head.name=adaface", "head.options.h=101")
    with pytest.raises(ConfigError, match=r"head\.options\.h is 101.0; it must lie between 0 and 100"):
        train(config, quiet=True)


def test_fused_has_no_stage_that_trains_the_head_alone(tmp_path, people):
    with pytest.raises(ConfigError, match="method fused knows: all"):
        train(tiny_config(tmp_path, people, *QUICK, *PK, "method=fused", "stage=head"), quiet=True)


@pytest.mark.parametrize("method", ["classify", "triplet", "fused"])
def test_one_listed_source_is_as_the_short_form(tmp_path, people, method):
    runs = []
    head = {} if method == "triplet" else {"head": {"s": 8}}  # triplet has no classifier
    for name, sources in (("short", []), ("listed", [{"name": "only", "batch_size": 8, **head}])):
        config = tiny_config(tmp_path, people, *QUICK, *PK, f"method={method}", "steps=2", name=name, sources=sources)
        assert train(config, quiet=True) == 0
        runs.append(saved(tmp_path / "models" / name))
    assert runs[0].keys() == runs[1].keys()
    assert all((runs[0][key] == runs[1][key]).all() for key in runs[0])


@pytest.mark.parametrize("method", ["classify", "triplet", "fused"])
@pytest.mark.parametrize("unlabeled", [[True], [False, False]])
def test_methods_of_one_source_refuse_others(tmp_path, people, method, unlabeled):
    sources = [
        {"name": f"s{i}", "batch_size": 8, "unlabeled": value, "sampler": {"kind": "random" if value else "pk"}}
        for i, value in enumerate(unlabeled)
    ]
    config = tiny_config(tmp_path, people, *QUICK, *PK, f"method={method}", sources=sources)
    with pytest.raises(ConfigError, match=f"method {method} trains on one labeled source, but .* s0") as said:
        train(config, quiet=True)
    assert "\n" not in str(said.value)
