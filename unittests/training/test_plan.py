"""Runs planned for GPUs that are not here."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from fairface.errors import CheckpointError, ConfigError, DeviceError
from fairface.mx import mx
from fairface.training import plan as module
from fairface.training.estimate import describe, estimate
from fairface.training.plan import plan
from fairface.training.run import train
from unittests.training.helpers import make_people, tiny_config

PLAIN = {"devices": "", "verify": {"sets": [], "every": 0}}


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_people(tmp_path_factory.mktemp("people"), people=3, images=4)


def test_a_device_that_is_here_is_not_replaced(tmp_path: Path, people: Path) -> None:
    found = plan(tiny_config(tmp_path, people, **{**PLAIN, "devices": "cpu0,cpu1"}))
    assert (found.devices, found.lacking) == (("cpu(0)", "cpu(1)"), "")
    assert found.run.world.contexts == (mx.cpu(0), mx.cpu(1))


def test_gpus_that_are_not_here(tmp_path: Path, people: Path) -> None:
    found = plan(tiny_config(tmp_path, people, **PLAIN, gpus="98,99", precision="fp16"))
    assert found.devices == ("gpu(98)", "gpu(99)")
    assert found.lacking.startswith("gpus asks for GPU 98, but this ")
    assert found.run.world.contexts == (mx.cpu(0),)
    assert found.run.total == 6


def test_float16_is_planned_for_a_gpu(tmp_path: Path, people: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "contexts_of", lambda: [mx.cpu(0)])
    found = plan(tiny_config(tmp_path, people, **PLAIN, precision="fp16"))
    assert found.devices == ("gpu(0)",)
    assert found.lacking.startswith("precision=fp16 needs a GPU")


@pytest.mark.parametrize(
    ("values", "error", "said"),
    [
        ({"devices": "cpu0", "precision": "fp16"}, DeviceError, "precision=fp16 needs a GPU; use"),
        ({"gpus": "99", "precision": "bf16"}, DeviceError, "precision=bf16 is for CPUs"),
        ({"gpus": ",".join(map(str, range(90, 99)))}, ConfigError, "8 rows in a batch, which cannot be split over 9"),
        ({"gpus": "98,98"}, ConfigError, "gpu98 is named twice"),
        ({"gpus": "one"}, ConfigError, "gpus names 'gpuone'"),
    ],
)
def test_what_would_be_wrong_with_the_gpus_too(
    tmp_path: Path, people: Path, values: dict[str, str], error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        plan(tiny_config(tmp_path, people, **{**PLAIN, **values}))


def test_a_resumed_run_is_planned_as_it_would_go_on(tmp_path: Path, people: Path) -> None:
    config = tiny_config(tmp_path, people, **PLAIN)
    with pytest.raises(CheckpointError, match="there is no checkpoint to resume"):
        plan(config, resume=True)
    assert train(config, quiet=True) == 0
    manifest = json.loads((tmp_path / config.output / config.name / "manifest.json").read_text())
    found = plan(config, resume=True)
    assert (found.step, found.taken) == (manifest["checkpoints"][-1]["step"], "")
    with pytest.raises(CheckpointError, match=r"optimizer\.lr was .* and is now 7\.0; a resumed run keeps"):
        plan(replace(config, optimizer=replace(config.optimizer, lr=7.0)), resume=True)
    others = make_people(tmp_path / "others", people=4, images=3)
    with pytest.raises(CheckpointError, match="the training data changed since the run began"):
        plan(replace(config, data=replace(config.data, path=str(others))), resume=True)
    estimated = estimate(replace(found, step=4))
    assert estimated["total_seconds"] == pytest.approx(2 * estimated["step_seconds"], abs=0.06)
    assert "6 steps" in describe(estimated)
    assert "resumed at step 4" in describe(estimated)
    assert " for what is left" in describe(estimated)


def test_a_folder_that_holds_a_run_is_told(tmp_path: Path, people: Path) -> None:
    config = tiny_config(tmp_path, people, **PLAIN)
    assert plan(config).taken == ""
    assert train(config, quiet=True) == 0
    found = plan(config)
    assert "holds a run; --resume continues it, --overwrite replaces it" in found.taken
    warning = f"warning: as typed, the run would not begin: {found.taken}"
    assert warning in describe(estimate(found)).splitlines()
    again = plan(config, overwrite=True)
    assert (again.taken, again.step) == ("", 0)
    assert "warning" not in describe(estimate(again))
    assert (again.run.folder / "manifest.json").is_file()
