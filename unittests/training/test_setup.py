"""What a run is prepared of: its length, the sums of its data, what may change when it goes on."""

import hashlib
from types import SimpleNamespace

import numpy as np
import pytest

import fairface
from fairface.config.load import as_dict
from fairface.config.schema import TrainConfig
from fairface.data.array import ArrayDataset
from fairface.data.encoded import EncodedDataset
from fairface.data.loading.samplers import RandomSampler
from fairface.data.loading.source import Source
from fairface.errors import CheckpointError, ConfigError, DataError
from fairface.training import setup
from fairface.training.resumable import check_resumable
from fairface.training.setup import content, fingerprint, git_commit, total_steps


def source(count=10, batch=4, labels=None, codes=None, files=None):
    images = np.zeros((count, 6, 6, 3), np.uint8)
    labels = np.arange(count) % 5 if labels is None else labels
    data = ArrayDataset(images, labels, codes, ("sex",) if codes is not None else ())
    if files is not None:
        data = EncodedDataset(files, "files")
    return Source(data, batch, RandomSampler(len(data), batch, 0), name="photos")


@pytest.mark.parametrize(
    ("epochs", "steps", "total"),
    [(2.0, 0, 5), (2.0, 3, 3), (0.1, 0, 1), (0.4, 0, 1), (0.8, 0, 2), (0.41, 0, 2), (4, 0, 10)],
)
def test_a_run_is_as_long_as_its_longest_source(epochs, steps, total):
    """2.5 steps are an epoch of ten images in batches of four."""
    config = TrainConfig(epochs=epochs, steps=steps)
    assert total_steps(config, [source(), source(4)]) == total
    with pytest.raises(ConfigError, match="epochs and steps are both 0; set one of them"):
        total_steps(TrainConfig(epochs=0.0, steps=0), [source()])


def test_other_labels_attributes_or_order_are_other_data():
    plain = source(codes=np.zeros((10, 1)))
    assert fingerprint([plain]) == fingerprint([source(codes=np.zeros((10, 1)))])
    others = [source(), source(codes=np.ones((10, 1))), source(9), source(labels=np.arange(10) // 5)]
    assert len({fingerprint([item]) for item in [plain, *others]}) == 5
    assert fingerprint(others) != fingerprint(others[::-1])


@pytest.mark.parametrize("count", [1, 63, 64, 65, 200])
def test_a_sample_of_sixty_four_images_spread_evenly(count):
    files = [f"image {i}".encode() for i in range(count)]
    places = sorted({int(i * (count - 1) / 63) for i in range(64)})
    expected = [hashlib.sha256(files[i]).hexdigest()[:16] for i in places]
    found = content([source(files=files), source(files=files[:1])])
    assert len(found) == min(count, 64) + 1
    assert found[0] == found[-1] == expected[0]
    assert found[-2] == expected[-1]
    assert set(found) <= {hashlib.sha256(file).hexdigest()[:16] for file in files}
    if count in (1, 64):
        assert found[:-1] == expected

    class Bad(EncodedDataset):
        def encoded(self, index):
            raise DataError("gone")

    assert content([Source(Bad([b"", b""], "bad"), 1, RandomSampler(2, 1, 0))]) == ["bad", "bad"]


def test_the_commit_of_the_tree(tmp_path, monkeypatch):
    (tmp_path / "fairface").mkdir()
    monkeypatch.setattr(fairface, "__file__", str(tmp_path / "fairface" / "__init__.py"))
    assert git_commit() is None  # no checkout
    (tmp_path / ".git").mkdir()
    assert git_commit() is None  # no commit

    def called(command, **options):
        assert command == ["git", "-C", str(tmp_path), "rev-parse", "HEAD"]
        return SimpleNamespace(stdout="abc\n")

    monkeypatch.setattr(setup.subprocess, "run", called)
    assert git_commit() == "abc"

    def missing(*arguments, **options):
        raise FileNotFoundError("git")

    monkeypatch.setattr(setup.subprocess, "run", missing)
    assert git_commit() is None


def test_what_may_change_when_a_run_goes_on():
    config = TrainConfig(name="x", output="out")
    saved = as_dict(config)
    free = {
        "devices": "cpu0", "gpus": "1", "kvstore": "local", "output": "other", "save_every": 9, "keep": 9,
        "verify": {**saved["verify"], "every": 3, "sets": ["a"], "folds": 5, "batch_size": 1, "fmr": [0.1]},
        "test": {}, "log": {},
        "data": {**saved["data"], "path": "p", "root": "r", "checksums": False, "threads": 3, "prefetch": 0,
                 "in_memory": True},
    }  # fmt: skip
    check_resumable(config, saved)
    check_resumable(config, {**saved, **free})
    check_resumable(config, {key: value for key, value in saved.items() if key != "seed"})  # of an older version
    for key, value in (
        ("seed", 5), ("batch_size", 1), ("epochs", 1.0), ("head", {**saved["head"], "s": 1.0}),
        ("data", {**saved["data"], "where": "sex=f"}), ("data", {**saved["data"], "image_size": 5}),
        ("verify", {**saved["verify"], "monitor": "eer"}), ("verify", {**saved["verify"], "protected": ["sex"]}),
    ):  # fmt: skip
        with pytest.raises(CheckpointError) as caught:
            check_resumable(config, {**saved, key: value})
        assert str(caught.value).startswith(f"out/x: {key}")
        assert " was " in str(caught.value)
        assert "a resumed run keeps its configuration" in str(caught.value)
