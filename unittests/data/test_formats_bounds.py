"""Formats known by their files, and names by what they mean."""

from pathlib import Path

import pytest

from fairface.data.formats import OpenOptions, find_index, format_of
from fairface.data.opening import locate, open_dataset, verification_sets
from fairface.errors import DataError

CARD = "name: {0}\ntitle: T\nformat: rec\npath: {1}\nwhere: from\n  somewhere\nlicence: none\n"


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
    return tmp_path


def test_a_format_is_known_by_its_files(place):
    for name in ("a.REC", "a.idx", "a.bin", "a.bin.zip", "x.tfrecord", "x.lst", "x.csv"):
        (place / name).touch()
    assert [format_of(place / name) for name in ("a.REC", "a.idx", "a.bin")] == ["rec", "rec", "bin"]
    for text, kind in (
        ("a b.jpg 1\n", "list"), ("\n\n a.jpg\t1\n", "list"), ("a\t0\t1\n", "tfrecord"), ("T\t0\t1\t5", "tfrecord"),
        ("", "list"), ("\ufeffT\t0\t1\t5", "tfrecord"),
    ):  # fmt: skip
        for suffix in (".txt", ".LIST", ".index"):
            (place / f"l{suffix}").write_text(text, encoding="utf-8")
            assert format_of(place / f"l{suffix}") == kind
    for name, said in (
        ("a.bin.zip", r"is no data of a known format \(\.rec, folder"),
        ("x.tfrecord", "is records without labels: name"),
        ("x.lst", "is a list of im2rec or insightface: pack"), ("x.csv", "is a table: pack it"),
    ):  # fmt: skip
        with pytest.raises(DataError, match=said):
            format_of(place / name)
    for made, kind in (("memfile", "memory"), ("x.tfrecord", "tfrecord"), ("x.rec", "rec")):
        folder = place / f"is {kind}"
        folder.mkdir()
        assert format_of(folder) == "folder"
        (folder / made).mkdir()
        assert format_of(folder) == kind


def test_a_list_that_cannot_be_read(place, monkeypatch):
    (place / "l.txt").touch()

    def refuse(self, *arguments, **named):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(DataError, match=r"l\.txt: cannot be read \(Permission denied\); correct the path"):
        format_of(place / "l.txt")


def test_the_index_of_a_folder_of_records(place):
    folder = place / "T"
    folder.mkdir()
    with pytest.raises(DataError, match=r"T: holds TFRecords and no index file; name the index file instead"):
        find_index(folder)
    (folder / "names.txt").write_text("a.jpg 1\n")
    (folder / "b.index").write_text("a\t0\t1\n")
    assert find_index(folder) == folder / "b.index"
    (folder / "c.txt").write_text("a\t0\t1\t5\n")
    with pytest.raises(DataError, match=r"T: holds TFRecords and 2 index files and none is T\.index; name"):
        find_index(folder)
    (folder / "T.index").touch()
    assert find_index(folder) == folder / "T.index"
    assert find_index(folder / "c.txt") == folder / "c.txt"
    assert OpenOptions() == OpenOptions("", True, "stop", False)


def test_a_name_means_a_path_then_a_card_then_a_folder(place):
    (place / "one" / "a.yaml").write_text(CARD.format("mine", "real/x.rec"))
    said = "mine: there are no data at real/x.rec below one or two; to get them: from somewhere"
    with pytest.raises(DataError) as caught:
        locate("mine", ["one", "two"])
    assert str(caught.value) == said
    (place / "two" / "real" / "x.rec").mkdir(parents=True)
    with pytest.raises(DataError) as caught:
        locate("mine", ["one", "two"])  # a folder without a .rec file
    assert str(caught.value) == said
    (place / "two" / "real" / "x.rec" / "train.rec").touch()
    assert locate("mine", ["one", "two"]) == (Path("two/real/x.rec"), "rec")
    (place / "two" / "mine").mkdir()
    assert locate("mine", ["one", "two"])[0] == Path("two/real/x.rec")
    (place / "mine").mkdir()
    assert locate("mine", ["one", "two"]) == (Path("mine"), "folder")
    (place / "one" / "b.yaml").write_text(CARD.format("far", place / "two" / "real" / "x.rec"))
    assert locate("far", ["one"]) == (place / "two" / "real" / "x.rec", "rec")
    for name in ("no/such", "x.rec"):
        with pytest.raises(DataError) as caught:
            locate(name, ["one", "two"])
        assert str(caught.value) == (
            f"{name}: there is no such file or folder, nor one below one or two; correct the path")  # fmt: skip
    with pytest.raises(DataError, match=r"^minx: no such file or folder, and no data set of this name; near: mine"):
        locate("minx", ["one", "two"])


def test_verification_sets_by_name(place):
    for name in ("lfw.bin", "agedb.bin"):
        (place / "one" / name).touch()
    (place / "one" / "folder.bin").mkdir()
    for name in ("lfw", "calfw", "photos"):
        (place / "one" / name / ("memfile" if name != "photos" else "x")).mkdir(parents=True)
    expected = {"agedb": Path("one/agedb.bin"), "calfw": Path("one/calfw"), "lfw": Path("one/lfw.bin")}
    assert list(verification_sets("one").items()) == list(verification_sets("one/train.rec").items())
    assert verification_sets("one") == expected
    assert list(verification_sets("one")) == ["agedb", "calfw", "lfw"]
    assert verification_sets("nowhere/at/all") == {}


def test_a_data_set_is_opened_with_its_options(place):
    (place / "imgs").mkdir()
    for name in ("a.jpg", "b.jpg"):
        (place / "imgs" / name).touch()
    (place / "l.txt").write_text("a.jpg 0\nb.jpg 1\nc.jpg 1\n")
    data = open_dataset("l.txt", options=OpenOptions("imgs", True, "skip", True))
    assert data.labels.tolist() == [-1, 0]
    assert open_dataset("l.txt", options=OpenOptions("imgs", True, "skip")).labels.tolist() == [0, 1]
