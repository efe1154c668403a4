"""Training with masks drawn in the loader, for any method: the key is read where a run is prepared."""

import numpy as np
import pytest

from fairface.config.load import from_tree
from fairface.errors import CheckpointError
from fairface.training.run import train
from fairface.training.setup import prepare
from unittests.small_models import draw_people

KEYS = {
    "devices": "cpu0", "steps": 2, "batch_size": 6, "log": {"tensorboard": False},
    "backbone": {"name": "fresnet_tiny", "embedding": 8, "width": 0.25},
}  # fmt: skip


def config(tmp_path, **changes):
    data = {"path": draw_people(tmp_path / "data", people=3, images=4, size=64), "image_size": 64}
    keys = KEYS | {"data": data, "output": str(tmp_path / "models"), "augment": {"mask": 0.5, "mirror": 0}} | changes
    return from_tree(keys, "test")


@pytest.mark.parametrize("method", ["classify", "triplet"])
def test_every_method_gets_masks(tmp_path, method):
    sampler = {"kind": "pk", "images_per_class": 2}
    with_masks = prepare(config(tmp_path, method=method, sampler=sampler)).loader
    without = prepare(config(tmp_path, method=method, sampler=sampler, augment={"mirror": 0})).loader
    masked = []
    for step in range(6):
        batch, plain = with_masks.batch(step), without.batch(step)
        assert (batch.indices == plain.indices).all()
        changed = (batch.images != plain.images).any(axis=(1, 2, 3))
        assert (changed == (batch.extra["masked"] == 1)).all()
        masked.append(changed.mean())
    assert 0.2 < np.mean(masked) < 0.8


def test_a_run_trains_and_keeps_its_masks_at_resume(tmp_path):
    assert train(config(tmp_path), quiet=True) == 0
    with pytest.raises(CheckpointError, match=r"augment\.mask was 0\.5 and is now 0\.0"):
        train(config(tmp_path, steps=2, augment={"mirror": 0}), quiet=True, resume=True)
