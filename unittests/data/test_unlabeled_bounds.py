"""Labels with gaps, the label 0, and data in memory."""

import numpy as np
import pytest

from fairface.data.array import ArrayDataset
from fairface.data.class_map import map_classes
from fairface.data.columns import float_columns
from fairface.data.identities import order_names
from fairface.data.unlabeled import ZeroUnlabeled
from fairface.data.view import DatasetView
from fairface.errors import DataError


def test_labels_with_gaps_become_classes():
    given = np.array([30, -1, 5, 30, 7])
    found = map_classes(given)
    assert (found.labels.tolist(), found.given.tolist(), found.names) == (
        [2, -1, 0, 2, 1],
        [5, 7, 30],
        ("5", "7", "30"),
    )
    assert found.labels.dtype == np.int32
    assert found.notes("l.txt") == (
        "l.txt: 3 different labels from 5 to 30 became classes 0 to 2, in ascending order",)  # fmt: skip
    assert map_classes(np.array([1, 0, -1, 1])).notes("l.txt") == ()
    assert map_classes(np.array([1])).notes("l.txt")
    assert map_classes(np.array([-1, -1])).notes("l.txt") == ()
    assert order_names(["10", "9", "09", "9"]) == ["09", "9", "10"]
    assert order_names(["10", "9", "a"]) == ["10", "9", "a"]
    assert order_names(["²", "3"]) == ["3", "²"]


def zero(labels, classes, names=()):
    data = ArrayDataset(np.zeros((len(labels), 4, 4, 3), np.uint8), labels, num_classes=classes)
    data.class_names = tuple(names)
    return ZeroUnlabeled(data)


def test_the_class_called_0_is_that_of_nobody():
    told = "images in memory: 2 of 5 images have the label 0 and became unlabeled (-1)"
    found = zero([0, 1, 2, 0, -1], 3)
    assert (found.labels.tolist(), found.num_classes, found.class_names) == ([-1, 0, 1, -1, -1], 2, ("1", "2"))
    assert found.notes == (
        told,
        "warning: images in memory: the labels are 0 to 2 without a gap, as where 0 is an identity too (label 0 has 2 "
        "images, other identities 1 each); if 0 is an identity here, leave zero_is_unlabeled out",
    )
    found = zero([1, 0, 2, 1, 2], 3, ("5", "0", "30"))
    assert (found.labels.tolist(), found.num_classes, found.class_names) == ([-1, 0, 1, -1, 1], 2, ("5", "30"))
    assert found.notes == (told,)
    found = zero([0, 1, 1], 2, ("5", "30"))
    assert (found.labels.tolist(), found.num_classes) == ([0, 1, 1], 2)
    assert found.notes == ("images in memory: 0 of 3 images have the label 0 and became unlabeled (-1)",)
    assert zero([1, 1], 2).notes == ("images in memory: 0 of 2 images have the label 0 and became unlabeled (-1)",)
    assert "(label 0 has 2 images);" in zero([0, 0], 1).notes[1]
    assert "(label 0 has 1 image, other identities 2.5 each);" in zero([0, 1, 1, 2, 2, 2], 3).notes[1]


def test_arrays_by_default():
    images = np.zeros((3, 4, 5, 3), np.uint8)
    data = ArrayDataset(images, [1, -1, 0])
    assert (data.num_classes, data.attributes.shape, data.name(2), data.holds_pixels) == (2, (3, 0), "image 2", True)
    assert ArrayDataset(images, [-1] * 3).num_classes == 0
    assert ArrayDataset(images[:0], []).num_classes == 0
    assert ArrayDataset(images, [0, 1, 2], num_classes=3).num_classes == 3
    view = DatasetView(data, np.array([2, 0]), labels=np.array([5, 4], np.int32), num_classes=6, class_names=("x",))
    assert (view[0].label, view.labels.tolist(), view.num_classes, view.class_names) == (5, [5, 4], 6, ("x",))
    assert view.name(1) == "image 0"
    assert DatasetView(data).indices.tolist() == [0, 1, 2]
    for labels, names, said in (
        ([0], None, "3 images need as many labels and names, not labels of shape (1,)"),
        ([0] * 3, ["a"], "3 images need as many labels and names, not labels of shape (3,) and 1 name"),
        ([0, -2, 1], None, "labels must be -1 (unlabeled) or 0 to 1, not -2 to 1"),
    ):
        with pytest.raises(DataError) as caught:
            ArrayDataset(images, labels, names=names)
        assert str(caught.value) == said
    with pytest.raises(DataError, match=r"or 0 to 1, not 0 to 2"):
        ArrayDataset(images, [0, 1, 2], num_classes=2)
    for wrong in (images[0], images[..., :1], images.astype(np.int8)):
        with pytest.raises(DataError, match=r"images must be uint8 \(N, H, W, 3\), not"):
            ArrayDataset(wrong, [0] * len(wrong))


@pytest.mark.parametrize("values", [5, [1, 2], [True, False, True], ["a", "b", "c"], [[1], [1, 2], [3]]])
def test_columns_are_numbers_for_each_record(values):
    with pytest.raises(
        DataError, match="x: the column c must hold a number or an array of numbers for each of 3 records"
    ):
        float_columns("x", 3, {"c": values})
    for right in ([1, 2, 3], np.arange(3, dtype=np.uint8), [[1.5], [2], [3]]):
        found = float_columns("x", 3, {"c": right})["c"]
        assert (found.dtype, found.tolist()) == (np.float32, np.asarray(right, float).tolist())
