"""fairface.data.packing.merging, merge_identities and the program merge_sets.py."""

import numpy as np
import pytest

from fairface.data.array import ArrayDataset
from fairface.data.image_size import is_jpeg, jpeg_size
from fairface.data.images import decode, encode_jpeg, encode_png, keep_or_convert
from fairface.data.opening import open_dataset
from fairface.data.packing.merge_identities import read_identity_map
from fairface.data.packing.merging import merge
from fairface.data.packing.plan import Photo, Plan
from fairface.data.packing.recordio import PackOptions, pack_encoded
from fairface.data.recordio.dataset import RecordDataset
from fairface.data.recordio.notes import AttributeNotes
from fairface.errors import ConfigError, DataError
from unittests.data.builders import (
    folder_of_identities,
    images,
    list_file,
    plain_rec,
    rec,
    tfrecord,
    unlabeled_tfrecord,
)

OPTIONS = PackOptions(size=16)


def found(folder) -> list[tuple[str, bytes]]:
    """(name of the identity, image) of every record."""
    data = RecordDataset(folder)
    return [(data.class_names[label], data.encoded(i)) for i, label in enumerate(data.labels.tolist())]


def test_offset(tmp_path):
    one, two = rec(tmp_path, images()), tfrecord(tmp_path, images())
    done = merge([open_dataset(one.path), open_dataset(two.path)], tmp_path / "out", OPTIONS)
    assert (done.images, done.identities, done.shared, done.left_out) == (12, 6, 0, 0)
    data = RecordDataset(tmp_path / "out")
    assert data.labels.tolist() == [0, 0, 0, 1, 2, 2, 3, 3, 3, 4, 5, 5]
    assert data.class_names == ("1/Ann", "1/Bo", "1/Cy", "2/7", "2/9", "2/30")
    assert found(tmp_path / "out")[6:] == [
        ("2/7", images()[0]), ("2/7", images()[1]), ("2/7", images()[5]), ("2/9", images()[2]),
        ("2/30", images()[3]), ("2/30", images()[4]),
    ]  # fmt: skip
    assert (tmp_path / "out" / "id_to_path.txt").read_text().splitlines()[0].endswith("rec/train.rec: record 1")


def test_labels_keep_their_offset_where_a_class_is_empty(tmp_path):
    one = open_dataset(rec(tmp_path, images()).path)
    two = ArrayDataset(np.zeros((1, 16, 16, 3), np.uint8), [1], num_classes=4)
    merge([two, one], tmp_path / "out", OPTIONS)
    data = RecordDataset(tmp_path / "out")
    assert data.labels.tolist() == [1, 4, 4, 4, 5, 6, 6]
    assert data.num_classes == 7
    assert is_jpeg(data.encoded(0))


def test_names(tmp_path):
    identities, again = folder_of_identities(tmp_path, images()), list_file(tmp_path, images())
    listed = again.path
    listed.write_text(listed.read_text().replace(" 5\n", " 77\n"))
    sets = [open_dataset(identities.path), open_dataset(listed), open_dataset(tfrecord(tmp_path, images()).path)]
    done = merge(sets, tmp_path / "out", OPTIONS, "names")
    assert RecordDataset(tmp_path / "out").class_names == ("Ann Lee", "Bø", "cy", "3", "77", "100", "7", "9", "30")
    assert done.shared == 0
    done = merge([*sets, sets[0]], tmp_path / "twice", OPTIONS, "names")
    assert (done.images, done.identities, done.shared) == (24, 9, 3)
    with pytest.raises(ConfigError, match="its identities have no names to join by"):
        merge([sets[0], open_dataset(plain_rec(tmp_path, images()).path)], tmp_path / "no", OPTIONS, "names")
    with pytest.raises(ConfigError, match="join is 'both'; it can be offset or names"):
        merge(sets, tmp_path / "no", OPTIONS, "both")


def test_map(tmp_path):
    one, two = open_dataset(rec(tmp_path, images()).path), open_dataset(plain_rec(tmp_path, images()).path)
    (tmp_path / "map.csv").write_text("source,label,identity\n1,Ann,A\n2,2,A\n2,1,\n1,Cy,\n2,2,A\n")
    known = read_identity_map(tmp_path / "map.csv")
    assert known == {(0, "Ann"): "A", (1, "2"): "A", (1, "1"): "", (0, "Cy"): ""}
    done = merge([one, two], tmp_path / "out", OPTIONS, identity_map=known)
    assert (done.images, done.identities, done.shared, done.left_out) == (9, 3, 1, 3)
    assert RecordDataset(tmp_path / "out").class_names == ("A", "1/Bo", "2/0")
    assert sorted(set(found(tmp_path / "out"))) == sorted(
        {("A", images()[i]) for i in (0, 1, 5, 3, 4)}
        | {("1/Bo", images()[2])}
        | {("2/0", images()[i]) for i in (0, 1, 5)}
    )
    with pytest.raises(DataError, match="the map names label 7 of source 2, which is not there"):
        merge([one, two], tmp_path / "no", OPTIONS, identity_map={(1, "7"): "A"})
    nobody = {(0, name): "" for name in ("Ann", "Bo", "Cy")}
    with pytest.raises(DataError, match="no labeled image is left"):
        merge([one], tmp_path / "no", OPTIONS, identity_map=nobody)
    assert not (tmp_path / "no").exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("source,label\n", "identity is missing"),
        ("source,label,identity\n0,1,A\n", "line 2: source must be 1, 2"),
        ("source,label,identity\nx,1,A\n", "line 2: source must be 1, 2"),
        ("source,label,identity\n1,,A\n", "line 2: source must be"),
        ("source,label,identity\n1,1,A\n1,1,B\n", "line 3: label 1 of source 1 has another identity before"),
    ],
)
def test_damaged_map(tmp_path, text, said):
    (tmp_path / "map.csv").write_text(text)
    with pytest.raises(DataError, match=said):
        read_identity_map(tmp_path / "map.csv")
    with pytest.raises(DataError, match="cannot be read"):
        read_identity_map(tmp_path / "none.csv")


def with_attributes(folder, notes: AttributeNotes, values) -> RecordDataset:
    photos = tuple(Photo("x", 0, 0, value) for value in values)
    pack_encoded(Plan(photos, ("A",), notes), images()[: len(photos)], folder, 16)
    return RecordDataset(folder)


def test_attributes_are_joined_by_name(tmp_path):
    one = with_attributes(
        tmp_path / "1", AttributeNotes(("sex", "age"), {"sex": ("f", "m"), "age": ()}), [(1, 5), (-1, 6)]
    )
    two = with_attributes(tmp_path / "2", AttributeNotes(("hat", "sex"), {"sex": ("f", "m")}), [(1, 0)])
    merge([one, two], tmp_path / "out", OPTIONS)
    data = RecordDataset(tmp_path / "out")
    assert data.attribute_names == ("sex", "age", "hat")
    assert data.attributes.tolist() == [[1, 5, -1], [-1, 6, -1], [0, -1, 1]]
    assert data.attribute_values["sex"] == ("f", "m")
    three = with_attributes(tmp_path / "3", AttributeNotes(("sex",), {"sex": ("m", "f")}), [(1,)])
    with pytest.raises(DataError, match="the attribute sex has the values m, f, in another set f, m"):
        merge([one, three], tmp_path / "no", OPTIONS)


def test_sizes_and_formats(tmp_path):
    small, png = encode_jpeg(np.zeros((8, 8, 3), np.uint8)), encode_png(np.zeros((16, 16, 3), np.uint8))
    data = open_dataset(plain_rec(tmp_path, [*images()[:4], small, png]).path)
    with pytest.raises(DataError, match=r"some\.rec: record 4: 8x8 pixels, not 16x16"):
        merge([data], tmp_path / "out", OPTIONS)
    merge([data], tmp_path / "out", PackOptions(size=16, resize=True, workers=2))
    merged = RecordDataset(tmp_path / "out")
    assert all(is_jpeg(merged.encoded(i)) and jpeg_size(merged.encoded(i)) == (16, 16) for i in range(6))
    assert merged.image_size == (16, 16)


def test_unlabeled_images_are_counted(tmp_path):
    sets = [open_dataset(rec(tmp_path, images()).path), open_dataset(unlabeled_tfrecord(tmp_path, images()).path)]
    assert merge(sets, tmp_path / "out", OPTIONS).left_out == 6


def test_size_of_a_jpeg():
    jpeg = encode_jpeg(np.zeros((20, 30, 3), np.uint8))
    assert jpeg_size(jpeg) == decode(jpeg, "x").shape[:2] == (20, 30)
    assert keep_or_convert(images()[0], "x", 16) is images()[0] or keep_or_convert(images()[0], "x", 16) == images()[0]
    for data in (
        b"",
        b"\xff\xd8\xff",
        jpeg[:100],
        encode_png(np.zeros((4, 4, 3), np.uint8)),
        b"\xff\xd8\xff\xe0" + bytes(20),
    ):
        assert jpeg_size(data) is None


def test_program(program, tmp_path):
    one, two = rec(tmp_path, images()).path, folder_of_identities(tmp_path, images()).path
    done = program("data_process/merge_sets.py", one, two, "--output", tmp_path / "out", "--size", "16")
    assert done.code == 0
    assert done.out == (
        f"{tmp_path / 'out'}: 12 images of 6 identities, 0 of them in several sets; "
        "0 images left out (unlabeled, or by the map)\n"
    )
    (tmp_path / "map.csv").write_text("source,label,identity\n1,Ann,cy\n2,cy,cy\n")
    arguments = ("--map", tmp_path / "map.csv", "--size", "16", "--overwrite")
    done = program("data_process/merge_sets.py", one, two, "--output", tmp_path / "out", *arguments)
    assert "12 images of 5 identities, 1 of them in several sets" in done.out
    assert program("data_process/merge_sets.py", one, "--output", tmp_path / "no").code == 2  # they are 16 pixels wide
