"""Transforms: what they read and write beside the images, in chains, in threads, and what is refused."""

from dataclasses import dataclass, field

import numpy as np
import pytest

from fairface.config.schema import AugmentConfig
from fairface.data.array import ArrayDataset
from fairface.data.extra import with_extra
from fairface.data.loading.augment import Augmenter
from fairface.data.loading.draws import Purpose, generator
from fairface.data.loading.loader import BatchLoader
from fairface.data.loading.source import Source
from fairface.data.loading.transform import chain
from fairface.errors import ConfigError, DataError
from unittests.data.in_order import InOrder

SIZE = 8


def dataset(n=10, first=0, **extra):
    images = np.random.default_rng(first).integers(0, 256, (n, SIZE, SIZE, 3), np.uint8)
    data = ArrayDataset(images, np.arange(n) % 3)
    return with_extra(data, extra) if extra else data


@dataclass
class Draw:
    """Applies ``change(image, row, out, extra, number)`` with a number drawn for each row."""

    change: object
    writes: dict = field(default_factory=dict)

    def draw(self, rng, n, size):
        return Applied(self.change, rng.random(n))


@dataclass
class Applied:
    change: object
    numbers: np.ndarray

    def apply(self, image, row, out, extra):
        out[:] = image
        self.change(image, row, out, extra, self.numbers[row])


def darken(image, row, out, extra, number):
    """Darken to the drawn share; tells it, and how bright the image is beside its landmark."""
    out[:] = (image * number).astype(np.uint8)
    extra["share"][row] = number
    extra["level"][row] = [image.mean(), extra["landmark"][row].sum()]


DARKEN = {"share": (), "level": (2,)}


def make(*sources, **options):
    return BatchLoader(list(sources), SIZE, seed=5, **{"threads": 3, **options})


def test_a_transform_reads_the_data_and_writes_its_columns():
    landmarks = np.random.default_rng(1).random((10, 2, 2))
    data = dataset(landmark=landmarks)
    batches = list(make(Source(data, 4, InOrder(10, 4), Draw(darken, DARKEN))).iterate(0, 6))
    for step, batch in enumerate(batches):
        numbers = generator(5, step, Purpose.AUGMENT).random(4)
        assert {name: (v.dtype, v.shape) for name, v in batch.extra.items()} == {
            "share": (np.float32, (4,)), "level": (np.float32, (4, 2)), "landmark": (np.float32, (4, 2, 2)),
        }  # fmt: skip
        for row, index in enumerate(batch.indices):
            image = data.decoded(index)
            assert (batch.images[row] == (image * numbers[row]).astype(np.uint8)).all()
            assert batch.extra["share"][row] == np.float32(numbers[row])
            assert (batch.extra["landmark"][row] == landmarks[index].astype(np.float32)).all()
            expected = [image.mean(), landmarks[index].sum()]
            assert batch.extra["level"][row] == pytest.approx(expected, rel=1e-6)
        assert all(values.flags.writeable for values in batch.extra.values())


def test_a_column_of_the_data_may_be_overwritten_where_it_is_declared():
    def move(image, row, out, extra, number):
        extra["x"][row] += 1

    data = dataset(x=np.arange(10))
    batch = make(Source(data, 4, InOrder(10, 4), Draw(move, {"x": ()}))).batch(1)
    assert batch.extra["x"].tolist() == [5, 6, 7, 8]
    assert data.extra["x"].tolist() == list(range(10))


def test_each_source_has_its_own_transform_stream_and_columns():
    first = Source(dataset(x=np.arange(10)), 3, InOrder(10, 3), Augmenter(AugmentConfig(mirror=0.5)), "first")
    second = Source(dataset(7, first=1, landmark=np.ones((7, 2, 2))), 4, InOrder(7, 4), Draw(darken, DARKEN), "second")
    third = Source(dataset(5, first=2), 2, InOrder(5, 2), Draw(lambda *a: None), "third")
    fourth = Source(dataset(5, first=2), 1, InOrder(5, 1), name="untouched")
    for step, batch in enumerate(make(first, second, third, fourth).iterate(0, 4)):
        assert batch.source.tolist() == [0] * 3 + [1] * 4 + [2] * 2 + [3]
        mirrored = generator(5, step, Purpose.AUGMENT, stream=0).random(3) < 0.5
        for row in range(3):
            image = first.dataset.decoded(batch.indices[row])
            assert (batch.images[row] == (image[:, ::-1] if mirrored[row] else image)).all()
        shares = generator(5, step, Purpose.AUGMENT, stream=1).random(4).astype(np.float32)
        assert (batch.extra["share"][3:7] == shares).all()
        for row in range(7, 10):
            assert (batch.images[row] == third.dataset.decoded(batch.indices[row])).all()
        assert (batch.extra["x"][:3] == batch.indices[:3]).all()
        for name, rows in {"x": slice(3, 10), "share": [0, 1, 2, 7, 8, 9], "landmark": [0, 1, 2, 7, 8, 9]}.items():
            assert np.isnan(batch.extra[name][rows]).all()


def test_a_chain_applies_in_order_and_draws_from_one_generator():
    def add(image, row, out, extra, number):
        out[:] = image // 2 + int(100 * number)
        extra["seen"][row] = image[0, 0, 0]

    data = dataset(landmark=np.zeros((10, 1)))
    both = chain([Draw(darken, DARKEN), Draw(add, {"seen": ()}), Augmenter(AugmentConfig(mirror=1.0))])
    assert both.writes == {**DARKEN, "seen": ()}
    batch = make(Source(data, 4, InOrder(10, 4), both)).batch(0)
    rng = generator(5, 0, Purpose.AUGMENT)
    shares, added = rng.random(4), rng.random(4)
    for row in range(4):
        dark = (data.decoded(row) * shares[row]).astype(np.uint8)
        assert (batch.images[row] == (dark // 2 + int(100 * added[row]))[:, ::-1]).all()
        assert batch.extra["seen"][row] == dark[0, 0, 0]
    one = Draw(darken, DARKEN)
    assert chain([one]) is one
    with pytest.raises(ConfigError, match="needs a transform"):
        chain([])
    with pytest.raises(ConfigError, match=r"two transforms write the column share, as \(\) and as \(3,\)"):
        chain([one, Draw(add, {"share": (3,)})])


def write_undeclared(image, row, out, extra, number):
    extra["nose_height"][row] = 1


def write_x(image, row, out, extra, number):
    extra["x"][row] = 1


def put_in(image, row, out, extra, number):
    extra["nose_height"] = np.zeros(4)


def write_image(image, row, out, extra, number):
    image[0] = 0


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (write_undeclared, r"source mine: a transform uses the column nose_height.*\(there are: x\).*in writes"),
        (write_x, r"source mine: the transform writes to what it may only read \(the image or x\).*in writes"),
        (put_in, "source mine: a transform puts in the column nose_height; name it"),
        (write_image, "source mine: the transform writes to what it may only read"),
    ],
)
def test_what_is_not_declared_is_refused_before_the_first_step(change, said):
    source = Source(dataset(x=np.arange(10)), 4, InOrder(10, 4), Draw(change), "mine")
    with pytest.raises(ConfigError, match=said) as caught:
        make(source)
    assert "\n" not in str(caught.value)


def test_a_rare_breach_is_met_in_its_step_with_the_same_words():
    def rarely(image, row, out, extra, number):
        if image.any() and not (image == 128).all():  # not the grey image of the trial
            extra["nose_height"][row] = 1

    loader = make(Source(dataset(), 4, InOrder(10, 4), Draw(rarely)))
    with pytest.raises(ConfigError, match="uses the column nose_height"):
        next(loader.iterate())


def test_other_faults_of_a_transform_stay_what_they_are():
    def fault(image, row, out, extra, number):
        raise ValueError("a bug")

    with pytest.raises(ValueError, match="a bug"):
        make(Source(dataset(), 4, InOrder(10, 4), Draw(fault)))


def test_shapes_that_do_not_agree_are_refused():
    with pytest.raises(ConfigError, match=r"writes the column x as \(2,\), the data have \(\)"):
        Source(dataset(x=np.arange(10)), 4, InOrder(10, 4), Draw(write_x, {"x": (2,)}), "mine")
    one = Source(dataset(x=np.arange(10)), 4, InOrder(10, 4))
    two = Source(dataset(x=np.zeros((10, 3))), 4, InOrder(10, 4), name="two")
    with pytest.raises(ConfigError, match=r"source two: has the column x as \(3,\), a source before it as \(\)"):
        make(one, two)


def test_a_substitute_brings_its_own_columns():
    class Broken(ArrayDataset):
        def decoded(self, index):
            if index in (1, 6):
                raise DataError(f"image {index} is bad")
            return super().decoded(index)

    data = with_extra(Broken(dataset().images, np.zeros(10, int)), {"x": np.arange(10)})
    good = Source(dataset(first=3), 3, InOrder(10, 3))
    loader = make(good, Source(data, 4, InOrder(10, 4), name="holes", on_bad_record="skip"))
    for batch in loader.iterate(0, 5):
        assert (batch.extra["x"][3:] == batch.indices[3:]).all()
        assert not np.isin(batch.indices[3:], [1, 6]).any()
        assert np.isnan(batch.extra["x"][:3]).all()
    assert set(loader.skipped) == {"image 1", "image 6"}
    strict = make(Source(dataset(first=3), 3, InOrder(10, 3), on_bad_record="skip"), Source(data, 4, InOrder(10, 4)))
    with pytest.raises(DataError, match="image 1 is bad"):
        strict.batch(0)


def test_an_epoch_is_that_of_the_longest_source():
    short, long = Source(dataset(4), 4, InOrder(4, 4)), Source(dataset(9), 2, InOrder(9, 2))
    assert make(short, long).steps_per_epoch == 4.5
    assert make(long, short).steps_per_epoch == 4.5
