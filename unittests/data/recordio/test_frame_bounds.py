"""Frames to the byte: what still is a record, what is none, and what the error says."""

import os
import struct

import pytest

from fairface.data.recordio.frame import MAGIC, RecordFile, frame
from fairface.errors import DataError

M = struct.pack("<I", MAGIC)


def part(kind, content):
    """A part as the format's documentation has it: kind in the upper 3 bits, length in the lower 29."""
    return M + struct.pack("<I", kind << 29 | len(content)) + content + bytes(-len(content) % 4)


def put(tmp_path, content):
    path = tmp_path / "a.rec"
    path.write_bytes(content)
    return RecordFile(path)


class Long(bytes):
    """A few bytes that say that they are many: half a gigabyte is not made for a test."""

    said = 0

    def __len__(self):
        return self.said


def test_the_longest_record_has_a_length_of_29_bits():
    record = Long(b"x")
    record.said = 2**29 - 1
    assert frame(record)[:8] == M + struct.pack("<I", 2**29 - 1)
    record.said = 2**29
    with pytest.raises(DataError, match="a record of 536870912 bytes is too long, RecordIO holds at most 536870911;"):
        frame(record)


@pytest.mark.parametrize("length", range(6))
def test_records_are_padded_to_a_multiple_of_four(length):
    assert frame(b"abcdef"[:length]) == part(0, b"abcdef"[:length])


def test_the_magic_number_cuts_where_it_stands_at_a_multiple_of_four_only():
    assert frame(b"a" + M + b"bcd") == part(0, b"a" + M + b"bcd")
    assert frame(M) == part(1, b"") + part(3, b"")
    assert frame(M + b"abcd" + M + M + b"e") == b"".join([part(1, b""), part(2, b"abcd"), part(2, b""), part(3, b"e")])
    assert frame(b"ab" + M + b"cd" + M) == part(1, b"ab" + M + b"cd") + part(3, b"")


def test_where_a_part_ends(tmp_path):
    file = put(tmp_path, part(0, b"abcde") + part(1, b"") + part(3, b"12"))
    assert [file.part(0), file.part(16), file.part(24)] == [(0, 5, 16), (1, 0, 24), (3, 2, 36)]
    assert [file.read_at(0), file.read_at(16)] == [b"abcde", M + b"12"]


def test_padding_may_be_missing_at_the_end_and_no_more(tmp_path):
    content = part(0, b"abcde")
    file = put(tmp_path, content[:-3])
    assert file.read_at(0) == b"abcde"
    with pytest.raises(DataError) as caught:
        put(tmp_path, content[:-4]).read_at(0)
    assert str(caught.value) == (
        f"{file.path}: the record at byte 0 ends at byte 16, but the file has only 12 bytes; it is truncated: copy it "
        "again or pack the data again"
    )


@pytest.mark.parametrize("left", [1, 7])
def test_a_head_that_is_cut_off(tmp_path, left):
    file = put(tmp_path, part(0, b"abcd") + part(0, b"")[:left])
    with pytest.raises(DataError, match=rf"a\.rec: ends at byte {12 + left}, in the middle of a record; .*truncated"):
        file.part(12)


@pytest.mark.parametrize("content", [b"\0" * 8, part(4, b"abcd"), part(7, b"")])
def test_what_does_not_begin_as_a_record(tmp_path, content):
    with pytest.raises(DataError, match=r"a\.rec: no record begins at byte 12; the file is damaged, or the \.idx"):
        put(tmp_path, part(0, b"abcd") + content).read_at(12)


@pytest.mark.parametrize("kind", [2, 3])
def test_a_record_does_not_begin_with_a_later_part(tmp_path, kind):
    with pytest.raises(DataError, match=r"a\.rec: a record's continuation, not its beginning, is at byte 0;"):
        put(tmp_path, part(kind, b"abcd")).read_at(0)


@pytest.mark.parametrize("kind", [0, 1])
def test_a_record_whose_last_part_is_missing(tmp_path, kind):
    file = put(tmp_path, part(1, b"abcd") + part(2, b"efgh") + part(kind, b"next"))
    with pytest.raises(DataError, match=r"a\.rec: a record stops before byte 24 without its last part;"):
        file.read_at(0)
    assert put(tmp_path, part(1, b"abcd") + part(2, b"efgh") + part(3, b"next")).read_at(0) == M.join(
        [b"abcd", b"efgh", b"next"]
    )


def test_a_file_that_is_cut_off_while_it_is_read(tmp_path):
    file = put(tmp_path, part(0, b"abcd") + part(0, b"efgh"))
    os.truncate(file.path, 23)
    assert file.read_at(0) == b"abcd"
    with pytest.raises(DataError, match=r"a\.rec: the record at byte 12 is cut off; the file is truncated"):
        file.read_at(12)
