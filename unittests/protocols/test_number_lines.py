import numpy as np
import pytest

from fairface.errors import DataError
from fairface.protocols import number_lines
from fairface.protocols.number_lines import read_number_lines

FORM = "`a b c`"


def read(tmp_path, text, columns=3):
    path = tmp_path / "numbers.txt"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_number_lines(path, columns, FORM)


@pytest.mark.parametrize("block", [1, 7, 1 << 24])
def test_numbers_of_all_lines_whatever_divides_them(tmp_path, block, monkeypatch):
    monkeypatch.setattr(number_lines, "_BLOCK", block)
    rows = np.random.default_rng(0).integers(-5, 300000, (40, 3))
    ends = ["\n", "\r\n", "\n\n", " \n"] * 10
    text = "".join(f"{a} {b}\t{c}{end}" for (a, b, c), end in zip(rows, ends, strict=True))
    found = read(tmp_path, text)
    np.testing.assert_array_equal(found, rows)
    assert found.dtype == np.int32
    np.testing.assert_array_equal(read(tmp_path, text.rstrip()), rows)  # the last line is not ended


@pytest.mark.parametrize("block", [1, 1 << 24])
@pytest.mark.parametrize("line", ["4 5", "4 5 6 7", "4 x 6", "4 5 6.5", "4,5,6", "4 5 3000000000", "4 5 é", "7"])
def test_a_broken_line_is_named(tmp_path, line, block, monkeypatch):
    monkeypatch.setattr(number_lines, "_BLOCK", block)
    with pytest.raises(DataError) as caught:
        read(tmp_path, f"1 2 3\n\n{line}\n7 8 9\n")
    assert f"line 3 is {line!r}, not {FORM}; correct the line" in str(caught.value)


def test_two_broken_lines_that_have_the_right_number_of_words_together(tmp_path):
    with pytest.raises(DataError, match="line 2 is '0 4'"):
        read(tmp_path, "1 2 1\n0 4\n1 2 3 0\n")


def test_a_file_without_lines_and_one_that_is_not_there(tmp_path):
    for text in ("", "\n \n"):
        with pytest.raises(DataError, match="holds no lines `a b c`"):
            read(tmp_path, text)
    with pytest.raises(DataError, match="cannot be read"):
        read_number_lines(tmp_path / "nowhere", 3, FORM)
