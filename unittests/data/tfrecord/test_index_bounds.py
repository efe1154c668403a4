"""Indexes and Examples to the last digit and byte."""

import struct

import numpy as np
import pytest

from fairface.data.tfrecord.dataset import IndexTFRDataset
from fairface.data.tfrecord.example import decode_example, encode_example
from fairface.data.tfrecord.frame import OVERHEAD, TFRecordFile, frame, masked_crc
from fairface.data.tfrecord.index import columns, read_index
from fairface.data.tfrecord.shards import find_shards, shard_name
from fairface.errors import DataError


@pytest.mark.parametrize(
    ("line", "fits"),
    [
        ("T\t0\t0\t-1", True),
        ("T\t99999\t999999999999999999\t999999999999999999", True),
        ("T\t100000\t0\t0", False),
        ("T\t-1\t0\t0", False),
        ("T\t0\t-1\t0", False),
        ("T\t0\t0\t-2", False),
        ("T\t0\t9999999999999999999\t0", False),
    ],
)
def test_the_smallest_and_largest_numbers_of_a_line(tmp_path, line, fits):
    path = tmp_path / "a.index"
    path.write_text(f"T\t1\t2\t3\n\n{line}\n")
    if fits:
        found = read_index(path)
        _, shard, offset, label = line.split("\t")
        assert (found.names, found.lines.tolist()) == (["T", "T"], [1, 3])
        assert (found.shards.tolist(), found.offsets.tolist()) == ([1, int(shard)], [2, int(offset)])
        assert found.labels.tolist() == [3, int(label)]
        return
    with pytest.raises(DataError) as caught:
        read_index(path)
    assert str(caught.value) == (
        f"{path}: line 3 is {line!r}, not `TFRecord name<tab>shard<tab>offset<tab>label` (shard, offset and label are "
        "whole numbers); correct the line or make the index again"
    )


def test_an_index_of_three_columns_has_no_labels(tmp_path):
    path = tmp_path / "a.index"
    path.write_text("x y.jpg\t0\t5\nx y.jpg\t3\t7\n")
    found = read_index(path)
    assert (found.names, found.labels, len(found)) == (["x y.jpg"] * 2, None, 2)
    assert (found.shards.tolist(), found.offsets.tolist()) == ([0, 3], [5, 7])
    path.write_text("a\t0\t5\nb\t3\n")
    with pytest.raises(DataError, match=r"line 2 is 'b\\t3', not `image<tab>shard<tab>offset` \("):
        read_index(path)


@pytest.mark.parametrize("line", ["a", "a\tb", "a\t1\t2\t3\t4"])
def test_an_index_of_another_width(tmp_path, line):
    path = tmp_path / "a.index"
    path.write_text(f"{line}\n")
    with pytest.raises(DataError) as caught:
        read_index(path)
    forms = "`TFRecord name<tab>shard<tab>offset<tab>label` or `image<tab>shard<tab>offset`"
    assert f"line 1 is {line!r}, not {forms} (" in str(caught.value)


def test_a_long_line_is_shown_in_part(tmp_path):
    path = tmp_path / "a.index"
    path.write_text("x" * 100 + "\n")
    with pytest.raises(DataError, match=f"line 1 is '{'x' * 80}', not"):
        read_index(path)


@pytest.mark.parametrize(
    ("line", "count"),
    [("a\t0\t1", 3), ("T\t0\t1\t2", 4), ("a b 1", 2), ("a\t1", 2), ("a\tx\t1", 2), ("T\t0\t1\tx", 2), ("T\t0\tx\t1", 2),
     ("T\t0\t1\t2\t3", 2), ("", 2)],
)  # fmt: skip
def test_what_an_index_of_records_looks_like(line, count):
    assert columns(line) == count


def build(folder, names, shards):
    """Records of growing length, two a shard."""
    for name in names:
        for shard in shards:
            path = folder / name / f"{name}-{shard:05d}.tfrecord"
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(frame(encode_example(b"first")) + frame(encode_example(f"{name} {shard}".encode())))
    return len(frame(encode_example(b"first")))


def test_records_of_several_files(tmp_path):
    second = build(tmp_path, ["A", "B"], [0, 7])
    lines = [f"B\t7\t{second}\t30", "A\t0\t0\t-1", f"A\t7\t{second}\t5", f"B\t0\t{second}\t5"]
    (tmp_path / "train.index").write_text("\n".join(lines))
    data = IndexTFRDataset(tmp_path / "train.index")
    assert [data.encoded(i) for i in range(4)] == [b"B 7", b"first", b"A 7", b"B 0"]
    assert (data.labels.tolist(), data.class_labels.tolist(), data.class_names) == ([1, -1, 0, 0], [5, 30], ("5", "30"))
    assert data.place(0) == (tmp_path / "B" / "B-00007.tfrecord", second)
    assert data.name(2) == f"{tmp_path}/A/A-00007.tfrecord: record at byte {second} (train.index, line 3)"
    assert data.record_name(2) == data.name(2)
    assert data.image_name(2) is None
    (tmp_path / "A" / "A-00007.tfrecord").unlink()
    (tmp_path / "B" / "B-00007.tfrecord").unlink()
    data = IndexTFRDataset(tmp_path / "train.index", on_missing="skip")
    assert [data.encoded(i) for i in range(2)] == [b"first", b"B 0"]
    assert (data.labels.tolist(), data.place(1)[0].name) == ([-1, 0], "B-00000.tfrecord")
    assert data.missing == (
        f"{tmp_path}/B/B-00007.tfrecord (1 image)", f"{tmp_path}/A/A-00007.tfrecord (1 image)"
    )  # fmt: skip
    assert "2 of 4 files are missing" in data.notes[0]


def test_a_record_begins_where_it_can_end(tmp_path):
    build(tmp_path, ["A"], [0])
    size = (tmp_path / "A" / "A-00000.tfrecord").stat().st_size
    assert OVERHEAD == 16
    for offset, fits in ((size - 16, True), (size - 15, False)):
        (tmp_path / "train.index").write_text(f"A\t0\t0\t0\nA\t0\t{offset}\t0\n")
        if fits:
            assert len(IndexTFRDataset(tmp_path / "train.index")) == 2
            continue
        with pytest.raises(DataError) as caught:
            IndexTFRDataset(tmp_path / "train.index")
        assert (
            f"line 2 has a record begin at byte {offset} of {tmp_path}/A/A-00000.tfrecord, which has {size} bytes;"
            in (str(caught.value))
        )
        assert "(1 such line)" in str(caught.value)


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["A\t0\t0\t1", "A\t0\t0\t1"], ""),
        (["A\t0\t0\t1", "A\t0\t9\t2", "B\t0\t0\t2", "A\t1\t0\t3"], ""),
        (["A\t0\t9\t3", "A\t0\t0\t1", "B\t0\t0\t1", "A\t0\t0\t2"], "lines 2 and 4 name the same record with different"),
    ],
)
def test_a_record_has_one_label(tmp_path, lines, said):
    for name in ("A", "B"):
        (tmp_path / name).mkdir()
        for shard in (0, 1):
            (tmp_path / name / f"{name}-{shard:05d}.tfrecord").write_bytes(bytes(40))
    (tmp_path / "train.index").write_text("\n".join(lines))
    if not said:
        assert len(IndexTFRDataset(tmp_path / "train.index")) == len(lines)
        return
    with pytest.raises(DataError, match=said):
        IndexTFRDataset(tmp_path / "train.index")


def test_where_shards_are_looked_for(tmp_path):
    place = tmp_path / "lists" / "T"
    place.mkdir(parents=True)
    (place / "T.index").write_text("T\t0\t0\t0\ngroup/U\t12\t0\t0\nT\t0\t9\t0\n")
    content = read_index(place / "T.index")
    found = find_shards(place / "T.index", content, None)
    assert found.which.tolist() == [0, 1, 0]
    assert found.paths == [place / "T" / "T-00000.tfrecord", place / "group/U" / "U-00012.tfrecord"]
    above = tmp_path / "lists" / "T" / "T-00000.tfrecord"
    above.touch()
    assert find_shards(place / "T.index", content, None).paths[0] == above  # below the folder above the index
    root = find_shards(place / "T.index", content, tmp_path / "root").paths
    assert root == [tmp_path / "root/T/T-00000.tfrecord", tmp_path / "root/group/U/U-00012.tfrecord"]
    (place / "other.index").write_text("x.jpg\t0\t0\n")
    beside = read_index(place / "other.index")
    assert find_shards(place / "other.index", beside, None).paths == [above]  # the index was renamed
    assert shard_name("T", 7) == "T-00007.tfrecord"


@pytest.mark.parametrize("name", ["../T", "/T", "a/../T", ".."])
def test_shards_do_not_lead_out_of_the_folder(tmp_path, name):
    (tmp_path / "a.index").write_text(f"T\t0\t0\t0\n{name}\t0\t0\t0\n")
    with pytest.raises(DataError) as caught:
        find_shards(tmp_path / "a.index", read_index(tmp_path / "a.index"), None)
    assert f"a.index: line 2 names the TFRecord {name!r}, which leads out of the folder; correct it" in str(
        caught.value
    )


def varint(value):
    """Seven bits a byte, the lowest first; the upper bit says that more follow."""
    out = []
    while True:
        value, low = value >> 7, value & 0x7F
        out.append(low | (0x80 if value else 0))
        if not value:
            return bytes(out)


def field(number, content):
    return bytes([number << 3 | 2]) + varint(len(content)) + content


@pytest.mark.parametrize("size", [0, 1, 99, 100, 110, 111, 112, 113, 114, 127, 128, 16250, 16383, 16384, 70000])
def test_lengths_of_one_two_and_three_bytes(size):
    image = bytes(range(256)) * (size // 256 + 1)
    image = image[:size]
    written = field(1, field(1, field(1, b"image") + field(2, field(1, field(1, image)))))
    assert encode_example(image) == written
    assert decode_example(written) == image


@pytest.mark.parametrize("before", [b"\x10\x07", b"\x10\x80\x80\x01", b"\x1d1234", b"\x2112345678", field(2, b"xy")])
def test_fields_of_every_kind_are_passed_over(before):
    """A number, one of several bytes, 4 bytes, 8 bytes, bytes; in every message on the way to the image."""
    values = before + field(1, before.replace(b"\x0a", b"\x12") + field(1, b"picture"))
    feature = field(1, b"image") + before.replace(b"\x12", b"\x1a") + field(2, values)
    assert decode_example(before + field(1, before + field(1, feature))) == b"picture"


def test_the_longest_number_of_a_message():
    whole = field(1, field(1, field(1, b"image") + field(2, field(1, field(1, b"x")))))
    assert decode_example(b"\x10" + b"\x80" * 9 + b"\x01" + whole) == b"x"
    with pytest.raises(ValueError, match=r"is no TensorFlow Example \(a number is too long\)"):
        decode_example(b"\x10" + b"\x80" * 10 + b"\x01" + whole)
    for place in (1, 3, 12, 14, 16):  # of each length on the way to the image
        with pytest.raises(ValueError, match="is no TensorFlow Example"):
            decode_example(whole[:place] + b"\x80" * 10 + b"\x01" + whole[place + 1 :])
    with pytest.raises(ValueError, match=r"\(a field of the unknown kind 3\)"):
        decode_example(b"\x13" + whole)
    with pytest.raises(ValueError, match=r"\(a field is longer than the message\)"):
        decode_example(b"\x10\x07" + whole[:1] + bytes([whole[1] + 1]) + whole[2:])


def test_an_image_without_a_value_and_other_features():
    empty = [
        field(1, b"image"),
        field(1, b"image") + field(2, b""),
        field(1, b"image") + field(2, field(1, b"")),
    ]
    for feature in empty:
        with pytest.raises(ValueError, match=r"without the feature 'image' \(its features: none\)"):
            decode_example(field(1, field(1, feature)))
        second = field(1, b"image") + field(2, field(1, field(1, b"picture")))
        assert decode_example(field(1, field(1, feature) + field(1, second))) == b"picture"
    many = b"".join(field(1, field(1, f"f{i}".encode())) for i in range(6))
    with pytest.raises(ValueError, match=r"its features: 'f0', 'f1', 'f2', 'f3', 'f4'\)"):
        decode_example(field(1, many))
    with pytest.raises(ValueError, match=r"its features: ''\)"):
        decode_example(field(1, field(1, field(2, b""))))
    with pytest.raises(ValueError, match=r"its features: none\)"):
        decode_example(b"")


def test_a_file_to_its_last_byte(tmp_path):
    path = tmp_path / "a.tfrecord"
    path.write_bytes(frame(b"one") + frame(b""))
    file = TFRecordFile(path)
    assert list(file.offsets()) == [0, 19]
    for offset in (-1, 24, 35, 99):
        said = rf"a\.tfrecord: a record should begin at byte {offset}, but the file has only 35 bytes;"
        with pytest.raises(DataError, match=said):
            file.read_at(offset)
    changed = bytearray(path.read_bytes())
    changed[19] ^= 1  # a length
    path.write_bytes(changed)
    with pytest.raises(DataError, match=r"no record begins at byte 19; the file is damaged"):
        list(TFRecordFile(path).offsets())
    for left in (1, 11, 12, 15):
        path.write_bytes(frame(b"one") + frame(b"")[:left])
        with pytest.raises(DataError, match=rf"ends at byte {19 + left}, in the middle of the record at byte 19"):
            list(TFRecordFile(path).offsets())


def test_a_checksum_is_turned_by_15_bits():
    """CRC-32C of the test string of its standard is E3069283."""
    crc = 0xE3069283
    assert masked_crc(b"123456789") == (((crc >> 15) | (crc << 17)) % 2**32 + 0xA282EAD8) % 2**32
    assert frame(b"123456789")[:8] == struct.pack("<Q", 9)
    assert frame(b"123456789")[-4:] == struct.pack("<I", masked_crc(b"123456789"))
    assert np.frombuffer(frame(b""), np.uint8).size == 16
