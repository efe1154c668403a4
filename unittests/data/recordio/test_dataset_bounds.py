"""What of a ``.rec`` file is an image, an identity, an attribute; and the words for what is neither."""

import json
import struct

import numpy as np
import pytest

from fairface.data.recordio import index as module
from fairface.data.recordio.dataset import RecordDataset, find_rec
from fairface.data.recordio.files import RecordStream, RecordWriter, default_idx
from fairface.data.recordio.frame import MAGIC, RecordFile
from fairface.data.recordio.index import load_index
from fairface.data.recordio.notes import AttributeNotes, read_attribute_notes, read_identities, read_property
from fairface.errors import DataError


def write(folder, labels, payloads=None):
    with RecordWriter(folder / "train.rec") as writer:
        for key, label in enumerate(labels):
            writer.write(key, label, b"image" if payloads is None else payloads[key])
    return folder


def said_of(folder):
    with pytest.raises(DataError) as caught:
        RecordDataset(folder)
    return str(caught.value)


def test_the_one_file_of_a_folder_and_the_one_named_train(tmp_path):
    (tmp_path / "b.rec").touch()
    assert find_rec(tmp_path) == find_rec(tmp_path / "b.rec") == tmp_path / "b.rec"
    (tmp_path / "a.rec").touch()
    with pytest.raises(DataError, match=r"holds 2 \.rec files and none is train\.rec; name the file"):
        find_rec(tmp_path)
    (tmp_path / "train.rec").touch()
    assert find_rec(tmp_path) == tmp_path / "train.rec"
    assert default_idx(tmp_path / "train.rec") is None


def test_a_record_without_an_image_where_no_record_0_tells_of_it(tmp_path):
    said = "holds no image, and there is no record 0 that tells which records are images"
    assert f"train.rec: record 2 {said}" in said_of(write(tmp_path, [[0, 1], [1, 1], [0, 1]], [b"a", b"b", b""]))
    assert f"train.rec: record 0 {said}" in said_of(write(tmp_path, [3.0, [1, 1]], [b"", b"b"]))  # one number
    with RecordWriter(tmp_path / "train.rec") as writer:
        writer.write(5, [3, 3], b"")
        writer.write(6, [0, 1], b"a")
    assert f"train.rec: record 5 {said}" in said_of(tmp_path)


@pytest.mark.parametrize(
    ("label", "classes"), [([3, 7], 4), ([3, 3], 2), ([3, 2], 2), ([3], 2), ([2**24, 2**24 + 8], 2), ([3, 2**24], 2)]
)
def test_record_0_tells_of_images_and_identities_unless_there_are_too_many_for_float32(tmp_path, label, classes):
    """A class without images counts; beyond 2**24 records the numbers are not exact and say nothing."""
    data = RecordDataset(write(tmp_path, [label, [0, 1], [1, 1]], [b"", b"a", b"b"]))
    assert (data.num_classes, data.keys.tolist(), data.labels.tolist()) == (classes, [1, 2], [0, 1])


@pytest.mark.parametrize("label", [[4, 6], [2**24 - 1, 2**24]])
def test_record_0_tells_of_other_images(tmp_path, label):
    said = said_of(write(tmp_path, [label, [0, 1], [1, 1]], [b"", b"a", b"b"]))
    assert f"train.rec: record 0 tells of {label[0] - 1} images, but 2 are there;" in said


def test_labels_are_whole_numbers_from_0(tmp_path):
    for label, shown in ((-1.0, "-1"), (0.5, "0.5"), (2.0**31, "2.14748e+09")):
        said = said_of(write(tmp_path, [0.0, label, 0.25]))
        wrong = 2 if label != 0.25 else 1
        assert f"record 1 has the label {shown}, not a whole number from 0; {wrong} such records: correct prop" in said
    (tmp_path / "property").write_text("3,112,96\n")
    assert RecordDataset(write(tmp_path, [0.0, 2.0])).num_classes == 3
    assert RecordDataset(tmp_path).image_size == (112, 96)
    assert "record 1 has the label 3, not 0 to 2 (file property); 1 such record" in said_of(write(tmp_path, [0.0, 3.0]))


def test_attributes_with_names_need_labels_that_are_codes(tmp_path):
    notes = {"names": ["sex", "age"]}
    (tmp_path / "attributes.json").write_text(json.dumps(notes))
    data = RecordDataset(write(tmp_path, [[0, 1, -1, 127], [1, 1, 0, 0]]))
    assert data.attributes.tolist() == [[-1, 127], [0, 0]]
    assert data.attribute_values == {}
    for value in (-2, 128, 0.5):
        said = said_of(write(tmp_path, [[0, 1, 0, 1], [0, 1, 0, 1], [1, 1, 2, value]]))
        assert f"train.rec: record 2 has the attributes [2.0, {float(value)}], not whole numbers from -1 to 127" in said
    said = said_of(write(tmp_path, [[0, 1, 0, 1, 5], [1, 1, 2], [1, 1]]))
    assert "train.rec: record 1 has 3 labels, too few for the 2 attributes of attributes.json" in said


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        ([[0, 1], [1, 1]], ()),
        ([0.0, [1, 1, 5]], ()),
        ([[0, 1, 3], [1, 1, 3, 4]], ("label2",)),
        ([[0, 1, 127, -1], [1, 1, 0, 4]], ("label2", "label3")),
        ([[0, 1, 128], [1, 1, 0]], ()),
        ([[0, 1, -2], [1, 1, 0]], ()),
    ],
)
def test_attributes_without_names_are_those_that_all_images_have(tmp_path, labels, names):
    data = RecordDataset(write(tmp_path, labels))
    assert data.attribute_names == names
    assert data.attributes.tolist() == [list(label)[2 : 2 + len(names)] for label in map(np.atleast_1d, labels)]


def test_labels_that_the_format_cuts_in_two_are_read_whole(tmp_path):
    """A label may look like the magic number: the record is in parts then, and has more labels than the others."""
    magic = float(np.frombuffer(struct.pack("<I", MAGIC), "<f4")[0])
    labels = [[2, 1], [1, magic, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], 0.0, [0, magic]]
    write(tmp_path, labels)
    index = load_index(RecordFile(tmp_path / "train.rec"), tmp_path / "train.idx")
    assert index.labels.shape == (4, 12)
    for row, label in enumerate(labels):
        own = np.atleast_1d(np.array(label, np.float32))
        assert index.labels[row, : len(own)].tolist() == own.tolist()
        assert np.isnan(index.labels[row, len(own) :]).all()
    assert index.flags.tolist() == [2, 12, 0, 2]
    data = RecordDataset(tmp_path)
    assert [data.encoded(i) for i in range(4)] == [b"image"] * 4


def test_the_index_is_kept_until_one_of_its_files_changes(tmp_path, monkeypatch):
    write(tmp_path, [0.0, 1.0])
    scanned = []
    scan = module.scan
    monkeypatch.setattr(module, "scan", lambda file, *rest: (scanned.append(file.path.name), scan(file, *rest))[1])

    def opened(times):
        found = RecordDataset(tmp_path)
        assert len(scanned) == times
        return found

    opened(1)
    opened(1)
    for times, name in ((2, "train.rec"), (3, "train.idx")):
        (tmp_path / name).write_bytes((tmp_path / name).read_bytes())  # another time, the same size
        opened(times)
        opened(times)
    (tmp_path / "train.idx").write_text("0\t0\n1\t40\n\n")
    opened(4)
    with np.load(tmp_path / "train.index.npz") as stored:
        arrays = dict(stored)
    np.savez(tmp_path / "train.index.npz", **{**arrays, "sizes": arrays["sizes"][:1]})
    assert len(opened(5)) == 2
    for times, damage in enumerate(({"sizes": np.float64(1)}, {"starts": arrays["starts"] + 0.5},
                                    {"labels": arrays["labels"][:, 0]}), 6):  # fmt: skip
        np.savez(tmp_path / "train.index.npz", **{**arrays, **damage})
        assert len(opened(times)) == 2
    (tmp_path / "train.idx").unlink()
    opened(9)
    opened(9)


def test_a_full_disk_is_told_with_the_file(tmp_path):
    class Full:
        def write(self, content):
            raise OSError(28, "No space left on device")

    with pytest.raises(DataError) as caught:
        RecordStream(Full(), Full(), "x/train.rec").write(0, 1.0, b"image")
    assert str(caught.value) == (
        "x/train.rec: cannot be written (No space left on device); free space or choose another folder"
    )


def test_the_index_may_have_another_name(tmp_path):
    with RecordWriter(tmp_path / "a.rec", tmp_path / "b.idx") as writer:
        writer.write(7, 0.0, b"image")
        writer.write(3, 0.0, b"im")
    assert (tmp_path / "b.idx").read_text() == "7\t0\n3\t40\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.rec", "b.idx"]


@pytest.mark.parametrize("text", ["1,0,112", "1,112,0", "0,1,1", "1,1", "1,1,1,1", "", "\n1,1,1"])
def test_what_is_no_property(tmp_path, text):
    (tmp_path / "property").write_text(text)
    with pytest.raises(DataError) as caught:
        read_property(tmp_path)
    assert f"property: begins with {text!r}, not with classes,height,width such as 10,112,112;" in str(caught.value)


def test_the_smallest_property_and_a_long_wrong_one(tmp_path):
    (tmp_path / "property").write_text("1,1,1\nand more")
    found = read_property(tmp_path)
    assert (found.classes, found.height, found.width) == (1, 1, 1)
    (tmp_path / "property").write_text("x" * 50)
    with pytest.raises(DataError, match=f"begins with '{'x' * 40}',"):
        read_property(tmp_path)


def test_identities_that_are_no_text(tmp_path):
    assert read_identities(tmp_path, 2) == ()
    (tmp_path / "identities.txt").write_bytes(b"Ann\n\xffBo\n")
    with pytest.raises(DataError, match=r"identities\.txt: is no text in UTF-8 \(byte 4\); remove it or pack again"):
        read_identities(tmp_path, 2)
    (tmp_path / "identities.txt").write_bytes("Ann\n\nBø\n".encode())
    assert read_identities(tmp_path, 3) == ("Ann", "", "Bø")


def test_attribute_notes_come_back(tmp_path):
    notes = AttributeNotes(("sex", "hat"), {"sex": ("f", "größer")})
    assert "größer" in notes.to_json()
    (tmp_path / "attributes.json").write_text(notes.to_json(), encoding="utf-8")
    assert read_attribute_notes(tmp_path) == notes
    assert AttributeNotes() == AttributeNotes((), {})
    for wrong in ('{"names": ["a", 1]}', '{"names": ["a"], "values": {"a": "bc"}}', '{"values": {}}', "[]", "5"):
        (tmp_path / "attributes.json").write_text(wrong)
        with pytest.raises(DataError, match=r"attributes\.json: is not of the form"):
            read_attribute_notes(tmp_path)
