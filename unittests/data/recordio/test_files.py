"""fairface.data.recordio.files, record_file, record_keys, ir_header: against mxnet.recordio and the vectors."""

import os
import struct
import threading
from pathlib import Path

import numpy as np
import pytest

from fairface.data.recordio.files import RecordWriter
from fairface.data.recordio.frame import MAGIC, RecordFile, frame
from fairface.data.recordio.header import pack, unpack
from fairface.errors import DataError
from unittests.data.recordio.records import Records

VECTORS = np.load(Path(__file__).parents[2] / "vectors" / "data_recordio.npz")
M = struct.pack("<I", MAGIC)
TRICKY = [
    b"",
    b"x",
    M,
    M + M,
    b"abcd" + M,
    b"abcd" + M + b"e",
    b"ab" + M + b"cd",  # not aligned: stays as it is
    M * 3 + b"abc" + M,
    b"abcd" + M + b"efgh" + M + M + b"ij",
]


def put(folder: Path, prefix: str = "") -> Path:
    for name, key in (("train.rec", "rec"), ("train.idx", "idx"), ("property", "property")):
        (folder / name).write_bytes(bytes(VECTORS[prefix + key]))
    return folder / "train.rec"


@pytest.fixture
def mx_recordio():
    pytest.importorskip("fairface.mx")
    from fairface.mx import mx

    return mx.recordio


@pytest.mark.parametrize("with_idx", [True, False])
def test_vector_is_read(tmp_path, with_idx):
    path = put(tmp_path)
    if not with_idx:
        path.with_suffix(".idx").unlink()
    reader = Records(path)
    jpegs = np.split(VECTORS["jpeg_concat"], np.cumsum(VECTORS["jpeg_lengths"])[:-1])
    for position, key in enumerate(VECTORS["keys"].tolist()):
        header, payload = reader.read(key)
        assert header.flag == VECTORS["flags"][position]
        assert header.id == VECTORS["header_ids"][position]
        assert np.array_equal(header.label, VECTORS["labels"][position])
        assert payload == (jpegs[key - 1].tobytes() if 1 <= key <= 6 else b"")


def test_other_vector_is_read_with_scalar_labels(tmp_path):
    reader = Records(put(tmp_path, "rb_"))
    headers = [reader.read(key)[0] for key in range(6)]
    assert [h.flag for h in headers] == [0] * 6
    assert [h.label.tolist() for h in headers] == [[label] for label in VECTORS["rb_labels"].tolist()]


@pytest.mark.parametrize("label", [3.0, [1.0, 0.0, 2.0]])
def test_mxnet_reads_what_is_written(tmp_path, mx_recordio, label):
    path = tmp_path / "a.rec"
    with RecordWriter(path) as writer:
        for key, payload in enumerate(TRICKY):
            writer.write(key, label, payload)
    theirs = mx_recordio.MXIndexedRecordIO(str(path.with_suffix(".idx")), str(path), "r")
    for key, payload in enumerate(TRICKY):
        header, found = mx_recordio.unpack(theirs.read_idx(key))
        assert found == payload
        assert header.id == key
        assert np.array_equal(np.atleast_1d(header.label), np.atleast_1d(label))


def test_mxnets_files_are_read_and_bytes_agree(tmp_path, mx_recordio):
    theirs, ours = tmp_path / "theirs.rec", tmp_path / "ours.rec"
    writer = mx_recordio.MXIndexedRecordIO(str(theirs.with_suffix(".idx")), str(theirs), "w")
    with RecordWriter(ours) as mine:
        for key, payload in enumerate(TRICKY):
            record = mx_recordio.pack(mx_recordio.IRHeader(0, [key, 1.0], key, 0), payload)
            writer.write_idx(key, record)
            mine.write(key, [key, 1.0], payload)
    writer.close()
    assert theirs.read_bytes() == ours.read_bytes()
    assert theirs.with_suffix(".idx").read_bytes() == ours.with_suffix(".idx").read_bytes()
    for index in (theirs.with_suffix(".idx"), None):
        reader = Records(theirs, index)
        assert [reader.read(key)[1] for key in range(len(TRICKY))] == TRICKY
    theirs.with_suffix(".idx").unlink()
    assert [Records(theirs).read(key)[1] for key in range(len(TRICKY))] == TRICKY


def test_magic_number_cuts_a_record_in_parts():
    parts = frame(b"abcd" + M + b"efg")
    assert parts == M + struct.pack("<I", 1 << 29 | 4) + b"abcd" + M + struct.pack("<I", 3 << 29 | 3) + b"efg\0"


def test_header_round_trip():
    header, payload = unpack(pack([1, 2, 3], b"image", id=9, id2=4))
    assert (header.flag, header.label.tolist(), header.id, header.id2, payload) == (3, [1, 2, 3], 9, 4, b"image")
    with pytest.raises(DataError, match="too few"):
        unpack(b"short")
    with pytest.raises(DataError, match="announces 1000 labels"):
        unpack(struct.pack("<IfQQ", 1000, 0, 0, 0))


def test_without_idx_equal_ids_become_positions(tmp_path):
    path = tmp_path / "a.rec"
    path.write_bytes(b"".join(frame(pack(float(i), b"image", id=0)) for i in range(3)))
    reader = Records(path)
    assert reader.keys.tolist() == [0, 1, 2]
    assert reader.read(2)[0].label.tolist() == [2]


def test_threads_and_forks_share_a_reader(tmp_path):
    path = tmp_path / "a.rec"
    payloads = [bytes([i % 251]) * (50 + i) for i in range(400)]
    with RecordWriter(path) as writer:
        for key, payload in enumerate(payloads):
            writer.write(key, float(key), payload)
    reader = Records(path)
    wrong = []

    def check(step: int) -> None:
        wrong.extend(key for key in range(0, 400, step) if reader.read(key)[1] != payloads[key])

    child = os.fork()
    if child == 0:
        check(1)
        os._exit(len(wrong) > 0)
    threads = [threading.Thread(target=check, args=(step,)) for step in (1, 2, 3, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert os.waitpid(child, 0)[1] == 0
    assert wrong == []


def test_missing_and_empty_files(tmp_path):
    with pytest.raises(DataError, match=r"none\.rec: cannot be opened"):
        Records(tmp_path / "none.rec")
    (tmp_path / "empty.rec").touch()
    with pytest.raises(DataError, match=r"empty\.rec: the file is empty"):
        Records(tmp_path / "empty.rec")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1\t0\n2 3164\n", "line 2"),
        ("1\t0\nxx\t3164\n", "line 2"),
        ("1\t0\t5\n", "line 1"),
        ("\xff\xfe\n", "line 1"),
        ("\n", "holds no lines"),
        ("", "the file is empty"),
        ("1\t0\n1\t3164\n", "key 1 stands there more than once"),
        ("1\t0\n2\t999999\n", "record 2 should begin at byte 999999"),
    ],
)
def test_damaged_idx(tmp_path, text, said):
    path = put(tmp_path)
    path.with_suffix(".idx").write_text(text, encoding="latin1")
    with pytest.raises(DataError, match=said):
        Records(path)


def test_idx_of_another_file(tmp_path):
    path = put(tmp_path)
    path.with_suffix(".idx").write_text("1\t4\n")
    with pytest.raises(DataError, match="no record begins at byte 4"):
        Records(path).read(1)


@pytest.mark.parametrize("size", [19888, 19880, 19875, 12000, 4])
def test_truncated_without_idx(tmp_path, size):
    path = put(tmp_path)
    os.truncate(path, size)
    path.with_suffix(".idx").unlink()
    with pytest.raises(DataError, match="truncated"):
        Records(path)


def test_continuation_is_no_beginning(tmp_path):
    path = tmp_path / "a.rec"
    path.write_bytes(frame(b"abcd" + M + b"efg"))
    file = RecordFile(path)
    with pytest.raises(DataError, match="continuation"):
        file.read_at(12)
    os.truncate(path, 12)
    with pytest.raises(DataError, match="truncated"):
        RecordFile(path).read_at(0)


def test_closing_twice_does_no_harm(tmp_path):
    file = RecordFile(put(tmp_path))
    file.close()
    file.close()


def test_nothing_is_left_when_writing_stops(tmp_path):
    path = tmp_path / "a.rec"
    path.write_bytes(b"old")
    with pytest.raises(KeyboardInterrupt), RecordWriter(path) as writer:
        writer.write(0, 1.0, b"image")
        raise KeyboardInterrupt
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [("a.rec", b"old")]
