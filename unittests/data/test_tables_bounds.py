"""Tables, lists and choices of records: the bounds, and the words for what lies beyond them."""

import numpy as np
import pytest

from fairface.config.schema import DataConfig
from fairface.data.array import ArrayDataset
from fairface.data.folder import FolderDataset
from fairface.data.listfile import ListDataset, read_list
from fairface.data.missing import SKIP, STOP, find_missing, report_missing
from fairface.data.selection import labeled_only, open_selected, open_whole, parse_where, read_positions, select
from fairface.data.table import CsvTable, read_csv_table, read_text
from fairface.data.text_lines import read_lines, whole_numbers
from fairface.errors import ROOT, SKIP_MISSING, ConfigError, DataError


def table(tmp_path, text):
    (tmp_path / "t.csv").write_text(text)
    return read_csv_table(tmp_path / "t.csv")


def test_an_empty_value_is_counted_and_its_line_is_named(tmp_path):
    found = table(tmp_path, "image,sex\na,f\n\nb,\nc, \n")
    assert found.filled("image") == ["a", "b", "c"]
    with pytest.raises(DataError) as caught:
        found.filled("SEX")
    assert str(caught.value) == (
        f"{tmp_path / 't.csv'}: line 4: no value for sex (2 of 3 rows have none); give one in every row"
    )
    assert (found.where(0), len(found)) == (f"{tmp_path / 't.csv'}: line 2", 3)
    with pytest.raises(DataError, match=r"t\.csv: has no column age or years; line 1 names image, sex"):
        found.column("age", "years")
    assert CsvTable("x", ("a",), (["1"],), [2]).delimiter == ","


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "a,b,a,c,b\n1,2,3,4,5\n",
            "line 1 names a, b more than once; it must hold the names of the columns, each once",
        ),
        (",Unnamed: 0\n1,2\n", "line 1 names no columns;"),
        ("", "line 1 names no columns;"),
        ("a,b\n", "holds no rows below its column names"),
        ("a,b\n,\n\n", "holds no rows below its column names"),
        ("a,b\n1\n", "line 2 has 1 values for 2 columns; put values with commas"),
        ("a,b\n1,2\n1,2,,3\n", "line 3 has 4 values for 2 columns;"),
        ('a,b\n"1,' + "2" * 140000 + "\n", "is not readable as CSV (field larger than field limit"),
    ],
)
def test_what_is_no_table(tmp_path, text, said):
    with pytest.raises(DataError) as caught:
        table(tmp_path, text)
    assert f"{tmp_path / 't.csv'}: " in str(caught.value)
    assert said in str(caught.value)


def test_the_delimiter_is_what_gives_most_columns_the_comma_first(tmp_path):
    for text, names, delimiter in (
        ("a,b;c\n1,2\n", ("a", "b;c"), ","),
        ("a;b,c;d\n1;2;3\n", ("a", "b,c", "d"), ";"),
        ("a;b\tc\n1;2\n", ("a", "b\tc"), ";"),
        ("a\n1\n", ("a",), ","),
    ):
        assert (table(tmp_path, text).names, table(tmp_path, text).delimiter) == (names, delimiter)
    assert table(tmp_path, "sep=|\na|b,c\n1|2\n").lines == [3]


def test_columns_that_are_renamed_take_the_place_of_others(tmp_path):
    found = table(tmp_path, "left,Image_A,x\n1,2,3\n").renamed({"image_a": "LEFT"})
    assert (found.names, found.columns, found.lines) == (("image_a", "x"), (["1"], ["3"]), [2])


def test_text_in_neither_encoding(tmp_path):
    (tmp_path / "t.csv").write_bytes("a,b\ngrün,1\n".encode("latin1"))
    with pytest.raises(DataError, match=r"t\.csv: is not UTF-8 text \(.*\); save it as CSV in UTF-8"):
        read_csv_table(tmp_path / "t.csv")
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "utf-16-le"):
        mark = "\ufeff" if encoding == "utf-16-le" else ""
        (tmp_path / "t.csv").write_bytes(f"{mark}grün".encode(encoding))
        assert read_text(tmp_path / "t.csv") == "grün"


@pytest.mark.parametrize("text", ["", "\n \n\t\n", "\ufeff"])
def test_a_list_needs_a_line(tmp_path, text):
    (tmp_path / "l.txt").write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=r"l\.txt: holds no lines `x`; it must have one at least"):
        read_lines(tmp_path / "l.txt", "`x`")


@pytest.mark.parametrize("sign", ["\0", "\x08", "\x0b", "\x1f", "\x7f", "\x80", "\x9f", "\u2028", "\u2029", "\r"])
def test_control_characters_are_named_with_their_line(tmp_path, sign):
    (tmp_path / "l.txt").write_bytes(f"a\r\n\nb{sign}c\n".encode())
    with pytest.raises(DataError) as caught:
        read_lines(tmp_path / "l.txt", "`x`")
    said = f"line 3 holds the control character {sign!r}; it must be `x`: correct it"
    assert str(caught.value) == f"{tmp_path / 'l.txt'}: {said}"


def test_lines_and_their_numbers(tmp_path):
    (tmp_path / "l.txt").write_bytes("\ufeff\r\n a\tb \r\n\nc\u00a0\u00adé".encode())
    lines, numbers = read_lines(tmp_path / "l.txt", "`x`")
    assert (lines, numbers.tolist()) == (["a\tb", "c\u00a0\u00adé"], [2, 4])


@pytest.mark.parametrize("texts", [["7", "0", "9" * 18], ["0"], ["1" * 18, "2"]])
def test_whole_numbers_are_the_same_by_either_way(texts):
    values, wrong = whole_numbers(texts)
    assert (values.tolist(), wrong.tolist()) == ([int(text) for text in texts], [])
    mixed, wrong = whole_numbers([*texts, "x", "", "1" * 19, "-3"])
    assert mixed.tolist() == [*map(int, texts), 0, 0, 0, -3]
    assert wrong.tolist() == [len(texts), len(texts) + 1, len(texts) + 2]
    assert whole_numbers(["", "12"])[1].tolist() == [0]
    assert whole_numbers(["12", "1" * 19])[1].tolist() == [1]


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


@pytest.mark.parametrize("count", [15, 16, 17])
def test_files_are_looked_for_one_by_one_or_by_their_folder(tmp_path, count):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "folder.jpg").mkdir()
    names = [f"a/{i}.jpg" for i in range(count - 2)]
    for name in names[::2]:
        (tmp_path / name).touch()
    (tmp_path / "a" / "link.jpg").symlink_to("gone")
    names += ["a/folder.jpg", "a/link.jpg"]
    gone = [i for i, name in enumerate(names) if i % 2 or i >= count - 2]
    elsewhere = [f"none/{i}.jpg" for i in range(count)]
    found = find_missing(tmp_path, [*elsewhere, *names])
    assert found.tolist() == [*range(count), *(count + i for i in gone)]
    assert found.dtype == np.int64


@pytest.mark.parametrize(("count", "shown"), [(5, "0; 1; 2; 3; 4"), (6, "0; 1; 2; 3; 4; …")])
def test_missing_files_are_an_error_or_a_note(count, shown):
    named = [str(i) for i in range(count)]
    said = f"l.txt: {count} of 9 files are missing"
    for policy, total in ((STOP, 9), (SKIP, count)):
        with pytest.raises(DataError) as caught:
            report_missing("l.txt", named, total, policy, "mend it", (ROOT,), "a hint; ")
        assert str(caught.value) == f"l.txt: {count} of {total} files are missing: {shown}; a hint; mend it"
        assert caught.value.settings == ((ROOT, SKIP_MISSING) if policy == STOP else (ROOT,))
    note = report_missing("l.txt", named, 9, SKIP, "mend it", (ROOT,), "a hint; ")
    assert note == (f"warning: {said} and were left out: {shown}; a hint",)
    assert report_missing("l.txt", named, 9, SKIP, "mend it") == (f"warning: {said} and were left out: {shown}",)
    assert report_missing("l.txt", [], 9, STOP, "mend it") == ()


@pytest.fixture
def people():
    data = ArrayDataset(
        np.zeros((4, 4, 4, 3), np.uint8), [0, -1, 1, -1], [[0, 1], [1, -1], [-1, 0], [1, 1]], ("sex", "hat")
    )
    data.attribute_values = {"sex": ("f", "m")}
    return data


def test_records_are_chosen_by_the_name_of_a_value_or_its_code(people):
    for where, kept in (
        ("sex=m", [1, 3]),
        ("sex=1", [1, 3]),
        ("sex=-1", [2]),
        ("hat=1,sex=m", [3]),
        (" , sex = f ,", [0]),
    ):
        chosen = select(people, DataConfig(path="here", where=where))
        assert [chosen.name(i) for i in range(len(chosen))] == [f"image {i}" for i in kept]
    assert select(people, DataConfig(path="here")) is people
    assert parse_where("a = b=c ,, d=1") == [("a", "b=c"), ("d", "1")]
    for where, said in (
        ("age=1", "data.where: there is no attribute 'age'; this data set has: sex, hat"),
        ("sex=x", "data.where: sex=x: no such value; it can be: f, m"),
        ("hat=x", "data.where: hat=x: no such value; it can be: a whole number, its code"),
        ("hat=--1", "data.where: hat=--1: no such value; it can be: a whole number, its code"),
    ):
        with pytest.raises(ConfigError) as caught:
            select(people, DataConfig(path="here", where=where))
        assert str(caught.value) == said
    bare = ArrayDataset(np.zeros((1, 4, 4, 3), np.uint8), [0])
    with pytest.raises(ConfigError, match="this data set has: none"):
        select(bare, DataConfig(path="here", where="sex=f"))


def test_unlabeled_records_are_left_out_and_counted(people):
    kept = labeled_only(people)
    assert (kept.labels.tolist(), kept.notes[-1]) == ([0, 1], "2 unlabeled images are not used by this method")
    assert labeled_only(kept) is kept
    with pytest.raises(DataError, match="image 1 and all other records are unlabeled; this method needs labels"):
        labeled_only(people.subset([1, 3]))


def test_a_list_of_records_that_is_no_text(people, tmp_path):
    (tmp_path / "l.txt").write_bytes(b"0\n\xff\n")
    for name in ("l.txt", "none.txt"):
        with pytest.raises(
            DataError, match=rf"{name}: cannot be read \(.*\); give a text file with one record's position"
        ):
            read_positions(tmp_path / name, people)
    (tmp_path / "l.txt").write_text("# a comment\nimage 3\nimage 0\n0\n")
    assert read_positions(tmp_path / "l.txt", people).tolist() == [3, 0, 0]
    (tmp_path / "l.txt").write_text("image 3\nimage 4\n")
    with pytest.raises(DataError, match=r"l\.txt, line 2: 'image 4' is no record position \(0 to 3\)"):
        read_positions(tmp_path / "l.txt", people)


def test_data_are_opened_as_the_configuration_says(tmp_path):
    for name in ("0/a.jpg", "1/b.jpg", "1/c.jpg"):
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).touch()
    (tmp_path / "l.txt").write_text("0/a.jpg 0\n1/b.jpg 1\n1/d.jpg 1\n")
    config = DataConfig(
        path=str(tmp_path / "l.txt"), root=str(tmp_path / "in"), on_missing="skip", zero_is_unlabeled=True
    )
    assert open_whole(config).labels.tolist() == [-1, 0]
    (tmp_path / "only.txt").write_text("1/b.jpg\n")
    chosen = open_selected(DataConfig(**{**config.__dict__, "only": str(tmp_path / "only.txt")}))
    assert [chosen.record_name(i) for i in range(len(chosen))] == ["1/b.jpg"]


@pytest.mark.parametrize(("count", "more"), [(5, ""), (6, ", …")])
def test_folders_without_a_photograph_are_named(tmp_path, count, more):
    (tmp_path / "ann").mkdir()
    (tmp_path / "ann" / "1.jpg").touch()
    (tmp_path / ".hidden").mkdir()
    for i in range(count):
        (tmp_path / f"p{i}").mkdir()
        (tmp_path / f"p{i}" / ".hidden.jpg").touch()
    data = FolderDataset(tmp_path)
    shown = ", ".join(f"p{i}/" for i in range(5))
    assert data.problems == (
        f"{tmp_path}: {count} folders hold no photograph that can be read and are no identities: {shown}{more}",
    )
    assert data.skipped == tuple(f"p{i}/" for i in range(count))


def test_what_lies_beside_the_photographs(tmp_path):
    for name in ("imgs/b/2.JPG", "imgs/b/1.txt", "imgs/a/x.png", "imgs/note.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(name.encode())
    (tmp_path / "imgs" / "c").mkdir()
    (tmp_path / "imgs" / "c" / "gone.jpg").symlink_to("nowhere")
    (tmp_path / "imgs" / "a" / "gone.jpg").symlink_to("nowhere")
    with pytest.raises(DataError, match=r"2 of 4 files are missing: .*restore what the links lead to"):
        FolderDataset(tmp_path)
    data = FolderDataset(tmp_path, "skip")
    assert (data.identities, data.labels.tolist(), data.skipped) == (("a", "b"), [0, 1], ("b/1.txt", "note.txt"))
    assert data.missing == (f"{tmp_path}/imgs/a/gone.jpg", f"{tmp_path}/imgs/c/gone.jpg")
    assert data.problems == ()
    assert [data.path(i) for i in range(2)] == [tmp_path / "imgs/a/x.png", tmp_path / "imgs/b/2.JPG"]
    assert [data.record_name(i) for i in range(2)] == ["a/x.png", "b/2.JPG"]
    for read in (data.path, data.name, data.record_name, data.encoded):
        with pytest.raises(DataError, match="record 2 was asked for"):
            read(2)


def test_a_folder_that_cannot_be_listed(tmp_path, monkeypatch):
    (tmp_path / "ann").mkdir()

    def refuse(path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("os.scandir", refuse)
    with pytest.raises(DataError) as caught:
        FolderDataset(tmp_path)
    assert str(caught.value) == f"{tmp_path}: cannot be listed (Permission denied); check its permissions"
