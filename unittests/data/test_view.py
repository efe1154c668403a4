"""fairface.data.view, array, extra and unlabeled."""

import numpy as np
import pytest

from fairface.data.array import ArrayDataset
from fairface.data.extra import with_extra
from fairface.data.loading.cached import decode_all
from fairface.data.types import Dataset
from fairface.data.unlabeled import ZeroUnlabeled, without_labels
from fairface.data.view import DatasetView
from fairface.errors import DataError


@pytest.fixture
def data() -> ArrayDataset:
    images = np.random.default_rng(0).integers(0, 256, (5, 8, 9, 3), np.uint8)
    return ArrayDataset(images, [0, 2, -1, 1, 2], [[0], [1], [-1], [0], [1]], ["sex"], list("abcde"))


def test_array_holds_what_it_is_given(data):
    assert isinstance(data, Dataset)
    assert (len(data), data.num_classes, data.attribute_names) == (5, 3, ("sex",))
    assert data.labels.tolist() == [0, 2, -1, 1, 2]
    sample = data[3]
    assert (sample.label, sample.attributes.tolist(), sample.name) == (1, [0], "d")
    assert np.array_equal(sample.image, data.images[3])
    assert [s.label for s in data] == [0, 2, -1, 1, 2]


def test_encoded_is_lossless(data):
    from fairface.data.images import decode

    assert np.array_equal(decode(data.encoded(1), "x"), data.images[1])


def test_subset_of_subset(data):
    subset = data.subset([4, 1, 1, 0]).subset(np.array([3, 1]))
    assert isinstance(subset, Dataset)
    assert subset.base is data
    assert subset.indices.tolist() == [0, 1]
    assert subset.labels.tolist() == [0, 2]
    assert subset.num_classes == 3
    assert subset.attributes.tolist() == [[0], [1]]
    assert subset.name(1) == "b"
    assert np.array_equal(subset[1].image, data.images[1])
    assert np.shares_memory(subset.decoded(1), data.images)
    assert subset.encoded(0) == data.encoded(0)


def test_empty_subset(data):
    assert len(data.subset([])) == 0


@pytest.mark.parametrize("indices", [[5], [-1], [0, 7]])
def test_subset_outside(data, indices):
    with pytest.raises(DataError, match=r"was asked for, but there are 5 \(0 to 4\)"):
        data.subset(indices)


@pytest.mark.parametrize("indices", [[True, False], [0.5], [[0, 1]]])
def test_subset_of_something_else(data, indices):
    with pytest.raises(DataError, match="list of whole numbers"):
        data.subset(indices)


@pytest.mark.parametrize("index", [5, -1])
def test_index_outside(data, index):
    for read in (data.__getitem__, data.name, data.encoded, data.subset([0]).__getitem__):
        with pytest.raises(DataError, match=f"record {index} was asked for"):
            read(index)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((np.zeros((2, 4, 4), np.uint8), [0, 1]), "must be uint8"),
        ((np.zeros((2, 4, 4, 3)), [0, 1]), "must be uint8"),
        ((np.zeros((2, 4, 4, 3), np.uint8), [0]), "2 images need as many labels"),
        ((np.zeros((2, 4, 4, 3), np.uint8), [0, -2]), "labels must be -1"),
        ((np.zeros((2, 4, 4, 3), np.uint8), [0, 1], [[0]], ["sex"]), "attributes of shape"),
        ((np.zeros((2, 4, 4, 3), np.uint8), [0, 1], [[0], [1]], []), "attributes of shape"),
    ],
)
def test_what_does_not_fit(arguments, said):
    with pytest.raises(DataError, match=said):
        ArrayDataset(*arguments)


def test_label_above_the_given_classes():
    with pytest.raises(DataError, match="0 to 1"):
        ArrayDataset(np.zeros((1, 4, 4, 3), np.uint8), [2], num_classes=2)


def test_extra_columns_go_along(data):
    landmarks = np.arange(5 * 2 * 2).reshape(5, 2, 2)
    extended = with_extra(data, {"landmarks": landmarks, "quality": [0.1, 0.2, np.nan, 0.4, 0.5]})
    assert isinstance(extended, Dataset)
    assert {name: (v.dtype, v.shape) for name, v in extended.extra.items()} == {
        "landmarks": (np.float32, (5, 2, 2)), "quality": (np.float32, (5,))}  # fmt: skip
    assert not data.extra
    part = extended.subset([4, 0, 4]).subset([2, 1])
    assert part.extra["landmarks"].tolist() == [landmarks[4].tolist(), landmarks[0].tolist()]
    assert part.extra["quality"].tolist() == pytest.approx([0.5, 0.1])
    assert [part.name(i) for i in range(2)] == ["e", "a"]
    for view in (without_labels(part), ZeroUnlabeled(part), decode_all(extended, 8, may_resize=True).subset([4, 0])):
        assert view.extra["landmarks"].tolist() == part.extra["landmarks"].tolist()
    assert set(with_extra(part, {"more": [1, 2]}).extra) == {"landmarks", "quality", "more"}


@pytest.mark.parametrize("values", [[1, 2], 3, [["a"]] * 5, [[1], [2, 3], [], [], []], [True] * 5])
def test_a_column_that_does_not_fit(data, values):
    with pytest.raises(DataError, match="the column x must hold a number or an array of numbers for each of 5 records"):
        with_extra(data, {"x": values})


def test_a_column_twice(data):
    with pytest.raises(DataError, match="has a column x already"):
        with_extra(with_extra(data, {"x": range(5)}), {"x": range(5)})


def test_without_labels(data):
    bare = without_labels(data)
    assert bare.labels.tolist() == [-1] * 5
    assert bare.labels.dtype == np.int32
    assert (bare.num_classes, bare.class_names, bare[1].label) == (0, (), -1)
    assert (bare.subset([1])[0].label, data[1].label) == (-1, 2)
    assert bare.attributes.tolist() == data.attributes.tolist()


def test_a_view_gives_what_its_base_knows(data):
    data.missing = ("gone.jpg",)
    view = DatasetView(data, notes=("told",))
    assert (view.missing, view.notes, view.title, view.holds_pixels) == (("gone.jpg",), ("told",), data.title, True)
    assert np.shares_memory(view.decoded(1), data.images)
    assert [view.record_name(i) for i in range(5)] == list("abcde")
    assert view.subset([3]).notes == ("told",)
