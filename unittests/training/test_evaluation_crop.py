"""Verification sets whose images are larger than the net's are cut as training images are."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from fairface.config.load import from_tree
from fairface.errors import DataError
from fairface.training.comparison_sets import evaluation_crop, open_sets

SIZE = 16


@pytest.fixture
def sets(tmp_path: Path) -> dict[str, str]:
    """Two people with two photographs each, of the net's size and larger; red is the column."""
    for name, (width, height) in {"ready": (SIZE, SIZE), "large": (30, 34)}.items():
        for person in ("a", "b"):
            (tmp_path / name / person).mkdir(parents=True)
            for photo in range(2):
                image = np.zeros((height, width, 3), np.uint8)
                image[..., 2] = np.arange(width)
                cv2.imwrite(str(tmp_path / name / person / f"{photo}.png"), image)
    return {name: str(tmp_path / name) for name in ("ready", "large")}


def test_larger_images_are_cut_and_others_stay(sets: dict[str, str]) -> None:
    tree = {"data": {"image_size": SIZE}, "augment": {"centre_crop": SIZE, "centre_offset": [2, 3], "centre_jitter": 1}}
    crop = evaluation_crop(from_tree(tree, "test"))
    ready, large = open_sets(list(sets.values()), SIZE, crop=crop)
    assert ready.images.decoded(0)[0, :, 0].tolist() == list(range(SIZE))
    assert large.images.decoded(3).shape == (SIZE, SIZE, 3)
    assert large.images.decoded(3)[0, :, 0].tolist() == list(range(9, 9 + SIZE))  # (30 - 16) / 2 + 2, without jitter


def test_without_a_crop_another_size_is_refused(sets: dict[str, str]) -> None:
    assert evaluation_crop(from_tree({"data": {"image_size": SIZE}}, "test")) is None
    with pytest.raises(DataError, match="30x34 pixels, not 16x16"):
        open_sets([sets["large"]], SIZE)


def test_the_crop_is_that_of_the_labeled_source() -> None:
    sources = [
        {"name": "unknown", "batch_size": 2, "unlabeled": True, "data": {"path": "u"}},
        {"name": "known", "batch_size": 2, "data": {"path": "k"}, "augment": {"centre_crop": 20}},
    ]
    crop = evaluation_crop(from_tree({"sources": sources}, "test"))
    assert crop is not None
    assert crop.side == 20
