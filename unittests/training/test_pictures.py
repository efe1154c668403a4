"""Pictures once an epoch, also where an epoch is no whole number of steps; of which images; missing columns."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import cv2
import numpy as np
import pytest

from fairface.data.array import ArrayDataset
from fairface.data.extra import with_extra
from fairface.data.loading.samplers import RandomSampler
from fairface.data.loading.source import Source
from fairface.errors import ConfigError
from fairface.mx import mx
from fairface.training.columns import check_columns
from fairface.training.pictures import IMAGES, Pictures, pictures_of, some_images

SIDE = 4


class Negative:
    """A method whose picture is the negative of each image."""

    pictures: ClassVar = {"negatives": lambda images: (255 - images).asnumpy().transpose(0, 2, 3, 1).astype(np.uint8)}


def dataset(count: int) -> ArrayDataset:
    """Image i has the value i."""
    images = np.repeat(np.arange(count, dtype=np.uint8), SIDE * SIDE * 3).reshape(count, SIDE, SIDE, 3)
    return ArrayDataset(images, np.arange(count) % 2)


def source(count: int) -> Source:
    return Source(dataset(count), 2, RandomSampler(count, 2, 0))


@pytest.mark.parametrize(
    ("per_epoch", "total", "drawn"),
    [(2.0, 4, {2: 1, 4: 2}), (2.5, 5, {3: 2, 5: 2}), (2.0, 3, {2: 1, 3: 2}), (0.5, 2, {1: 2, 2: 4}), (9.0, 2, {2: 1})],
)
def test_when_an_epoch_ends(tmp_path: Path, per_epoch: float, total: int, drawn: dict[int, int]) -> None:
    """By step and the epoch that is written."""
    images = dataset(3)[2].image[None]
    made = Pictures(Negative(), images, mx.cpu(), tmp_path, per_epoch, total)  # type: ignore[arg-type]
    seen: dict[int, int] = {}
    for step in range(1, total + 1):
        made.after_step(step)
        for path in (tmp_path / "negatives").glob("*.png") if (tmp_path / "negatives").exists() else ():
            seen[step] = int(path.stem.removeprefix("epoch_"))
            sheet = cv2.imread(str(path))
            assert (sheet[2 : 2 + SIDE, 2 : 2 + SIDE] == 2).all()
            assert (sheet[4 + SIDE : 4 + 2 * SIDE, 2 : 2 + SIDE] == 253).all()
            path.unlink()
    assert seen == drawn


def test_images_lie_evenly_over_the_data_without_those_that_cannot_be_read() -> None:
    found = some_images(dataset(45), SIDE, resize=False)
    assert found[:, 0, 0, 0].tolist() == [0, 4, 8, 12, 16, 20, 24, 28, 32, 36, 40, 44]
    assert len(found) == IMAGES
    assert some_images(dataset(2), SIDE, resize=False)[:, 0, 0, 0].tolist() == [0, 1]
    assert len(some_images(dataset(2), SIDE + 1, resize=False)) == 0  # of another size
    assert some_images(dataset(2), SIDE + 1, resize=True).shape == (2, SIDE + 1, SIDE + 1, 3)


def run_of(method: Any, verification: tuple[Any, ...] = (), wanted: bool = True) -> Any:
    method.sources = lambda: [source(5)]
    config = SimpleNamespace(log=SimpleNamespace(pictures=wanted), data=SimpleNamespace(image_size=SIDE))
    world = SimpleNamespace(contexts=(mx.cpu(),))
    return SimpleNamespace(method=method, config=config, world=world, folder=Path(), total=7, verification=verification)


def test_of_verification_images_else_of_training_images() -> None:
    made = pictures_of(run_of(Negative(), (SimpleNamespace(images=dataset(3)),)))
    assert made is not None
    assert len(made.images) == 3
    made = pictures_of(run_of(Negative()))
    assert made is not None
    assert (len(made.images), made.steps_per_epoch, made.total) == (5, 2.5, 7)


def test_none_where_none_are_wanted_or_can_be_had() -> None:
    assert pictures_of(run_of(Negative(), wanted=False)) is None
    assert pictures_of(run_of(SimpleNamespace(pictures={}))) is None
    large = ArrayDataset(np.zeros((1, 9, 9, 3), np.uint8), [0])
    assert pictures_of(run_of(Negative(), (SimpleNamespace(images=large),))) is None


def test_a_column_that_a_method_reads() -> None:
    having = Source(with_extra(dataset(4), {"height": np.ones(4)}), 2, RandomSampler(4, 2, 0))
    check_columns({"height": "measure it"}, [having, having], "any")
    with pytest.raises(ConfigError, match=r"image 0: nothing tells its height, which method any needs .*; measure it$"):
        check_columns({"height": "measure it"}, [having, source(4)], "any")
