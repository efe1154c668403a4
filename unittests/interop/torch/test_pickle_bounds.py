"""Odd moves of a PyTorch pickle: objects made of what is no class, values that are doubled."""

from pathlib import Path

import numpy as np
import pytest

from fairface.errors import CheckpointError
from fairface.interop.torch.file import read_torch
from unittests.interop.torch.torch_writer import Call, Global, Raw, pickled, tensor, write_zip

ONES = np.ones((2, 3), np.float32)


@pytest.mark.parametrize(
    ("cls", "said"),
    [
        (Call(Global("utils", "cls"), (), new=True), "makes an object of an object of utils.cls"),
        ({}, "makes an object of a dict"),
        ("os.system", "makes an object of a str"),
        (7, "makes an object of a int"),
        (tensor(ONES, "0"), "makes an object of a Tensor"),
    ],
)
def test_objects_are_made_of_names_only(tmp_path: Path, cls: object, said: str) -> None:
    data = {"a": tensor(ONES, "0"), "b": Call(cls, ("touch code-ran",), new=True)}
    with pytest.raises(CheckpointError, match=said):
        read_torch(write_zip(tmp_path / "x.pth", data, {"0": ONES.tobytes()}))


def test_a_doubled_value_is_the_one_on_top(tmp_path: Path) -> None:
    """``DUP``: two dictionaries on the stack are one; what is put into the upper one is in the lower one too."""
    key, value = (pickled(part)[2:-1] for part in ("a", tensor(ONES, "0")))
    code = Raw(b"K\x05" + b"}2" + key + value + b"s0")  # 5 lies below; 0 takes the upper one away
    found = read_torch(write_zip(tmp_path / "x.pth", code, {"0": ONES.tobytes()}))
    np.testing.assert_array_equal(found["a"], ONES)
