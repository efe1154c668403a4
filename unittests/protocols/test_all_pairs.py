import itertools

import numpy as np
import pytest

from fairface.errors import DataError
from fairface.protocols.all_pairs import all_pairs


def test_every_pair_once():
    subjects = [3, 3, 8, 3, 8]
    comparisons = all_pairs(subjects, names=["a", "b", "c", "d", "e"])
    pairs = list(itertools.combinations(range(5), 2))
    assert list(zip(comparisons.a, comparisons.b, strict=True)) == pairs
    assert comparisons.same.tolist() == [subjects[i] == subjects[j] for i, j in pairs]
    assert comparisons.subject_a.tolist() == [subjects[i] for i, _ in pairs]
    assert comparisons.subject_b.tolist() == [subjects[j] for _, j in pairs]
    assert comparisons.names == ("a", "b", "c", "d", "e")
    assert comparisons.attributes.shape == (5, 0)


def test_subjects_may_be_texts_and_attributes_are_carried():
    attributes = np.array([[0], [1], [-1]])
    comparisons = all_pairs(["s2", "s1", "s2"], attributes, ["glasses"])
    assert comparisons.same.tolist() == [False, True, False]
    assert comparisons.subject_a.tolist() == [1, 1, 0]
    assert comparisons.attributes.dtype == np.int8
    assert comparisons.attribute_names == ("glasses",)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"subjects": [0, 0, -1]}, "1 of 3 images is unlabeled"),
        ({"subjects": [0, 0, 0]}, "all 3 pairs of the 3 images are of one subject"),
        ({"subjects": [0, 1, 2]}, "of different subjects"),
        ({"subjects": [0]}, "all 0 pairs"),
        ({"subjects": [0, 0, 1], "names": ["a"]}, "1 name for 3 images"),
        ({"subjects": [0, 0, 1], "attributes": np.zeros((2, 1), np.int8)}, "2 attributes for 3 images"),
        ({"subjects": np.arange(100), "limit": 1000}, "4,950 pairs, more than the 1,000 that fit a list"),
    ],
)
def test_what_cannot_be_compared(arguments, message):
    with pytest.raises(DataError, match=message):
        all_pairs(**arguments)
