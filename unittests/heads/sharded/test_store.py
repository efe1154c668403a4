"""Centres in a file that is mapped into memory: the same bits, nothing left behind."""

import errno
import os

import numpy as np
import pytest

from fairface.config.schema import HeadConfig
from fairface.errors import ConfigError
from fairface.heads.sharded.store import Store
from fairface.mx import mx
from unittests.heads.sharded.helpers import passed, sharded


def trained(folder, devices=2):
    rng = np.random.default_rng(1)
    weight = rng.normal(size=(40, 6))
    config = HeadConfig(name="arcface", s=4.0, sharded=True, sample_rate=0.3, scratch=folder)
    head, updater = sharded(config, weight, devices, "float32")
    for step in range(4):
        head.step = step
        label = rng.integers(0, 40, 5)
        passed(head, updater, weight[label] + rng.normal(size=(5, 6)), label)
        updater.update(0.1, 1.0)
        head.store.release()
    return head, head.arrays()["weight"].asnumpy(), updater.state()["momentum"].asnumpy()


def test_the_same_bits_as_in_memory_and_no_file_stays(tmp_path):
    _, weight, momentum = trained("")
    head, mapped_weight, mapped_momentum = trained(str(tmp_path))
    assert mapped_weight.tobytes() == weight.tobytes()
    assert mapped_momentum.tobytes() == momentum.tobytes()
    assert momentum.any()
    assert head.store.is_mapped
    assert list(tmp_path.iterdir()) == []


def test_bytes_in_memory():
    for values, expected in (({}, 3 * 40 * 6 * 4), ({"sample_rate": 0.5}, 3.5 * 40 * 6 * 4)):
        head, _ = sharded(HeadConfig(sharded=True, **values), np.ones((40, 6)), 2, "float32")
        assert head.training_bytes == expected


def test_mapped_bytes_do_not_count(tmp_path):
    config = HeadConfig(sharded=True, sample_rate=0.5, scratch=str(tmp_path))
    head, _ = sharded(config, np.ones((40, 6)), 2, "float32")
    assert head.training_bytes == 1.5 * 40 * 6 * 4
    assert Store(str(tmp_path)).zeros((3, 2), mx.cpu(), "float32").asnumpy().tolist() == [[0, 0]] * 3


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(ConfigError, match=r"head\.scratch is '.*nowhere', which is not a folder"):
        Store(str(tmp_path / "nowhere"))


def test_a_full_disk_is_met_at_the_start(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(ConfigError, match=r"no file of 1\.00 GiB can be made there \(No space left on device\)"):
        Store(str(tmp_path)).zeros((2**19, 512), mx.cpu(), "float32")
    assert list(tmp_path.iterdir()) == []
