"""What a name means: a card, a folder, a file of some format; and what is said of a name that means nothing."""

from pathlib import Path

import numpy as np
import pytest

from fairface.data.array import ArrayDataset
from fairface.data.cards import FORMATS, SEARCH, all_cards, find_card, load_card, search_folders
from fairface.data.class_map import map_classes
from fairface.data.columns import float_columns
from fairface.data.formats import OPENERS, OpenOptions, find_index, format_of
from fairface.data.identities import order_names
from fairface.data.image_kinds import LeftOut, suffix_of, unread_remedies
from fairface.data.opening import locate, open_dataset, verification_sets
from fairface.data.other_formats import other_format_hint
from fairface.data.pread_file import PreadFile
from fairface.data.unlabeled import ZeroUnlabeled
from fairface.data.view import DatasetView
from fairface.errors import DataError

CARD = "name: {0}\ntitle: T\nformat: rec\npath: {1}\nwhere: from\n  somewhere\nlicence: none\n"


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
    return tmp_path


def test_cards_of_two_folders_by_name(place):
    (place / "one" / "b.yaml").write_text(CARD.format("beta", "x") + "aliases: [second]\nclasses: 3\nimages: null\n")
    (place / "two" / "a.yaml").write_text(CARD.format("beta", "other"))
    (place / "two" / "c.yaml").write_text(CARD.format("alpha", "y") + "attributes: [sex, 5]\nnotes: some\n")
    cards = all_cards(["one", "two"])
    assert [card.name for card in cards] == ["alpha", "beta"]
    alpha, beta = cards
    assert (beta.path, beta.aliases, beta.classes, beta.images, beta.attributes) == ("x", ("second",), 3, None, ())
    assert (alpha.classes, alpha.images, alpha.attributes, alpha.aliases) == (None, None, ("sex", "5"), ())
    assert (alpha.notes, beta.notes) == ("some", "")
    assert find_card("second", ["one"]) == load_card("second", ["one"]) == beta
    assert find_card("none", ["one"]) is None
    assert load_card(place / "two" / "a.yaml").path == "other"
    (place / "two" / "a.yml").write_text(CARD.format("gamma", "z"))
    assert load_card("two/a.yml").name == "gamma"
    for name, said in (("bete", "near: beta"), ("zzz", "known: alpha, beta, second")):
        with pytest.raises(DataError) as caught:
            load_card(name, ["one", "two"])
        assert str(caught.value) == f"{name}: no data set of this name; {said}"
    with pytest.raises(DataError, match="x: no data set of this name; known: none"):
        load_card("x", ["nowhere"])
    assert SEARCH == ("datasets", "train/datasets")
    assert set(OPENERS) < set(FORMATS)


def test_at_most_three_near_names(place):
    for name in ("setaa", "setab", "setac", "setad"):
        (place / "one" / f"{name}.yaml").write_text(CARD.format(name, "x"))
    with pytest.raises(DataError) as caught:
        load_card("seta", ["one"])
    assert str(caught.value).count("seta") == 4


def test_folders_of_the_checkout_are_searched_after_ones_own(place, root):
    assert search_folders(["one", "two", "one", "./two"]) == [Path("one"), Path("two")]
    (place / "datasets").mkdir()
    assert search_folders(["datasets"]) == [Path("datasets"), root / "datasets"]
    assert search_folders(["unittests"]) == [root / "unittests"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[", "cannot be read as a card ("),
        ("- a\n", "is no card: missing keys ['format', 'licence', 'name', 'path', 'title', 'where'], unknown keys []"),
        (CARD.format("a", "x") + "size: 3\n", "is no card: missing keys [], unknown keys ['size']; correct it"),
        (CARD.format("a", "x").replace("licence: none\n", ""), "is no card: missing keys ['licence'], unknown keys []"),
        (CARD.format("a", "x").replace("rec", "lmdb"), f"format is 'lmdb'; it must be one of {', '.join(FORMATS)}"),
        (CARD.format("a", "x") + "images: 1.5\n", "images is 1.5; it must be a whole number, or null where not known"),
        (CARD.format("a", "x") + "classes: many\n", "classes is 'many'; it must be a whole number"),
    ],
)
def test_what_is_no_card(place, text, said):
    (place / "a.yaml").write_text(text)
    with pytest.raises(DataError) as caught:
        load_card("a.yaml")
    assert str(caught.value).startswith(f"a.yaml: {said}")


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
    with pytest.raises(DataError, match=r"^minx: no data set of this name; near: mine"):
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


def test_labels_with_gaps_become_classes():
    given = np.array([30, -1, 5, 30, 7])
    found = map_classes(given)
    assert (found.labels.tolist(), found.given.tolist(), found.names) == (
        [2, -1, 0, 2, 1],
        [5, 7, 30],
        ("5", "7", "30"),
    )
    assert found.labels.dtype == np.int32
    assert found.notes("l.txt") == (
        "l.txt: 3 different labels from 5 to 30 became classes 0 to 2, in ascending order",)  # fmt: skip
    assert map_classes(np.array([1, 0, -1, 1])).notes("l.txt") == ()
    assert map_classes(np.array([1])).notes("l.txt")
    assert map_classes(np.array([-1, -1])).notes("l.txt") == ()
    assert order_names(["10", "9", "09", "9"]) == ["09", "9", "10"]
    assert order_names(["10", "9", "a"]) == ["10", "9", "a"]
    assert order_names(["²", "3"]) == ["3", "²"]


def zero(labels, classes, names=()):
    data = ArrayDataset(np.zeros((len(labels), 4, 4, 3), np.uint8), labels, num_classes=classes)
    data.class_names = tuple(names)
    return ZeroUnlabeled(data)


def test_the_class_called_0_is_that_of_nobody():
    told = "images in memory: 2 of 5 images have the label 0 and became unlabeled (-1)"
    found = zero([0, 1, 2, 0, -1], 3)
    assert (found.labels.tolist(), found.num_classes, found.class_names) == ([-1, 0, 1, -1, -1], 2, ("1", "2"))
    assert found.notes == (
        told,
        "warning: images in memory: the labels are 0 to 2 without a gap, as where 0 is an identity too (label 0 has 2 "
        "images, other identities 1 each); if 0 is an identity here, leave zero_is_unlabeled out",
    )
    found = zero([1, 0, 2, 1, 2], 3, ("5", "0", "30"))
    assert (found.labels.tolist(), found.num_classes, found.class_names) == ([-1, 0, 1, -1, 1], 2, ("5", "30"))
    assert found.notes == (told,)
    found = zero([0, 1, 1], 2, ("5", "30"))
    assert (found.labels.tolist(), found.num_classes) == ([0, 1, 1], 2)
    assert found.notes == ("images in memory: 0 of 3 images have the label 0 and became unlabeled (-1)",)
    assert zero([1, 1], 2).notes == ("images in memory: 0 of 2 images have the label 0 and became unlabeled (-1)",)
    assert "(label 0 has 2 images);" in zero([0, 0], 1).notes[1]
    assert "(label 0 has 1 images, other identities 2.5 each);" in zero([0, 1, 1, 2, 2, 2], 3).notes[1]


def test_arrays_by_default():
    images = np.zeros((3, 4, 5, 3), np.uint8)
    data = ArrayDataset(images, [1, -1, 0])
    assert (data.num_classes, data.attributes.shape, data.name(2), data.holds_pixels) == (2, (3, 0), "image 2", True)
    assert ArrayDataset(images, [-1] * 3).num_classes == 0
    assert ArrayDataset(images[:0], []).num_classes == 0
    assert ArrayDataset(images, [0, 1, 2], num_classes=3).num_classes == 3
    view = DatasetView(data, np.array([2, 0]), labels=np.array([5, 4], np.int32), num_classes=6, class_names=("x",))
    assert (view[0].label, view.labels.tolist(), view.num_classes, view.class_names) == (5, [5, 4], 6, ("x",))
    assert view.name(1) == "image 0"
    assert DatasetView(data).indices.tolist() == [0, 1, 2]
    for labels, names, said in (
        ([0], None, "3 images need as many labels and names, not labels of shape (1,)"),
        ([0] * 3, ["a"], "3 images need as many labels and names, not labels of shape (3,) and 1 names"),
        ([0, -2, 1], None, "labels must be -1 (unlabeled) or 0 to 1, not -2 to 1"),
    ):
        with pytest.raises(DataError) as caught:
            ArrayDataset(images, labels, names=names)
        assert str(caught.value) == said
    with pytest.raises(DataError, match=r"or 0 to 1, not 0 to 2"):
        ArrayDataset(images, [0, 1, 2], num_classes=2)
    for wrong in (images[0], images[..., :1], images.astype(np.int8)):
        with pytest.raises(DataError, match=r"images must be uint8 \(N, H, W, 3\), not"):
            ArrayDataset(wrong, [0] * len(wrong))


@pytest.mark.parametrize("values", [5, [1, 2], [True, False, True], ["a", "b", "c"], [[1], [1, 2], [3]]])
def test_columns_are_numbers_for_each_record(values):
    with pytest.raises(
        DataError, match="x: the column c must hold a number or an array of numbers for each of 3 records"
    ):
        float_columns("x", 3, {"c": values})
    for right in ([1, 2, 3], np.arange(3, dtype=np.uint8), [[1.5], [2], [3]]):
        found = float_columns("x", 3, {"c": right})["c"]
        assert (found.dtype, found.tolist()) == (np.float32, np.asarray(right, float).tolist())


@pytest.mark.parametrize(("count", "more"), [(10, ""), (11, ", …")])
def test_files_that_were_left_out_are_told_apart_and_named(count, more):
    names = [f"{i:02}.gif" for i in range(count)]
    notes = [f"{i:02}.txt" for i in range(count)]
    left_out = LeftOut.of([*reversed(names), *notes])
    shown = ", ".join(names[:10]) + more
    many = f"{count} photographs of kinds that cannot be read were left out"
    assert left_out.problems("x") == (f"x: {many}: {shown}; save .gif as JPEG or PNG",)
    assert left_out.notes("x") == (
        f"warning: x: {many}: {shown}; save .gif as JPEG or PNG",
        f"x: {count} other files were left out: {', '.join(notes[:10])}{more}",
    )
    assert LeftOut.of(names).notes("x") == (f"warning: x: {many}: {shown}; save .gif as JPEG or PNG",)
    assert (LeftOut().problems("x"), LeftOut().notes("x")) == ((), ())
    assert suffix_of("a.b/C.HEIC") == ".heic"
    remedies = unread_remedies(["a.heic", "b.NEF", "c.gif", "d.nef"])
    assert remedies.endswith("; save .gif, .nef as JPEG or PNG")
    assert remedies.startswith("pip install")


def test_other_formats_are_looked_for_among_the_first_hundred(tmp_path):
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "100.png").touch()
    names = [f"b/{i}.jpg" for i in range(1, 101)]
    assert other_format_hint(tmp_path, names) == (
        "b/100.png is there instead of b/100.jpg: name the files in the list as they are called; ")  # fmt: skip
    assert other_format_hint(tmp_path, ["b/0.jpg", *names]) == ""
    (tmp_path / "b" / "7.gif").touch()
    (tmp_path / "b" / "7.txt").touch()
    assert other_format_hint(tmp_path, names) == (
        "b/7.gif and 1 more of another format are there instead of b/7.jpg: name the files in the list as they are "
        "called, and save .gif as JPEG or PNG; "
    )
    (tmp_path / "b" / "7.bmp").touch()
    assert "b/7.bmp and 1 more" in other_format_hint(tmp_path, names)
    assert other_format_hint(tmp_path, ["none/7.jpg"]) == ""


def test_files_read_at_any_place(tmp_path, monkeypatch):
    (tmp_path / "a").write_bytes(b"abcdef")
    file = PreadFile(tmp_path / "a")
    assert (file.size, file.pread(3, 1), file.pread(9, 4), file.pread(1, 6)) == (6, b"bcd", b"ef", b"")
    with pytest.raises(DataError) as caught:
        file.pread(1, -1)
    assert str(caught.value) == (
        f"{tmp_path}/a: cannot be read at byte -1 (Invalid argument); check the disk or copy the file again"
    )
    kind, arguments = file.__reduce__()
    assert kind(*arguments).pread(2, 0) == b"ab"
    file.close()
    (tmp_path / "b").touch()
    with pytest.raises(DataError, match="b: the file is empty; copy it again"):
        PreadFile(tmp_path / "b")
    with pytest.raises(DataError, match=r"c: cannot be opened \(No such file or directory\); correct the path"):
        PreadFile(tmp_path / "c")


def test_a_data_set_is_opened_with_its_options(place):
    (place / "imgs").mkdir()
    for name in ("a.jpg", "b.jpg"):
        (place / "imgs" / name).touch()
    (place / "l.txt").write_text("a.jpg 0\nb.jpg 1\nc.jpg 1\n")
    data = open_dataset("l.txt", options=OpenOptions("imgs", True, "skip", True))
    assert data.labels.tolist() == [-1, 0]
    assert open_dataset("l.txt", options=OpenOptions("imgs", True, "skip")).labels.tolist() == [0, 1]
