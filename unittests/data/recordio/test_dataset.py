"""fairface.data.recordio.dataset and record_index."""

import json
import os
import pickle
import struct
from pathlib import Path

import numpy as np
import pytest

from fairface.data.images import encode_jpeg
from fairface.data.recordio.dataset import RecordDataset
from fairface.data.recordio.files import RecordWriter
from fairface.data.recordio.frame import MAGIC, RecordFile, frame
from fairface.data.recordio.header import pack
from fairface.data.recordio.index import load_index
from fairface.errors import DataError

VECTORS = np.load(Path(__file__).parents[2] / "vectors" / "data_recordio.npz")
JPEG = encode_jpeg(np.full((16, 16, 3), 99, np.uint8))
CACHE = "train.index.npz"


def put(folder: Path, prefix: str = "") -> Path:
    for name, key in (("train.rec", "rec"), ("train.idx", "idx"), ("property", "property")):
        (folder / name).write_bytes(bytes(VECTORS[prefix + key]))
    return folder


def write(folder: Path, labels, payload: bytes = JPEG) -> Path:
    with RecordWriter(folder / "train.rec") as writer:
        for key, label in enumerate(labels):
            writer.write(key, label, payload)
    return folder


@pytest.mark.parametrize("prefix", ["", "rb_"])
@pytest.mark.parametrize("with_idx", [True, False])
def test_vectors(tmp_path, prefix, with_idx):
    folder = put(tmp_path, prefix)
    if not with_idx:
        (folder / "train.idx").unlink()
    for _ in range(2):  # scanned, then from the cache
        data = RecordDataset(folder)
        assert data.labels.tolist() == VECTORS["rb_labels"].tolist()
        assert data.labels.dtype == np.int32
        assert (len(data), data.num_classes, data.image_size) == (6, 2, (112, 112))
        assert data.attributes.shape == (6, 0)
        for i in range(6):
            sample = data[i]
            assert np.abs(sample.image.astype(int) - VECTORS["decoded_rgb"][i]).max() <= 2
            assert sample.label == VECTORS["rb_labels"][i]
        assert (folder / CACHE).exists()
    assert data.name(5).endswith(f"train.rec: record {5 if prefix else 6}")


def test_without_property_classes_come_from_the_identity_records(tmp_path):
    folder = put(tmp_path)
    (folder / "property").unlink()
    assert RecordDataset(folder / "train.rec").num_classes == 2


def test_cache_is_used_and_renewed(tmp_path):
    folder = write(tmp_path, [0.0, 1.0])
    assert RecordDataset(folder).labels.tolist() == [0, 1]
    before = (folder / CACHE).stat().st_mtime_ns
    assert RecordDataset(folder).labels.tolist() == [0, 1]
    assert (folder / CACHE).stat().st_mtime_ns == before
    write(tmp_path, [1.0, 0.0, 2.0])
    assert RecordDataset(folder).labels.tolist() == [1, 0, 2]
    (folder / CACHE).write_bytes(b"no zip file")
    assert RecordDataset(folder).labels.tolist() == [1, 0, 2]
    np.savez(folder / CACHE, stamp=np.zeros(5))
    assert RecordDataset(folder).labels.tolist() == [1, 0, 2]


def test_cache_with_objects_is_not_loaded(tmp_path):
    folder = write(tmp_path, [0.0])
    np.savez(folder / CACHE, stamp=np.array([print], dtype=object))
    assert RecordDataset(folder).labels.tolist() == [0]


def test_a_folder_that_cannot_be_written_needs_no_cache(tmp_path, monkeypatch):
    folder = write(tmp_path, [0.0, 1.0])

    def refuse(*args, **kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tempfile.mkstemp", refuse)
    assert RecordDataset(folder).labels.tolist() == [0, 1]
    assert not (folder / CACHE).exists()


def test_attributes_with_names(tmp_path):
    folder = write(tmp_path, [[0, 1, 1, -1], [1, 1, 0, 3]])
    (folder / "attributes.json").write_text(json.dumps({"names": ["sex", "age"], "values": {"sex": ["f", "m"]}}))
    data = RecordDataset(folder)
    assert data.attribute_names == ("sex", "age")
    assert data.attributes.tolist() == [[1, -1], [0, 3]]
    assert data.attributes.dtype == np.int8
    assert data.attribute_values == {"sex": ("f", "m")}
    assert data[1].attributes.tolist() == [0, 3]


def test_attributes_without_names_are_named_by_place(tmp_path):
    assert RecordDataset(write(tmp_path, [[0, 1, 1, 0], [1, 1, 0, 3]])).attribute_names == ("label2", "label3")


def test_further_labels_that_are_no_attributes_are_left_alone(tmp_path):
    data = RecordDataset(write(tmp_path, [[0, 1, 17.25], [1, 1, 400]]))
    assert data.attribute_names == ()
    assert data.labels.tolist() == [0, 1]


@pytest.mark.parametrize(
    ("notes", "said"),
    [
        ("{", "attributes.json: is not of the form"),
        ('{"names": "sex"}', "attributes.json: is not of the form"),
        ('{"names": ["sex", "age"]}', "record 0 has 3 labels, too few for the 2 attributes"),
    ],
)
def test_attribute_names_that_do_not_fit(tmp_path, notes, said):
    folder = write(tmp_path, [[0, 1, 1], [1, 1, 0]])
    (folder / "attributes.json").write_text(notes)
    with pytest.raises(DataError, match=said):
        RecordDataset(folder)


def test_labels_of_different_length_and_records_in_parts(tmp_path):
    magic = struct.pack("<I", MAGIC)
    payloads = [b"abcd" + magic + b"ef", JPEG, magic, b"tail"]
    labels = [[3, 1, 2, 0, 1, 2, 3, 4, 5, 6, 7, 8], 1.0, [2, 1], [0, float(np.frombuffer(magic, "<f4")[0]), 5]]
    with RecordWriter(tmp_path / "train.rec") as writer:
        for key, (label, payload) in enumerate(zip(labels, payloads, strict=True)):
            writer.write(key, label, payload)
    data = RecordDataset(tmp_path)
    assert data.labels.tolist() == [3, 1, 2, 0]
    assert [data.encoded(i) for i in range(4)] == payloads
    index = load_index(RecordFile(tmp_path / "train.rec"), tmp_path / "train.idx")
    for row, label in enumerate(labels):
        expected = np.atleast_1d(np.array(label, np.float32))
        assert np.array_equal(index.labels[row, : len(expected)], expected)
        assert np.isnan(index.labels[row, len(expected) :]).all()


@pytest.mark.parametrize("label", [2.0, -1.0, 0.5, float("nan"), float("inf")])
def test_label_outside_the_classes(tmp_path, label):
    folder = write(tmp_path, [0.0, 1.0, label])
    (folder / "property").write_text("2,112,112\n")
    with pytest.raises(DataError, match=r"record 2 has the label .*, not 0 to 1 \(file property\)"):
        RecordDataset(folder)


@pytest.mark.parametrize("text", ["", "many,112,112\n", "2\n", "0,112,112\n"])
def test_damaged_property(tmp_path, text):
    folder = put(tmp_path)
    (folder / "property").write_text(text)
    with pytest.raises(DataError, match="property: begins with"):
        RecordDataset(folder)


@pytest.mark.parametrize("size", [19900, 19880, 15000, 100, 6])
def test_truncated_rec(tmp_path, size):
    folder = put(tmp_path)
    os.truncate(folder / "train.rec", size)
    with pytest.raises(DataError, match=r"train\.(rec|idx): .*truncated"):
        RecordDataset(folder)


def test_truncated_after_opening(tmp_path):
    data = RecordDataset(put(tmp_path))
    os.truncate(tmp_path / "train.rec", 18000)
    with pytest.raises(DataError, match="record 6: is cut off after"):
        data.encoded(5)


def test_index_past_the_end(tmp_path):
    data = RecordDataset(put(tmp_path))
    for index in (6, -1):
        for read in (data.encoded, data.name, data.__getitem__):
            with pytest.raises(DataError, match=rf"record {index} was asked for, but there are 6 \(0 to 5\)"):
                read(index)


def test_record_that_is_no_jpeg_is_named(tmp_path):
    data = RecordDataset(write(tmp_path, [0.0], b"not a photograph"))
    with pytest.raises(DataError, match=r"train\.rec: record 0: not an image"):
        data[0]


def test_incomplete_idx(tmp_path):
    folder = put(tmp_path)
    lines = (folder / "train.idx").read_text().splitlines(keepends=True)
    (folder / "train.idx").write_text("".join(lines[:2] + lines[3:]))
    with pytest.raises(DataError, match=r"train\.idx: leaves out records of train\.rec, 3256 of its 19912 bytes"):
        RecordDataset(folder)
    data = RecordDataset(folder, on_missing="skip")
    assert data.keys.tolist() == [1, 2, 4, 5, 6]
    assert data.notes[0].startswith("warning:")
    (folder / "train.idx").write_text("".join(lines[:6]))  # without record 0 and the identities
    with pytest.raises(DataError, match="leaves out records"):
        RecordDataset(folder)


def test_record_0_tells_how_many_images_there_are(tmp_path):
    with RecordWriter(tmp_path / "train.rec") as writer:
        writer.write(0, [3, 4], b"")
        writer.write(1, [0, 1], JPEG)
    with pytest.raises(DataError, match="record 0 tells of 2 images, but 1 is there"):
        RecordDataset(tmp_path)


def test_length_of_a_record_is_damaged(tmp_path):
    folder = write(tmp_path, [0.0, 1.0, 2.0])
    rec = bytearray((folder / "train.rec").read_bytes())
    rec[4] -= 4
    (folder / "train.rec").write_bytes(rec)
    with pytest.raises(DataError, match=r"train\.rec: record 0 ends at byte \d+, but the next one begins at byte"):
        RecordDataset(folder)


def test_names_of_the_identities(tmp_path):
    folder = put(tmp_path)
    (folder / "identities.txt").write_text("Ann\nBo\n")
    assert RecordDataset(folder).class_names == ("Ann", "Bo")
    (folder / "identities.txt").write_text("Ann\n")
    with pytest.raises(DataError, match="names 1 identity, but the data have 2"):
        RecordDataset(folder)


def test_no_image_at_all(tmp_path):
    with RecordWriter(tmp_path / "train.rec") as writer:
        writer.write(0, [1, 2], b"")
        writer.write(1, [1, 1], b"")
    with pytest.raises(DataError, match="holds no image"):
        RecordDataset(tmp_path)


def test_record_with_more_labels_than_bytes(tmp_path):
    (tmp_path / "train.rec").write_bytes(frame(pack(0.0, b"image")) + frame(struct.pack("<IfQQ", 90, 0, 1, 0)))
    (tmp_path / "train.idx").write_text("0\t0\n1\t40\n")
    with pytest.raises(DataError, match="record at byte 40: announces 90 labels"):
        RecordDataset(tmp_path)


def test_missing_path_and_unclear_folder(tmp_path):
    with pytest.raises(DataError, match="no such file or folder"):
        RecordDataset(tmp_path / "nowhere")
    with pytest.raises(DataError, match=r"no \.rec file"):
        RecordDataset(tmp_path)
    for name in ("a.rec", "b.rec"):
        (tmp_path / name).touch()
    with pytest.raises(DataError, match=r"2 \.rec files"):
        RecordDataset(tmp_path)


def test_survives_fork_and_pickling(tmp_path):
    data = RecordDataset(put(tmp_path))
    expected = [data.encoded(i) for i in range(6)]
    child = os.fork()
    if child == 0:
        os._exit(0 if [data.encoded(i) for i in range(6)] == expected else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert [pickle.loads(pickle.dumps(data)).encoded(i) for i in range(6)] == expected


def test_mxnet_writes_and_this_reads(tmp_path):
    pytest.importorskip("fairface.mx")
    from fairface.mx import mx

    writer = mx.recordio.MXIndexedRecordIO(str(tmp_path / "train.idx"), str(tmp_path / "train.rec"), "w")
    for key in range(5):
        writer.write_idx(key, mx.recordio.pack(mx.recordio.IRHeader(0, float(key % 2), key, 0), JPEG))
    writer.close()
    data = RecordDataset(tmp_path)
    assert data.labels.tolist() == [0, 1, 0, 1, 0]
    assert data.encoded(4) == JPEG


@pytest.mark.slow
def test_a_million_records(tmp_path, root):
    import json as reader
    import subprocess
    import sys

    program = [sys.executable, str(root / "benchmarks" / "open_records.py"), "--json", "--folder", str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    found = reader.loads(subprocess.run(program, check=True, capture_output=True, text=True, env=environment).stdout)
    assert found["cold"]["label_sum"] == found["cached"]["label_sum"]
    assert max(found["cold"]["peak_mb"], found["cached"]["peak_mb"]) < 500
    assert found["cold"]["seconds"] < 15
    assert found["cached"]["seconds"] < 2
