"""Tables as pandas, Excel and R write them."""

import csv
import io

import pytest

from fairface.data.table import fields_of, read_csv_table
from fairface.errors import DataError

ROWS = [["image_a", "image_b", "score"], ["a, b.jpg", "c.jpg", "1"], ["d.jpg", 'e "x".jpg', "2"]]


def written(delimiter):
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter).writerows(ROWS)
    return out.getvalue()


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_every_delimiter_and_encoding(tmp_path, delimiter, encoding):
    (tmp_path / "t.csv").write_bytes(written(delimiter).encode(encoding))
    table = read_csv_table(tmp_path / "t.csv")
    assert table.names == tuple(ROWS[0])
    assert [list(row) for row in zip(*table.columns, strict=True)] == ROWS[1:]
    assert (table.lines, table.delimiter) == ([2, 3], delimiter)


@pytest.mark.parametrize(
    "text",
    [
        ",image,sex\n0,a,f\n1,b,m\n",  # pandas with its index
        "Unnamed: 0,image,sex\n0,a,f\n1,b,m\n",  # the same, read and written again
        "image,sex,\na,f,\nb,m,\n",  # trailing commas
        "image,sex\na,f,,\nb,m,\n",
        "image,sex\n,\na,f\n,\nb,m\n,,\n",  # Excel's empty rows
        "sep=;\nimage;sex\na;f\nb;m\n",
        "sep=;\r\nimage;sex\r\na;f\r\nb;m\r\n",
    ],
)
def test_columns_without_a_name_are_left_out(tmp_path, text):
    (tmp_path / "t.csv").write_bytes(text.encode())
    table = read_csv_table(tmp_path / "t.csv")
    assert (table.names, table.columns) == (("image", "sex"), (["a", "b"], ["f", "m"]))
    lines = text.splitlines()
    assert [lines[number - 1].strip(",;01")[0] for number in table.lines] == ["a", "b"]


def test_a_value_beyond_the_last_column_is_refused(tmp_path):
    (tmp_path / "t.csv").write_text("image,sex\na,f\nb,c,m\n")
    with pytest.raises(DataError, match="line 3 has 3 values for 2 columns; put values with commas"):
        read_csv_table(tmp_path / "t.csv")
    (tmp_path / "t.csv").write_text("sep=;\na;b\n1\n")
    with pytest.raises(DataError, match="line 3 has 1 value"):
        read_csv_table(tmp_path / "t.csv")


def test_names_are_found_whatever_their_case_and_signs(tmp_path):
    (tmp_path / "t.csv").write_text("Image 1,IMAGE_2,image2,score-x\na,b,c,d\n")
    table = read_csv_table(tmp_path / "t.csv")
    assert table.find("image1") == "Image 1"
    assert table.find("image2") == "image2"
    assert table.find("image_2") == "IMAGE_2"
    assert table.find("nothing", "Score X") == "score-x"
    assert table.find("image") is None


def test_columns_can_be_renamed(tmp_path):
    (tmp_path / "t.csv").write_text("left,same,answer\na,b,1\n")
    table = read_csv_table(tmp_path / "t.csv").renamed({"image_a": "left", "same": "answer"})
    assert (table.names, table.columns) == (("image_a", "same"), (["a"], ["1"]))
    with pytest.raises(DataError, match="has no column right; line 1 names left"):
        read_csv_table(tmp_path / "t.csv").renamed({"image_b": "right"})


def test_a_line_is_taken_apart_at_what_gives_most_fields():
    assert fields_of("a b;c, d;e") == ["a b", "c, d", "e"]
    assert fields_of('"x;y", 2') == ["x;y", "2"]
    assert fields_of("a b c") == ["a b c"]
