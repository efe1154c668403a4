"""Checks over many parameters at once."""

import numpy as np
import pytest

from fairface.mx import nd
from fairface.parameters import all_finite


def test_no_arrays_are_finite() -> None:
    assert all_finite([])


@pytest.mark.parametrize("count", [1, 100, 101, 450])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_finds_the_one_bad_value_among_many_arrays(count: int, value: float) -> None:
    # MXNet's own call writes beyond its memory from 201 arrays on: nets of 50 layers and more have as many.
    arrays = [nd.ones((3, 2)) * i for i in range(count)]
    assert all_finite(arrays)
    for place in {0, count // 2, count - 1}:
        bad = list(arrays)
        bad[place] = nd.array([[1.0, value]])
        assert not all_finite(bad)
