"""Masks in the loader: a pure function of seed and step, columns beside the images, what a configuration asks for."""

import cv2
import numpy as np
import pytest

from fairface.config.load import from_tree
from fairface.data.array import ArrayDataset
from fairface.data.extra import with_extra
from fairface.data.folder import FolderDataset
from fairface.data.loading.draws import Purpose, generator
from fairface.data.loading.loader import BatchLoader
from fairface.data.loading.source import Source
from fairface.errors import ConfigError, DataError
from fairface.faces.align import template
from fairface.faces.landmarks import Landmarks, write_landmarks
from fairface.faces.masks import MaskChoice, draw_mask
from fairface.faces.masks.transform import MaskTransform, masked_sources
from unittests.data.in_order import InOrder
from unittests.faces.masks.heads import face, turned

N, SIZE = 12, 112
FACES = np.stack([face(seed=seed) for seed in range(N)])


def loader(transform, threads=1, seed=5, batch_size=6, **extra):
    data = ArrayDataset(FACES, np.arange(N) % 3)
    data = with_extra(data, extra) if extra else data
    return BatchLoader([Source(data, batch_size, InOrder(N, batch_size), transform)], SIZE, seed=seed, threads=threads)


def test_each_row_is_what_seed_and_step_say():
    choice = MaskChoice(("n95", "cloth"))
    for step, batch in enumerate(loader(MaskTransform(0.5, choice), threads=3).iterate(0, 4)):
        rng = generator(5, step, Purpose.AUGMENT)
        on, seeds = rng.random(6) < 0.5, rng.integers(1 << 48, size=6)
        assert batch.extra["masked"].tolist() == on.astype(float).tolist()
        for row, index in enumerate(batch.indices):
            points = template(SIZE)
            expected = draw_mask(FACES[index], points, choice, int(seeds[row])).image if on[row] else FACES[index]
            assert (batch.images[row] == expected).all()
            assert batch.extra["nose_height"][row] == pytest.approx(points[2, 1] / SIZE)


def test_always_and_never():
    never, always = (loader(MaskTransform(p)).batch(0) for p in (0.0, 1.0))
    assert (never.images == FACES[:6]).all()
    assert (never.extra["masked"].sum(), always.extra["masked"].sum()) == (0, 6)
    assert (always.images != never.images).any(axis=(1, 2, 3)).all()
    with pytest.raises(ConfigError, match=r"probability of a mask is 1\.5"):
        MaskTransform(1.5)


@pytest.mark.parametrize("shape", [(5, 2), (10,)])
def test_landmarks_of_the_data_are_used_where_they_are_known(shape):
    points = np.stack([turned(yaw) for yaw in (30, -30, 0, 0, 60, 0)] * 2)
    points[3] = np.nan  # unknown: the template's
    batch = loader(MaskTransform(1.0, MaskChoice(("black",))), landmarks=points.reshape(N, *shape)).batch(0)
    rng = generator(5, 0, Purpose.AUGMENT)
    rng.random(6)
    seeds = rng.integers(1 << 48, size=6)
    for row in (0, 1, 2, 3):
        where = template(SIZE) if row == 3 else points[row].astype(np.float32)
        expected = draw_mask(FACES[row], where, MaskChoice(("black",)), int(seeds[row])).image
        assert (batch.images[row] == expected).all()
    assert batch.extra["masked"].tolist() == [1, 1, 1, 1, 0, 1]
    assert (batch.images[4] == FACES[4]).all()  # a profile keeps its image
    assert batch.extra["nose_height"][0] == pytest.approx(points[0, 2, 1] / SIZE)
    assert batch.extra["nose_height"][4] == pytest.approx(points[4, 2, 1] / SIZE)


def config(sources=(), **augment):
    return from_tree({"augment": {"mirror": 0, **augment}, "sources": list(sources)}, "test")


def source(name="data", **extra):
    data = ArrayDataset(FACES, np.arange(N) % 3)
    return Source(with_extra(data, extra) if extra else data, 6, InOrder(N, 6), name=name)


def test_a_configuration_asks_for_masks_of_each_source():
    (plain,) = masked_sources([source()], config())
    assert plain.transform is None
    (masked,) = masked_sources([source()], config(mask=1, mask_styles="n95,black"))
    assert (masked.transform.p, masked.transform.choice.styles) == (1, ("n95", "black"))
    two = [{"name": "first", "batch_size": 6, "data": {"path": "x"}},
           {"name": "second", "batch_size": 6, "data": {"path": "x"}, "augment": {"mask": 0.25}}]  # fmt: skip
    made = masked_sources([source("first"), source("second"), source("own")], config(two))
    assert [each.transform and each.transform.p for each in made] == [None, 0.25, None]


def test_masks_come_before_the_other_changes():
    changed = config(mask=1, mirror=1)
    sources = [Source(source().dataset, 6, InOrder(N, 6), Mirror())]
    batch = BatchLoader(masked_sources(sources, changed), SIZE, seed=5, threads=1).batch(0)
    alone = loader(MaskTransform(1.0)).batch(0)
    assert (batch.images == alone.images[:, :, ::-1]).all()
    assert set(batch.extra) == {"nose_height", "masked"}


class Mirror:
    writes = {}  # noqa: RUF012

    def draw(self, rng, n, size):
        return self

    def apply(self, image, row, out, extra):
        out[:] = image[:, ::-1]


def test_landmarks_of_align_are_those_of_its_crops(tmp_path):
    """A table of the photographs is turned with them; an image that it does not know gets the template's points."""
    photographs = {f"p{i}/0.png": turned(yaw, roll=10, height=80, eyes=(120, 90)) for i, yaw in enumerate((0, 30, -20))}
    rows = [Landmarks(name, 1, 0.9, points.astype(np.float32)) for name, points in photographs.items()]
    write_landmarks(tmp_path / "landmarks.csv", rows[:2])
    (tmp_path / "align.json").write_text('{"size": 112}')
    for i in range(3):
        (tmp_path / f"p{i}").mkdir()
        cv2.imwrite(str(tmp_path / f"p{i}" / "0.png"), face(seed=i))
    table = str(tmp_path / "landmarks.csv")
    (made,) = masked_sources([Source(FolderDataset(tmp_path), 3, InOrder(3, 3), name="data")],
                             config(mask=1, mask_landmarks=table))  # fmt: skip
    batch = BatchLoader([made], SIZE, seed=5, threads=1).batch(0)
    for row, (name, points) in enumerate(photographs.items()):
        assert made.dataset.record_name(row) == name
        expected = template(SIZE)
        if row < 2:  # a similarity by least squares, in complex numbers
            z, w = (p[:, 0] + 1j * p[:, 1] for p in (points, expected))
            factor = np.vdot(z - z.mean(), w - w.mean()) / np.vdot(z - z.mean(), z - z.mean())
            moved = factor * (z - z.mean()) + w.mean()
            expected = np.stack([moved.real, moved.imag], axis=-1)
            assert made.dataset.extra["landmarks"][row] == pytest.approx(expected, abs=0.01)
        assert batch.extra["nose_height"][row] == pytest.approx(expected[2, 1] / SIZE, abs=1e-4)
    assert np.isnan(made.dataset.extra["landmarks"][2]).all()
    with pytest.raises(DataError, match=r"landmarks\.csv: has landmarks of none of the images"):
        masked_sources([source()], config(mask=1, mask_landmarks=table))


def test_what_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="no mask style 'ski'"):
        masked_sources([source()], config(mask=0.5, mask_styles="ski"))
    with pytest.raises(ConfigError, match=r"the column landmarks holds \(4, 2\)"):
        masked_sources([source(landmarks=np.zeros((N, 4, 2)))], config(mask=0.5))
    with pytest.raises(DataError, match="no mask texture"):
        masked_sources([source()], config(mask=0.5, mask_textures=str(tmp_path)))
    with pytest.raises(ConfigError, match=r"augment\.mask is 2"):
        config(mask=2)
