"""Runs planned for GPUs that are not here."""

from pathlib import Path

import pytest

from fairface.errors import ConfigError, DeviceError
from fairface.mx import mx
from fairface.training import plan as module
from fairface.training.plan import plan
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
