"""Where records begin, to the last byte and the largest key; an index that tells something else."""

import struct

import numpy as np
import pytest

from fairface.data.recordio.dataset import RecordDataset
from fairface.data.recordio.files import RecordWriter
from fairface.data.recordio.frame import RecordFile, frame
from fairface.data.recordio.header import pack, unpack
from fairface.data.recordio.keys import find_keys, read_idx, walk
from fairface.errors import DataError


def put(tmp_path, *records):
    """The file, and where its records begin."""
    path = tmp_path / "a.rec"
    framed = [frame(record) for record in records]
    path.write_bytes(b"".join(framed))
    return RecordFile(path), np.cumsum([0, *map(len, framed)])[:-1].tolist()


@pytest.mark.parametrize(
    ("ids", "keys"),
    [
        ([5, 0, 2**62 - 1], [5, 0, 2**62 - 1]),
        ([5, 0, 2**62], [0, 1, 2]),
        ([5, 0, 5], [0, 1, 2]),
        ([7], [7]),
    ],
)
def test_keys_are_the_ids_where_they_differ_and_fit(tmp_path, ids, keys):
    file, offsets = put(tmp_path, *(pack(0.0, b"image", id=number) for number in ids))
    found = walk(file)
    assert [array.tolist() for array in found] == [keys, offsets]
    assert [array.dtype for array in found] == [np.int64, np.int64]


def test_a_record_too_short_for_an_id_makes_keys_of_positions(tmp_path):
    whole = pack(0.0, b"", id=9)
    assert walk(put(tmp_path, whole, whole[:-1])[0])[0].tolist() == [0, 1]
    assert walk(put(tmp_path, whole)[0])[0].tolist() == [9]


def test_a_file_of_later_parts_alone_holds_no_record(tmp_path):
    file, _ = put(tmp_path, b"abcd" + frame(b"")[:4] + b"efgh")
    rest = file.path.read_bytes()[12:]
    file.path.write_bytes(rest)
    with pytest.raises(DataError, match=r"a\.rec: holds no whole record; it is damaged"):
        walk(RecordFile(file.path))


@pytest.mark.parametrize(("offset", "fits"), [(0, True), (-1, False), (28, True), (29, False)])
def test_an_index_points_into_the_file(tmp_path, offset, fits):
    file, _ = put(tmp_path, pack(0.0, b"abcd"))
    assert file.size == 36
    (tmp_path / "a.idx").write_text(f"0\t0\n4\t{offset}\n")
    if fits:
        assert find_keys(file, tmp_path / "a.idx")[1].tolist() == [0, offset]
        return
    with pytest.raises(DataError) as caught:
        find_keys(file, tmp_path / "a.idx")
    assert str(caught.value) == (
        f"{tmp_path / 'a.idx'}: record 4 should begin at byte {offset} of a.rec, which has 36 bytes; the .rec is "
        "truncated or another one: copy both again"
    )


def test_an_index_that_cannot_be_read_or_names_a_key_twice(tmp_path):
    (tmp_path / "a.idx").mkdir()
    with pytest.raises(DataError, match=r"a\.idx: cannot be read \(Is a directory\)"):
        read_idx(tmp_path / "a.idx")
    (tmp_path / "b.idx").write_text("3\t0\n1\t8\n2\t16\n2\t24\n9\t30\n9\t32\n")
    with pytest.raises(DataError, match=r"b\.idx: key 2 stands there more than once"):
        read_idx(tmp_path / "b.idx")
    (tmp_path / "c.idx").write_text("1\t0\n\n7 " + "x" * 80 + "\n")
    with pytest.raises(DataError) as caught:
        read_idx(tmp_path / "c.idx")
    assert f"c.idx: line 3 is {b'7 ' + b'x' * 58!r}, not a key, a tab and an offset;" in str(caught.value)


def test_headers_to_the_byte():
    assert pack(3, b"x", 1, 2) == struct.pack("<IfQQ", 0, 3.0, 1, 2) + b"x"
    assert pack([3], b"x") == struct.pack("<IfQQf", 1, 0.0, 0, 0, 3.0) + b"x"
    assert pack(np.array([[1.5, 2]]), b"") == struct.pack("<IfQQff", 2, 0.0, 0, 0, 1.5, 2.0)
    for flag in (0, 2):
        record = struct.pack("<IfQQ", flag, 7.0, 1, 2) + struct.pack("<ff", 4.0, 5.0)[: 4 * flag]
        header, payload = unpack(record)
        assert (header.flag, header.label.tolist(), payload) == (flag, [4.0, 5.0] if flag else [7.0], b"")
    with pytest.raises(DataError, match=r"^record: 23 bytes are too few for an image record;"):
        unpack(bytes(23))
    with pytest.raises(DataError, match=r"^a: announces 2 labels but has only 31 bytes;"):
        unpack(struct.pack("<IfQQ", 2, 0, 0, 0) + bytes(7), "a")


def records(tmp_path, count=4):
    """Records of equal length, and the lines of their index."""
    with RecordWriter(tmp_path / "train.rec") as writer:
        for key in range(count):
            writer.write(key, float(key), b"image")
    return tmp_path / "train.idx", [f"{key}\t{40 * key}" for key in range(count)]


def test_records_that_are_left_out_are_told_from_damaged_ones(tmp_path):
    idx, lines = records(tmp_path)
    assert idx.read_text().splitlines() == lines
    for left_out, first in ((0, 0), (2, 80), (3, 120)):
        idx.write_text("\n".join([*lines[:left_out], *lines[left_out + 1 :]]) + "\n")
        said = f"{idx}: leaves out records of train.rec, 40 of its 160 bytes, the first at byte {first}"
        with pytest.raises(DataError) as caught:
            RecordDataset(tmp_path)
        assert str(caught.value).startswith(f"{said}; it is incomplete or belongs to another file: copy both again")
        data = RecordDataset(tmp_path, on_missing="skip")
        assert data.notes == (f"warning: {said}; those records are not used",)
        assert data.problems == (f"{said}; those records are not used",)
        assert data.keys.tolist() == [key for key in range(4) if key != left_out]
    idx.write_text("\n".join([lines[0], lines[2]]) + "\n")
    with pytest.raises(DataError, match="80 of its 160 bytes, the first at byte 40;"):
        RecordDataset(tmp_path)


def test_two_keys_of_one_record(tmp_path):
    idx, lines = records(tmp_path)
    idx.write_text("\n".join([*lines, "9\t80"]) + "\n")
    with pytest.raises(DataError, match=r"train\.idx: records 2 and 9 begin at the same byte 80; remove the file"):
        RecordDataset(tmp_path)


@pytest.mark.parametrize(("by", "end"), [(4, 84), (-4, 76), (-29, 48)])
def test_a_length_that_was_damaged(tmp_path, by, end):
    records(tmp_path)
    rec = bytearray((tmp_path / "train.rec").read_bytes())
    rec[44] += by
    (tmp_path / "train.rec").write_bytes(rec)
    with pytest.raises(DataError) as caught:
        RecordDataset(tmp_path)
    if by == -29:  # too short for a header
        assert "record at byte 40: 0 bytes are too few for an image record" in str(caught.value)
    else:
        assert f"train.rec: record 1 ends at byte {end}, but the next one begins at byte 80;" in str(caught.value)


def test_a_record_in_parts_fills_its_place(tmp_path):
    magic = frame(b"")[:4]
    with RecordWriter(tmp_path / "train.rec") as writer:
        for key, payload in enumerate([b"abcd" + magic + b"e" + bytes(3) + magic, b"image", magic]):
            writer.write(key, float(key), payload)
    assert RecordDataset(tmp_path).labels.tolist() == [0, 1, 2]
    lines = (tmp_path / "train.idx").read_text().splitlines()
    (tmp_path / "train.idx").write_text("\n".join(lines[::2]) + "\n")
    with pytest.raises(DataError, match=f"40 of its {(tmp_path / 'train.rec').stat().st_size} bytes"):
        RecordDataset(tmp_path)
