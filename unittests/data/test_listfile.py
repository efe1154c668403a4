"""Lists of photographs with labels."""

import pytest

from fairface.data.listfile import ListDataset, read_list
from fairface.errors import DataError


@pytest.mark.parametrize(("line", "place"), [("a.jpg", 3), ("a.jpg x", 3), ("a.jpg -2", 3), ("a.jpg 1.5", 3)])
def test_a_line_without_a_label(tmp_path, line, place):
    (tmp_path / "l.txt").write_text(f"b c.jpg 0\n\n{line}\nd\n")
    with pytest.raises(DataError) as caught:
        read_list(tmp_path / "l.txt")
    assert f"l.txt: line {place} is {line!r}, not `path label` with a whole number from 0 (-1: unlabeled)" in str(
        caught.value
    )


@pytest.mark.parametrize("name", ["/a.jpg", "../a.jpg", "b/../../a.jpg"])
def test_a_listed_photograph_lies_below_the_folder(tmp_path, name):
    (tmp_path / "l.txt").write_text(f"b..c.jpg 0\n{name} 1\n")
    with pytest.raises(DataError) as caught:
        read_list(tmp_path / "l.txt")
    assert f"l.txt: line 2 names {name!r}, which is not below the folder of the photographs;" in str(caught.value)


def test_what_a_list_says_of_its_photographs(tmp_path):
    for name in ("a b.jpg", "c.jpg", "e.jpg"):
        (tmp_path / name).write_bytes(name.encode())
    (tmp_path / "l.txt").write_text("a b.jpg 7\nd.jpg 9\n\nc.jpg -1\ne.jpg 3\n")
    data = ListDataset(tmp_path / "l.txt", on_missing="skip")
    assert [data.photo(i) for i in range(3)] == [tmp_path / name for name in ("a b.jpg", "c.jpg", "e.jpg")]
    assert [data.encoded(i) for i in range(3)] == [b"a b.jpg", b"c.jpg", b"e.jpg"]
    assert [data.name(i) for i in range(3)] == [
        f"{tmp_path}/{name} (l.txt, line {line})" for name, line in (("a b.jpg", 1), ("c.jpg", 4), ("e.jpg", 5))
    ]
    assert (data.labels.tolist(), data.class_labels.tolist()) == ([1, -1, 0], [3, 7])
    assert data.missing == (f"line 2: {tmp_path}/d.jpg",)
    assert (
        data.notes[1] == f"{tmp_path}/l.txt: 2 different labels from 3 to 7 became classes 0 to 1, in ascending order"
    )
    for read in (data.photo, data.encoded, data.name, data.record_name):
        with pytest.raises(DataError, match="record 3 was asked for"):
            read(3)
