"""Lengths of records at the end of a file, with and without checksums."""

import struct

import pytest

from fairface.data.tfrecord.frame import TFRecordFile, frame, masked_crc
from fairface.errors import DataError


def put(tmp_path, length, content):
    """A file with one record that says to be ``length`` bytes long."""
    head = struct.pack("<Q", length)
    path = tmp_path / "a.tfrecord"
    path.write_bytes(head + struct.pack("<I", masked_crc(head)) + content)
    return path


@pytest.mark.parametrize("check", [True, False])
def test_a_record_that_fills_the_file_is_read(tmp_path, check):
    path = tmp_path / "a.tfrecord"
    path.write_bytes(frame(b"first") + frame(b"") + frame(b"the last one"))
    file = TFRecordFile(path)
    assert [file.read_at(offset, check) for offset in file.offsets()] == [b"first", b"", b"the last one"]


@pytest.mark.parametrize("check", [True, False])
@pytest.mark.parametrize("missing", [1, 4, 5, 9])
def test_what_is_there_and_what_should_be_is_counted(tmp_path, check, missing):
    """A record of nine bytes and its checksum of four, the end of which is missing."""
    path = tmp_path / "a.tfrecord"
    path.write_bytes(frame(b"nine byte")[:-missing])
    with pytest.raises(DataError, match=rf"byte 0 is cut off after {13 - missing} of 13 bytes"):
        TFRecordFile(path).read_at(0, check)


@pytest.mark.parametrize("check", [True, False])
def test_a_length_up_to_that_of_the_file_may_be_a_record_and_a_longer_one_is_none(tmp_path, check):
    content = bytes(8)
    size = 8 + 4 + len(content)
    with pytest.raises(DataError, match=f"cut off after 8 of {size + 4} bytes"):
        TFRecordFile(put(tmp_path, size, content)).read_at(0, check)
    with pytest.raises(DataError, match="no record begins at byte 0"):
        TFRecordFile(put(tmp_path, size + 1, content)).read_at(0, check)
