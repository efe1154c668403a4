"""Tables as wide as the terminal."""

import sys

import pytest

from fairface.cli import table
from fairface.tables import aligned, output_width

HEADER = ["set", "model", "AUC", "EER", "TAR at FMR 0.1", "TAR at FMR 0.01", "accuracy"]
ROWS = [
    ["test", "orl_demo@61 (best)", "0.937 [0.839, 0.996]", 0.098, "0.904 [0.751, 0.996]", "0.662 [0.507, 0.924]", "-"],
    ["test", "eigenfaces", "0.930 [0.899, 0.960]", 0.151, "0.793 [0.684, 0.884]", "0.551 [0.398, 0.744]", "0.81"],
]


def test_one_block_where_there_is_room():
    whole = aligned(ROWS, HEADER)
    lines = whole.splitlines()
    assert len(lines) == 4
    assert aligned(ROWS, HEADER, len(lines[1])) == whole
    assert aligned(ROWS, HEADER, len(lines[1]) - 1) != whole


@pytest.mark.parametrize("width", [50, 60, 80, 100])
def test_blocks_repeat_what_tells_rows_apart_and_lose_nothing(width):
    blocks = [block.splitlines() for block in aligned(ROWS, HEADER, width).split("\n\n")]
    assert len(blocks) > 1
    assert max(len(line) for block in blocks for line in block) <= width
    whole = aligned(ROWS, HEADER).splitlines()
    labels = len("test  orl_demo@61 (best)")
    joined = [block[0][labels:] for block in blocks]
    assert "".join(joined).split() == whole[0][labels:].split()
    for number in (2, 3):
        assert {block[number][:labels].rstrip() for block in blocks} == {whole[number][:labels].rstrip()}
        assert " ".join(block[number][labels:] for block in blocks).split() == whole[number][labels:].split()


def test_one_label_is_enough_where_rows_differ_by_it():
    rows = [["a", 1, "x" * 30], ["b", 1, "y" * 30]]
    assert aligned(rows, ["name", "count", "text"], 20) == (
        "name  count\n----  -----\na         1\nb         1\n\n"
        "name  text\n----  --------------\na     xxxxxxxxxxxxxx\n      xxxxxxxxxxxxxx\n      xx\n"
        "b     yyyyyyyyyyyyyy\n      yyyyyyyyyyyyyy\n      yy"
    )


@pytest.mark.parametrize("width", [24, 40, 60])
def test_a_cell_wider_than_the_terminal_goes_on_below_and_loses_nothing(width):
    path = "/data/faces/" + "very_long_name_of_a_folder/" * 4 + "ada_0001.jpg"
    reason = "no face was found in this photograph of 400x300 pixels"
    rows = [[path, reason, 3], ["b.jpg", "found", 12]]
    blocks = aligned(rows, ["photograph", "what was found", "faces"], width).split("\n\n")
    assert max(len(line) for block in blocks for line in block.splitlines()) <= width
    told = []
    for block in blocks:
        lines = block.splitlines()
        rule = next(number for number, line in enumerate(lines) if set(line) == {"-", " "})
        label, *_ = lines[rule].split("  ")
        ends = [line[: len(label)].strip() for line in lines]
        last = ends.index("b.jpg")
        assert "".join(ends[rule + 1 : last]) == path
        told.append(" ".join(line[len(label) :].strip() for line in lines[rule + 1 : last]).split())
    words = [word for block in told for word in block]
    assert words.count("3") == 1
    assert "".join(word for word in words if word != "3") == reason.replace(" ", "")


def test_a_terminal_of_no_width_still_gets_a_table():
    lines = aligned([["a" * 20, "b" * 20]], ["one", "two"], 3).splitlines()
    assert max(map(len, lines)) == 8 + 2 + 8  # a column is not made narrower than that


def test_rows_alike_and_no_rows():
    assert aligned([["a", "b"], ["a", "b"]], ["one", "two"], 4) == "one  two\n---  ---\na    b\na    b"
    assert aligned([], ["one", "two", "three"], 8) == "one  two\n---  ---\n\none  three\n---  -----"


def test_the_terminals_width_and_none_of_a_pipe(monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: False)
    assert output_width() is None
    assert len(table(ROWS, HEADER).splitlines()) == 4
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert (output_width() or 0) >= 1
    monkeypatch.setenv("COLUMNS", "60")
    assert output_width() == 60
    monkeypatch.setattr(sys.stdout, "isatty", lambda: False)
    assert output_width() == 60  # asked for
    assert max(map(len, table(ROWS, HEADER).splitlines())) <= 60
