"""Tables at their bounds, and the words for what is none."""

import pytest

from fairface.data.table import CsvTable, read_csv_table, read_text
from fairface.errors import DataError


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
        ("a,b\n1\n", "line 2 has 1 value for 2 columns; put values with commas"),
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
