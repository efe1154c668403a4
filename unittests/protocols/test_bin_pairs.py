import numpy as np
import pytest

from fairface.data.pairsets.bin_set import BinSet
from fairface.errors import DataError
from fairface.protocols.bin_pairs import comparisons_of_bin


def test_neighbours_are_compared():
    comparisons = comparisons_of_bin(BinSet([b""] * 6, np.array([True, False, True])))
    assert comparisons.a.tolist() == [0, 2, 4]
    assert comparisons.b.tolist() == [1, 3, 5]
    assert comparisons.same.tolist() == [True, False, True]
    assert (comparisons.fold == -1).all()
    assert (comparisons.subject_a == -1).all()


@pytest.mark.parametrize(("same", "message"), [([], "no comparison"), ([True, True], "x.bin: all 2 .* genuine")])
def test_sets_that_cannot_be_scored(same, message):
    with pytest.raises(DataError, match=message):
        comparisons_of_bin(BinSet([b""] * 2 * len(same), np.array(same, bool)), "x.bin")
