"""Lines of text and whole numbers, to the last character and digit."""

import pytest

from fairface.data.text_lines import read_lines, whole_numbers
from fairface.errors import DataError


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
