"""Lists of insightface and im2rec: the forms of a line, and the words for what is none."""

import numpy as np
import pytest

from fairface.data.packing.lst import plan_lst
from fairface.errors import DataError


def lst(tmp_path, *lines):
    (tmp_path / "x.lst").write_text("\n".join(lines) + "\n")
    return plan_lst(tmp_path / "x.lst", "in")


def test_the_form_of_a_list_is_that_of_its_first_line(tmp_path):
    """A path may be a number: im2rec's stands last and is none, insightface's second."""
    plan = lst(tmp_path, "1\t00012\t3", "1\tb.jpg\t1.000")
    assert [(photo.path, photo.label, photo.line) for photo in plan.photos] == [("in/b.jpg", 0, 2), ("in/00012", 1, 1)]
    assert plan.identities == ("1", "3")
    plan = lst(tmp_path, "0\t3.0\t00012.jpg", "", "7\t0\tb.jpg")
    assert [(photo.path, photo.line) for photo in plan.photos] == [("in/b.jpg", 3), ("in/00012.jpg", 1)]


@pytest.mark.parametrize(
    ("lines", "number", "said"),
    [
        (["1\ta.jpg"], 1, "is not `aligned<tab>path<tab>label`"),
        (["1"], 1, "is not `aligned<tab>path<tab>label`"),
        (["x\ta.jpg\t1"], 1, "is not `aligned"),
        (["1\ta.jpg\tx"], 1, "is not `aligned"),
        (["1\ta.jpg\t-1"], 1, "the label is -1, not a whole number from 0; correct it"),
        (["1\ta.jpg\t0", "1\ta.jpg\t0.5"], 2, "the label is 0.5, not a whole number from 0"),
        (["1\ta.jpg\tinf"], 1, "the label is inf, not"),
        (["1\ta.jpg\tnan"], 1, "the label is nan, not"),
        (["0\ta.jpg\t0"], 1, "a.jpg is not aligned and has no landmarks; add them"),
        (["0\ta.jpg\t0\t1\t2\t3\t4"], 1, "a.jpg is not aligned and has no landmarks"),
        (["0\ta.jpg\t0\t1\t2\t3\t4" + "\t5" * 9], 1, "is not `aligned"),
        (["0\ta.jpg\t0\t1\t2\t3\t4" + "\t5" * 9 + "\tx"], 1, "is not `aligned"),
        (["0\ta.jpg\t0\t1\t2\t3\t4" + "\t5" * 9 + "\t1e39"], 1, "is not `aligned"),
        (["0\ta.jpg\t0\t1\t2\t3\t4" + "\t5" * 9 + "\tnan"], 1, "is not `aligned"),
        (["0\t1\ta.jpg", "1\ta.jpg\t2"], 2, "is not `index<tab>label<tab>path` with one label, as im2rec writes it"),
        (["0\t1\t2\ta.jpg"], 1, "is not `index<tab>label<tab>path` with one label"),
        (["0\t1\ta.jpg", "3\t1\t2\ta.jpg"], 2, "is not `index<tab>label<tab>path` with one label"),
        (["1\t/../a.jpg\t0"], 1, ""),
        (["1\t../a.jpg\t0"], 1, "../a.jpg is not below in; make it relative to that folder"),
    ],
)
def test_what_is_no_line_of_a_list(tmp_path, lines, number, said):
    if not said:  # an absolute path is taken as it is
        assert lst(tmp_path, *lines).photos[0].path == "/../a.jpg"
        return
    with pytest.raises(DataError) as caught:
        lst(tmp_path, *lines)
    assert str(caught.value).startswith(f"{tmp_path / 'x.lst'}: line {number}: {said}")


def test_landmarks_of_a_list_are_five_points(tmp_path):
    """insightface writes all x, then all y; what follows is not looked at."""
    numbers = "\t".join(map(str, range(10, 20)))
    (photo,) = lst(tmp_path, f"0\ta.jpg\t0\t1\t2\t3\t4\t{numbers}\t99").photos
    assert photo.landmarks.tolist() == [[10 + i, 15 + i] for i in range(5)]
    assert photo.landmarks.dtype == np.float32
    (photo,) = lst(tmp_path, f"1\ta.jpg\t0\t1\t2\t3\t4\t{numbers}").photos
    assert photo.landmarks is None


def test_backslashes_separate_folders_unless_a_file_has_one(tmp_path):
    assert lst(tmp_path, "1\ta\\b.jpg\t0").photos[0].path == "in/a/b.jpg"
    (tmp_path / "a\\b.jpg").touch()
    (tmp_path / "x.lst").write_text("1\ta\\b.jpg\t0\n1\tc.jpg\t0\n")
    plan = plan_lst(tmp_path / "x.lst")
    assert [photo.path for photo in plan.photos] == [f"{tmp_path}/a\\b.jpg", f"{tmp_path}/c.jpg"]
