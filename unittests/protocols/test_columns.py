import math

import pytest

from fairface.data.table import read_csv_table
from fairface.errors import DataError
from fairface.protocols.columns import folds, numbers, truths


@pytest.fixture
def write(tmp_path):
    def writer(text, encoding="utf-8"):
        path = tmp_path / "t.csv"
        path.write_bytes(text.encode(encoding))
        return path

    return writer


def test_columns_lines_and_names_in_any_case(write):
    table = read_csv_table(write('\ufeffImage_A, same ,Score\n"a,1", 1 ,0.5\n\nb,0,\n'))
    assert table.names == ("Image_A", "same", "Score")
    assert table.column("image_a") == ["a,1", "b"]
    assert (len(table), table.lines, table.where(1)) == (2, [2, 4], f"{table.source}: line 4")
    assert table.find("label", "SAME") == "same"
    assert table.find("label") is None
    found = numbers(table, "Score")
    assert found[0] == 0.5
    assert math.isnan(found[1])
    assert truths(table, ("label", "same")) == [True, False]
    assert folds(table) == [-1, -1]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1 names no columns"),
        ("a,a\n1,2\n", "line 1 names a more than once"),
        ("a,b\n", "holds no rows"),
        ("a,b\n1,2\n1\n", "line 3 has 1 value for 2 columns"),
    ],
)
def test_damaged_files(write, text, message):
    with pytest.raises(DataError, match=message):
        read_csv_table(write(text))


def test_no_text(write):
    with pytest.raises(DataError, match="is not UTF-8 text"):
        read_csv_table(write("a,b\nä,1\n", "latin-1"))


@pytest.mark.parametrize(
    ("look", "message"),
    [
        (lambda t: t.column("score", "points"), "has no column score or points; line 1 names same,score_1,fold"),
        (lambda t: numbers(t, "score_1"), "line 3: score_1 is 'high'; write a number"),
        (lambda t: truths(t, ("same",)), "line 3: same is 'perhaps'; write 1"),
        (folds, "line 2: no value for fold .1 of 2 rows has none."),
    ],
)
def test_bad_values_name_the_line(write, look, message):
    table = read_csv_table(write("same,score_1,fold\n1,0.5,\nperhaps,high,x\n"))
    with pytest.raises(DataError, match=message.replace(",", ", ?")):
        look(table)


def test_folds_are_whole_numbers(write):
    assert folds(read_csv_table(write("fold\n3\n0\n"))) == [3, 0]
    with pytest.raises(DataError, match="line 2: fold is '-1'"):
        folds(read_csv_table(write("fold\n-1\n")))


def test_missing_numbers_and_decimal_commas(write):
    table = read_csv_table(write("score;n\n0,25;1\nNA;2\nNone;3\nnan;4\n-1,5e1;5\n;6\n"))
    found = numbers(table, "score")
    assert (found[0], found[4]) == (0.25, -15.0)
    assert all(math.isnan(found[row]) for row in (1, 2, 3, 5))
    with pytest.raises(DataError, match=r"line 2: score is '1,000\.5'"):
        numbers(read_csv_table(write('score,n\n"1,000.5",1\n')), "score")


@pytest.mark.parametrize("text", ["0_9", "1_000", "1e1_0", "_1"])
def test_an_underscore_is_in_no_number(write, text):
    """Python would take a slip in 0.9 for 9, the surest match of all."""
    with pytest.raises(DataError, match=f"line 2: score is '{text}'; write a number"):
        numbers(read_csv_table(write(f"score,n\n{text},1\n")), "score")
    with pytest.raises(DataError, match=r"line 2: same is '0_1'; write 1"):
        truths(read_csv_table(write("same,n\n0_1,1\n")), ("same",))


@pytest.mark.parametrize(
    ("yes", "no"), [("Y", "N"), ("T", "F"), ("mated", "non-mated"), ("Mated", "NonMated"), ("match", "Non-Match")]
)
def test_words_of_other_systems_for_the_truth(write, yes, no):
    assert truths(read_csv_table(write(f"mated,x\n{yes},1\n{no},2\n{no},3\n{yes},4\n"))) == [True, False, False, True]


def test_a_missing_column_is_answered_with_the_option_that_names_it(write):
    table = read_csv_table(write("probe,reference,similarity\na,b,0.5\n"))
    with pytest.raises(DataError, match=r"line 1 names probe, reference, similarity; .* --columns same=COLUMN"):
        truths(table)
    with pytest.raises(DataError, match=r"has no column score; .* --column$"):
        numbers(table, "score")


def test_a_record_of_several_lines_is_named_by_its_first(write):
    table = read_csv_table(write('a,b\n"x\ny\nz",1\n\n"p\nq",2\nr,3\n'))
    assert table.lines == [2, 6, 8]
    table = read_csv_table(write('sep=;\na;b\n"x\ny";1\nr;2\n'))
    assert table.lines == [3, 5]


def test_the_line_that_is_no_utf_8_is_named(write):
    with pytest.raises(
        DataError, match=r'is not UTF-8 text \(line 3: .*; save it as CSV in UTF-8, in Excel "CSV UTF-8"'
    ):
        read_csv_table(write("a,b\nx,1\nä,1\n", "latin-1"))
