"""Runs with synchronous BatchNorm: as on one device, resumed to the same bits, saved as any network."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from fairface.config.check import check
from fairface.config.schema import BackboneConfig
from fairface.errors import ConfigError
from fairface.interop.models import load_model
from fairface.mx import mx, nd
from fairface.training.run import train
from unittests.training.helpers import SIZE, make_people
from unittests.training.test_sharded_runs import arrays_of, config_of, killed

# Nine rows on two devices: five and four.
WORDS = ("steps=2", "save_every=1", "batch_size=9", "backbone.dropout=0", "optimizer.lr=0.01", "optimizer.warmup=0")
SYNC = ("backbone.sync_bn=true", "devices=cpu0,cpu1")


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_people(tmp_path_factory.mktemp("data") / "people")


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory, people: Path) -> Path:
    """``one`` on a device, ``two`` on two."""
    folder = tmp_path_factory.mktemp("runs")
    for words in (("name=one", *WORDS), ("name=two", *WORDS, *SYNC), ("name=apart", *WORDS, SYNC[1])):
        assert train(config_of(folder, people, *words), quiet=True) == 0
    return folder / "models"


def test_two_devices_learn_what_one_does(runs: Path) -> None:
    found, expected, apart = (arrays_of(runs / name) for name in ("two", "one", "apart"))
    further = 0
    for name, array in expected.items():
        scale = max(np.abs(array).max(), 1e-3)
        np.testing.assert_allclose(found[name], array, rtol=0, atol=2e-4 * scale, err_msg=name)
        further += bool(np.abs(apart[name] - array).max() > 2e-3 * scale)
    assert further > 20  # with statistics of each device's own it is another net
    own = {name: array for name, array in found.items() if name.startswith("copies.backbone.0.")}
    assert own
    for name, array in own.items():
        np.testing.assert_array_equal(found[name.replace(".0.", ".1.", 1)], array)


def test_a_broken_run_ends_in_the_same_bits(runs: Path, people: Path, tmp_path: Path) -> None:
    config = config_of(tmp_path, people, "name=broken", *WORDS, *SYNC)
    killed(config, calls=1)
    assert train(config, resume=True, quiet=True) == 0
    found, expected = arrays_of(tmp_path / "models" / "broken"), arrays_of(runs / "two")
    assert {name: array.tobytes() for name, array in found.items()} == {
        name: array.tobytes() for name, array in expected.items()
    }


def test_what_is_saved_is_an_ordinary_network(runs: Path) -> None:
    names = [
        sorted(node["op"] for node in json.loads((runs / name / "model-symbol.json").read_text())["nodes"])
        for name in ("one", "two")
    ]
    assert names[0] == names[1]
    images = nd.random.uniform(0, 255, (3, 3, SIZE, SIZE))
    one, two = (load_model(str(runs / name), [mx.cpu(0)]).net(images).asnumpy() for name in ("one", "two"))
    np.testing.assert_allclose(two, one, rtol=0, atol=1e-2 * np.abs(one).max())


def test_half_precision_is_refused(tmp_path: Path, people: Path) -> None:
    for precision in ("fp16", "bf16"):
        with pytest.raises(ConfigError, match=r"but precision is ...."):
            check(config_of(tmp_path, people, *SYNC, f"precision={precision}"))
    assert not BackboneConfig().sync_bn
