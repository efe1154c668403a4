"""The experiment on sampled classes: its people can be told apart, its arms are comparable, its sums are right."""

import json
import runpy
from argparse import Namespace
from pathlib import Path

import numpy as np
import pytest

PROGRAM = runpy.run_path(str(Path(__file__).parents[2] / "experiments" / "sampled_classes.py"))


def test_a_persons_images_are_nearer_to_each_other_than_to_others():
    drawn = PROGRAM["people"](12, 4, seed=3)
    assert drawn.images.shape == (48, 32, 32, 3)
    assert drawn.images.tobytes() == PROGRAM["people"](12, 4, seed=3).images.tobytes()
    flat = drawn.images.reshape(48, -1).astype(float)
    flat -= flat.mean(axis=1, keepdims=True)
    flat /= np.linalg.norm(flat, axis=1, keepdims=True)
    cosine, same = flat @ flat.T, drawn.labels[:, None] == drawn.labels
    np.fill_diagonal(same, False)
    others = cosine[drawn.labels[:, None] != drawn.labels]
    assert cosine[same].mean() > others.mean() + others.std()
    assert (cosine[same] < np.quantile(others, 0.99)).mean() > 0.2  # but not by their pixels alone


def test_an_arm_is_made_once_and_its_loss_falls(tmp_path):
    args = Namespace(out=tmp_path, people=12, test_people=4, images=3, steps=24, batch=8, embedding=8)
    found = PROGRAM["arm"](0.5, 0, args)
    assert found["last_loss"] < found["first_loss"]
    assert 0 <= found["eer"] <= 1
    file = tmp_path / "rate0.5_seed0.json"
    file.write_text(json.dumps({**found, "auc": 2.0}))
    assert PROGRAM["arm"](0.5, 0, args)["auc"] == 2.0


def test_differences_are_taken_seed_by_seed():
    values = {(1.0, 0): 0.9, (1.0, 1): 0.8, (0.1, 0): 0.85, (0.1, 1): 0.82}
    arms = [{"rate": rate, "seed": seed, "auc": value, "eer": 1 - value, "tar": value / 2}
            for (rate, seed), value in values.items()]  # fmt: skip
    found = PROGRAM["summary"](arms)
    assert found["seeds"] == [0, 1]
    assert found["auc"]["means"] == pytest.approx({"1": 0.85, "0.1": 0.835})
    assert found["auc"]["differences"]["0.1"] == pytest.approx([-0.05, 0.02])
    assert found["eer"]["differences"]["0.1"] == pytest.approx([0.05, -0.02])
    assert found["auc"]["deviation_over_seeds"] == pytest.approx(0.1 / np.sqrt(2))
