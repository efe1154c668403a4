"""Image files without labels, in memory or below a folder."""

import pytest

from fairface.data.encoded import EncodedDataset, FileDataset
from fairface.errors import DataError


def test_bytes_in_memory():
    data = EncodedDataset([b"a", b"bc"], "set.bin")
    assert [data.encoded(i) for i in range(2)] == [b"a", b"bc"]
    assert [data.name(i) for i in range(2)] == ["set.bin, image 0", "set.bin, image 1"]
    assert (data.labels.tolist(), data.num_classes, data.attributes.shape) == ([-1, -1], 0, (2, 0))
    for read in (data.encoded, data.name):
        with pytest.raises(DataError, match="record 2 was asked for"):
            read(2)


def test_files_below_a_folder(tmp_path):
    names = ["1.jpg", "b/2 é.png"]
    (tmp_path / "b").mkdir()
    for name in names:
        (tmp_path / name).write_bytes(name.encode())
    data = FileDataset(tmp_path, names)
    assert [data.encoded(i) for i in range(2)] == [name.encode() for name in names]
    assert [data.name(i) for i in range(2)] == [str(tmp_path / name) for name in names]
    assert (data.labels.tolist(), data.num_classes, data.title) == ([-1, -1], 0, str(tmp_path))
    for read in (data.encoded, data.name):
        with pytest.raises(DataError, match="record -1 was asked for"):
            read(-1)


@pytest.mark.parametrize("name", ["/etc/passwd", "../1.jpg", "a/../../1.jpg"])
def test_names_stay_below_the_folder(tmp_path, name):
    with pytest.raises(DataError) as caught:
        FileDataset(tmp_path, ["1.jpg", name])
    assert str(caught.value) == f"{name!r} is not below the folder {tmp_path}; make it relative to that folder"


@pytest.mark.parametrize(("count", "shown"), [(1, "0.x"), (3, "0.x, 1.x, 2.x"), (4, "0.x, 1.x, 2.x …")])
def test_files_that_are_missing_are_counted(tmp_path, count, shown):
    (tmp_path / "there.x").touch()
    with pytest.raises(DataError) as caught:
        FileDataset(tmp_path, ["there.x", *(f"{i}.x" for i in range(count))])
    are = "is" if count == 1 else "are"
    said = f"{count} of {count + 1} images {are} not there ({shown}); give the right root"
    assert str(caught.value) == f"{tmp_path}: {said}"
