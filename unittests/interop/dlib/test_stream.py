"""dlib's numbers, texts and tensors: known bytes, and everything that is refused."""

from pathlib import Path

import numpy as np
import pytest

from fairface.errors import CheckpointError
from fairface.interop.dlib.stream import Stream
from unittests.interop.dlib.dlib_writer import real, tensor, text, whole


def stream(content):
    return Stream(content, Path("net.dat"))


@pytest.mark.parametrize(("value", "content"), [(0, "0100"), (150, "0196"), (300, "022c01"), (65536, "03000001")])
def test_whole_numbers(value, content):
    assert whole(value) == bytes.fromhex(content)
    read = stream(bytes.fromhex(content))
    assert read.whole() == value
    assert read.at_end()


@pytest.mark.parametrize(("content", "value"), [
    ("036290f58111", 122.782),  # of dlib's own file: the mean of red
    ("030ad7a3811c", 0.04),
    ("01018101", 0.5),
    ("81030101", -6.0),
])  # fmt: skip
def test_floating_point_numbers_that_dlib_wrote(content, value):
    assert stream(bytes.fromhex(content)).real() == pytest.approx(value, rel=1e-6)


def test_written_numbers_come_back():
    rng = np.random.default_rng(0)
    for value in [0.0, 1.0, *rng.normal(0, 1000, 20).astype(np.float32)]:
        assert stream(real(float(value))).real() == pytest.approx(float(value), rel=1e-6)
    values = rng.normal(size=(2, 3)).astype(np.float32)
    np.testing.assert_array_equal(stream(tensor(values, (2, 3, 1, 1))).tensor(), values.ravel())
    assert stream(text("con_4")).text() == "con_4"


@pytest.mark.parametrize(("content", "read", "message"), [
    (b"", "whole", "ends too early"),
    (b"\x02\x05", "whole", "ends too early"),
    (b"\x00", "whole", "no number"),
    (b"\x09" + 9 * b"1", "whole", "no number"),
    (b"\x11\x01", "whole", "no number"),
    (b"\x81\x01", "whole", "the number -1 stands where one from 0"),
    (b"\x03\x01\x00\x01", "whole", "the number 65537 stands"),
    (whole(0) + whole(32000), "real", "not finite"),
    (whole(2**60) + whole(1000), "real", "not finite"),
    (b"2", "truth", "no truth value"),
    (whole(65) + 65 * b"a", "text", "the number 65 stands"),
    (whole(1) + b"\xff", "text", "no layer's name"),
    (whole(3), "tensor", "the number 3 stands where one from 2"),
    (whole(2) + 4 * whole(2**24), "tensor", "ends too early"),  # 2**96 values
    (tensor(np.zeros(3), (4, 1, 1, 1)), "tensor", "ends too early"),
    (tensor(np.float32([1, np.nan]), (2, 1, 1, 1)), "tensor", "values that are not finite"),
])  # fmt: skip
def test_what_is_refused(content, read, message):
    with pytest.raises(CheckpointError, match=rf"^net\.dat: .*{message}.*; it is damaged or no file of dlib's") as told:
        getattr(stream(content), read)()
    assert "\n" not in str(told.value)
