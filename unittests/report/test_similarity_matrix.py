import re

import cv2
import numpy as np
import pytest

from fairface.errors import ConfigError
from fairface.report.similarity_matrix import matrix_text, plot_matrix, short_names
from fairface.scoring.decision import classify


def matrix(count):
    rows = np.random.default_rng(0).standard_normal((count, 8))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows @ rows.T


@pytest.mark.parametrize("count", [2, 5, 6, 17])
def test_every_value_stands_once_within_80_columns(count):
    names = [f"/data/a folder/{i}/{'long' * 20 if i % 2 else 'x'}.jpg" for i in range(count)]
    cosines = matrix(count)
    decisions = classify(cosines, 0.4, -0.2)
    text = matrix_text(names, cosines, decisions)
    assert max(map(len, text.splitlines())) <= 80
    read = {}
    for block in text.split("\n\n"):
        header, _, *rows = block.splitlines()
        columns = [int(word) for word in header.split()[1:]]
        assert len(rows) == count
        assert len(columns) == (5 if columns[0] + 5 <= count + 1 else (count - 1) % 5 + 1)  # as many as fit
        for number, row in enumerate(rows, 1):
            assert row.split()[0] == str(number)
            values = re.findall(r"(?<=\s)(-?\d\.\d{4})( [+?])?(?=\s|$)", row)
            assert len(values) == len(columns)
            read.update({(number, column): value for column, value in zip(columns, values, strict=True)})
    assert len(read) == count * count
    marks = {"same": " +", "undecided": " ?", "not same": ""}
    for (i, j), (value, mark) in read.items():
        assert value == f"{cosines[i - 1, j - 1]:.4f}"
        assert mark == ("" if i == j else marks[decisions[i - 1, j - 1]])


def test_without_decisions_there_are_no_marks():
    assert not re.search("[+?]", matrix_text(["a.jpg", "b.jpg"], matrix(2)))


@pytest.mark.parametrize(("names", "short"), [
    (["x/ada.jpg", "x/grace.jpg"], ["ada.jpg", "grace.jpg"]), (["a/1.jpg", "b/1.jpg"], ["a/1.jpg", "b/1.jpg"]),
    (["/p/a/1.jpg", "/p/2.jpg"], ["1.jpg", "2.jpg"]),
    (["/p/a/1.jpg", "/p/b/1.jpg", "/p/2.jpg"], ["a/1.jpg", "b/1.jpg", "2.jpg"]), (["one.jpg"], ["one.jpg"]),
    (["x/" + "a" * 30 + "1.jpg", "x/b.jpg"], ["…" + "a" * 14 + "1.jpg", "b.jpg"]),
])  # fmt: skip
def test_names_are_short_and_tell_photographs_apart(names, short):
    assert short_names(names) == short


@pytest.mark.parametrize("count", [2, 30])
def test_the_picture_shows_the_values_as_colours(tmp_path, count):
    pytest.importorskip("matplotlib")
    cosines = np.where(np.eye(count, dtype=bool), 1.0, -1.0)
    plot_matrix(tmp_path / "m.png", [f"$x_{i}.jpg" for i in range(count)], cosines)
    picture = cv2.imread(str(tmp_path / "m.png")).astype(int)
    red = (picture[:, :, 2] > 120) & (picture[:, :, 0] < 80)
    blue = (picture[:, :, 0] > 120) & (picture[:, :, 2] < 80)
    assert blue.sum() / red.sum() > (0.5 if count == 2 else 5)
    assert red.sum() > 500
    with pytest.raises(ConfigError, match=r"written as \.png, \.pdf, \.svg"):
        plot_matrix(tmp_path / "m.gif", ["a", "b"], cosines[:2, :2])
    assert [path.name for path in tmp_path.iterdir()] == ["m.png"]
