"""Figures and tables of a page as files."""

import csv

import cv2
import pytest

from fairface.report.page.export import as_cell, as_latex, latex_text, write_figures, write_tables
from fairface.report.page.panel import Drawing, Page, Panel, Table, key_of

TABLE = Table("50 % of a_b & c", ("group", "FMR"), (('f, "x"\ny', "0.1 [0, 0.2]"), ("m$^2$~\\{#}<>", "n/a")))


def page(**parts):
    return Page("t", ("v",), (Panel("one", "One", tables=(TABLE, TABLE)), Panel("two", "Two", **parts)))


def test_tables_come_back_as_they_were(tmp_path):
    names = write_tables(tmp_path / "tables", page())
    assert names == ["one.csv", "one.tex", "one-2.csv", "one-2.tex"]
    with (tmp_path / "tables" / "one.csv").open(newline="") as file:
        assert list(csv.reader(file)) == [list(TABLE.header), *map(list, TABLE.rows)]


@pytest.mark.parametrize("text", ["=1+1", '=HYPERLINK("http://x")', "+1+1", "-1+1", "-cmd|' /C calc'!A0", "@SUM(A1)",
                                  "\t=1", "\r=1", "\n=1", "  =1", "-1 [=2]", "+0.1 apples", "-f"])  # fmt: skip
def test_what_a_spreadsheet_would_run_is_text(tmp_path, text):
    safe = "'" + text.replace("\r", "\n")
    assert as_cell(text) == safe
    evil = Table("t", (text, "FMR"), ((text, "0.1"),))
    write_tables(tmp_path, Page("t", ("v",), (Panel("one", "One", tables=(evil,)),)))
    with (tmp_path / "one.csv").open(newline="") as file:
        assert list(csv.reader(file)) == [[safe, "FMR"], [safe, "0.1"]]


def test_no_cell_begins_a_row_of_its_own(tmp_path):
    two = Table("t", ("group", "FMR"), (("f\r=1", "0.1"), ("m\r\n=2", "0.2")))
    write_tables(tmp_path, Page("t", ("v",), (Panel("one", "One", tables=(two,)),)))
    with (tmp_path / "one.csv").open(newline="") as file:
        assert [row[0] for row in csv.reader(file)] == ["group", "f\n=1", "m\n=2"]


@pytest.mark.parametrize("text", ["", "-1", "-0.0123", "+0.5", "-1.5e-07", "-.5", "-3 %", "-0.01 [-0.02, 0.001]",
                                  "+0.0100 [-0.0200, +0.0300]", "-", "f", "f=m", "a-b", "'f", "n/a"])  # fmt: skip
def test_numbers_and_other_text_stay_as_they_are(text):
    assert as_cell(text) == text


def test_latex_has_a_cell_for_each_and_no_special_character_of_its_own():
    lines = as_latex(TABLE).splitlines()
    rows = [line.removesuffix(r" \\") for line in lines if line.endswith(r"\\")]
    assert rows[0] == "group & FMR"
    assert rows[1] == 'f, "x" y & 0.1 [0, 0.2]'
    escaped = r"m\$\textasciicircum{}2\$\textasciitilde{}\textbackslash{}\{\#\}\textless{}\textgreater{}"
    assert rows[2] == f"{escaped} & n/a"
    assert r"\caption{50 \% of a\_b \& c}" in lines
    assert latex_text("\\") == r"\textbackslash{}"


def test_figures_are_a_pdf_and_a_png_of_the_drawings_size(tmp_path):
    drawing = Drawing(lambda figure: figure.subplots().plot([0, 1]), 3, 2, "a line")
    assert write_figures(tmp_path, page(drawing=drawing)) == ["two.pdf", "two.png"]
    assert (tmp_path / "two.pdf").read_bytes().startswith(b"%PDF-")
    assert cv2.imread(str(tmp_path / "two.png")).shape == (400, 600, 3)


def test_keys_are_plain():
    assert key_of("rates", 2, "Sex+<skin>/../x") == "rates-2-sex-skin-x"
