"""Two sets of embeddings with some images in common, and some that only one of them has."""

import numpy as np
import pytest

from fairface.embedding.store import Embeddings
from fairface.errors import DataError
from fairface.evaluation.scored_pairs import check_same_images


def embedded(names, subjects):
    return Embeddings(np.ones((len(names), 2), np.float32), tuple(names), {"data": "d"}, np.array(subjects, np.int32))


def test_only_images_of_both_sets_must_show_the_same_subjects():
    one = embedded(["a", "b", "c"], [0, 1, 5])
    check_same_images(one, embedded(["b", "x", "a"], [1, 7, 0]), "one", "other")
    check_same_images(one, embedded(["x", "y"], [3, 4]), "one", "other")
    said = "other: its images have the same names as those in one, but are different images"
    with pytest.raises(DataError, match=said):
        check_same_images(one, embedded(["b", "x", "a"], [2, 7, 0]), "one", "other")
