"""Checks over many parameters at once."""

from pathlib import Path

import numpy as np
import pytest

from fairface.errors import CheckpointError
from fairface.mx import nd
from fairface.parameters import all_finite, load_arrays


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


def test_a_pointer_of_git_lfs_is_no_damaged_file(tmp_path: Path) -> None:
    path = tmp_path / "model-0000.params"
    path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n")
    with pytest.raises(CheckpointError, match=r"model-0000\.params: is a Git LFS pointer.* `git lfs pull`") as caught:
        load_arrays(str(path))
    assert "\n" not in str(caught.value)
    path.write_bytes(b"version of something else")
    with pytest.raises(CheckpointError, match=r"model-0000\.params: cannot be read as parameters"):
        load_arrays(str(path))
