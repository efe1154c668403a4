"""The centre crop: where it lies, its jitter in training, what is too small, and evaluation without jitter."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from fairface.config.load import from_tree
from fairface.data.array import ArrayDataset
from fairface.data.centre_crop import CentreCrop, CroppedDataset
from fairface.data.loading.centre_jitter import CentreJitter
from fairface.data.loading.loader import BatchLoader
from fairface.data.loading.open_sources import open_sources
from fairface.errors import ConfigError, DataError

WIDTH, HEIGHT, SIZE = 27, 33, 16


def coordinates(width: int = WIDTH, height: int = HEIGHT) -> np.ndarray:
    """An image whose red is the column and whose green is the row."""
    image = np.zeros((height, width, 3), np.uint8)
    image[..., 0] = np.arange(width)
    image[..., 1] = np.arange(height)[:, None]
    return image


@pytest.mark.parametrize(("width", "height"), [(180, 220), (181, 221)])
@pytest.mark.parametrize("margin", [0, 1])
def test_the_square_of_virface(width: int, height: int, margin: int) -> None:
    cut = CentreCrop(150, (0, 20), margin).cut(coordinates(width, height), "image")
    assert cut.shape == (150 + 2 * margin, 150 + 2 * margin, 3)
    left, top = round((width - 150) / 2.0) - margin, round((height - 150) / 2.0) + 20 - margin
    assert cut[0, 0].tolist() == [left, top, 0]
    assert cut[-1, -1].tolist() == [left + 149 + 2 * margin, top + 149 + 2 * margin, 0]


@pytest.mark.parametrize(("size", "fits"), [((150, 190), True), ((149, 190), False), ((150, 189), False)])
def test_an_image_that_is_too_small_is_named(size: tuple[int, int], fits: bool) -> None:
    crop = CentreCrop(150, (0, 20))
    if fits:
        assert crop.cut(coordinates(*size), "a.png").shape == (150, 150, 3)
        return
    with pytest.raises(DataError, match=f"a.png: is {size[0]}x{size[1]} pixels; a square of 150 pixels"):
        crop.cut(coordinates(*size), "a.png")


def test_jitter_reaches_every_place_evenly_and_no_other() -> None:
    rng, out = np.random.default_rng(0), np.zeros((SIZE, SIZE, 3), np.uint8)
    drawn = CentreJitter(1).draw(rng, 900, SIZE)
    seen = []
    for row in range(900):
        drawn.apply(coordinates(SIZE + 2, SIZE + 2), row, out, {})
        assert (out == coordinates(40, 40)[out[0, 0, 1] :, out[0, 0, 0] :][:SIZE, :SIZE]).all()
        seen.append(tuple(out[0, 0, :2].tolist()))
    counts = [seen.count((x, y)) for x in range(3) for y in range(3)]
    assert sum(counts) == 900
    assert min(counts) > 60


@pytest.fixture
def photographs(tmp_path: Path) -> Path:
    for person in range(2):
        (tmp_path / "photographs" / f"p{person}").mkdir(parents=True)
        for photo in range(3):
            cv2.imwrite(str(tmp_path / "photographs" / f"p{person}" / f"{photo}.png"), coordinates()[..., ::-1])
    return tmp_path / "photographs"


def tree(path: Path, **augment: object) -> dict[str, object]:
    values = {"mirror": 0, "centre_crop": SIZE, "centre_offset": [1, 3], "centre_jitter": 1, **augment}
    return {"data": {"path": str(path), "image_size": SIZE}, "batch_size": 6, "augment": values, "epochs": 1}


def test_batches_are_cut_then_augmented(photographs: Path) -> None:
    left, top = round((WIDTH - SIZE) / 2) + 1, round((HEIGHT - SIZE) / 2) + 3
    for mirror in (0, 1):
        sources = open_sources(from_tree(tree(photographs, mirror=mirror), "test"))
        batch = BatchLoader(sources, SIZE, threads=1, prefetch=0).batch(0)
        corners = batch.images[:, 0, -mirror, :2].astype(int) - [left, top]
        assert set(np.unique(corners)) == {-1, 0, 1}
        other = batch.images[:, -1, mirror - 1, :2].astype(int) - [left, top]
        assert (other - corners == SIZE - 1).all()
    still = sources[0].unaugmented(SIZE)
    assert still.decoded(0)[0, 0].tolist() == [left, top, 0]
    assert still[1].image.shape == (SIZE, SIZE, 3)


def test_a_small_image_is_a_bad_record(photographs: Path) -> None:
    cv2.imwrite(str(photographs / "p1" / "2.png"), coordinates(SIZE, SIZE))
    config = tree(photographs)
    loader = BatchLoader(open_sources(from_tree(config, "test")), SIZE, threads=1, prefetch=0)
    with pytest.raises(DataError, match=r"p1/2.png: is 16x16 pixels"):
        loader.batch(0)
    config["data"]["on_bad_record"] = "skip"
    loader = BatchLoader(open_sources(from_tree(config, "test")), SIZE, threads=1, prefetch=0)
    assert loader.batch(0).images.shape == (6, SIZE, SIZE, 3)
    assert list(loader.skipped) == [str(photographs / "p1" / "2.png")]


def test_images_in_memory_are_no_longer_whole(photographs: Path) -> None:
    config = tree(photographs)
    config["data"]["in_memory"] = True
    with pytest.raises(ConfigError, match=r"data.in_memory keeps images at data.image_size, but augment.centre_crop"):
        from_tree(config, "test")


def test_a_cropped_data_set_resizes() -> None:
    base = ArrayDataset(coordinates()[None].repeat(2, axis=0), [0, 1])
    cropped = CroppedDataset(base, CentreCrop(2 * SIZE // 2 + 2), (SIZE + 2) // 2)
    assert cropped.decoded(1).shape == (9, 9, 3)
    square = CentreCrop(SIZE + 2).cut(coordinates(), "image").astype(float)
    means = square.reshape(9, 2, 9, 2, 3).mean(axis=(1, 3))
    assert np.abs(cropped[0].image - means).max() <= 0.5
