"""Named arrays are whole or not there."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np

from fairface.data.npz import write_npz


def test_npz_comes_back(tmp_path):
    arrays = {"a": np.arange(12).reshape(3, 4), "text": np.array(["é", "b"]), "none": np.zeros((0, 2), np.int8)}
    write_npz(tmp_path / "x.npz", arrays)
    with np.load(tmp_path / "x.npz", allow_pickle=False) as stored:
        assert sorted(stored.files) == sorted(arrays)
        for name, array in arrays.items():
            np.testing.assert_array_equal(stored[name], array)


def test_npz_that_does_not_fit_leaves_nothing_and_says_one_line(tmp_path):
    code = f"""
import resource, numpy as np
from fairface.errors import DataError
from fairface.data.npz import write_npz
resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))
try:
    write_npz({str(tmp_path / "x.npz")!r}, {{"small": np.zeros(10), "large": np.ones(100000)}})
except DataError as error:
    print(error)
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "x.npz: cannot be written" in result.stdout
    assert result.stderr == ""
    assert os.listdir(tmp_path) == []
