"""Anybody's own CSV of comparisons."""

import numpy as np
import pytest

from fairface.errors import DataError
from fairface.protocols.plain_csv import read_plain_csv

PAIRS = "image_a,image_b,same\ns1/1.jpg,s1/2.jpg,1\ns1/1.jpg,s2/1.jpg,0\ns2/1.jpg,s2/2.jpg,true\n"


def write(tmp_path, text, name="pairs.csv"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def test_csv_without_names_lists_images_as_they_occur(tmp_path):
    comparisons = read_plain_csv(write(tmp_path, PAIRS))
    assert comparisons.names == ("s1/1.jpg", "s2/1.jpg", "s1/2.jpg", "s2/2.jpg")
    shown = [(comparisons.names[i], comparisons.names[j]) for i, j in zip(comparisons.a, comparisons.b, strict=True)]
    assert shown == [("s1/1.jpg", "s1/2.jpg"), ("s1/1.jpg", "s2/1.jpg"), ("s2/1.jpg", "s2/2.jpg")]
    assert comparisons.same.tolist() == [True, False, True]
    assert (comparisons.genuine, comparisons.impostor) == (2, 1)
    for unknown in (comparisons.fold, comparisons.subject_a, comparisons.subject_b):
        assert (unknown == -1).all()
    assert [x.dtype for x in (comparisons.a, comparisons.same, comparisons.fold)] == [np.int64, bool, np.int32]


def test_csv_positions_refer_to_given_names_whatever_their_format(tmp_path):
    names = ("s2/2.png", "s2/1.png", "s1/2.jpg", "s1/1.png", "unused.png")
    comparisons = read_plain_csv(write(tmp_path, PAIRS), names)
    assert comparisons.a.tolist() == [3, 3, 1]
    assert comparisons.b.tolist() == [2, 1, 0]
    assert comparisons.names == names


def test_csv_folds_subjects_other_columns_and_a_byte_order_mark(tmp_path):
    text = (
        "\ufeffscore,image_b, image_a ,same,fold,subject_a,subject_b\n"
        '0.1,"b, c",a,No,1,Ann,Bob\n\n0.2,d,a,YES,0,Ann,Ann\n'
    )
    comparisons = read_plain_csv(write(tmp_path, text))
    assert comparisons.names == ("a", "b, c", "d")
    assert comparisons.fold.tolist() == [1, 0]
    assert comparisons.subject_a.tolist() == [0, 0]
    assert comparisons.subject_b.tolist() == [1, 0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,2\n", "has no column same or label .*; line 1 names a, b"),
        ("", "line 1 names no columns"),
        ("image_a,image_b,same,subject_a\na,b,1,x\n", "names only one of subject_a and subject_b; name"),
        (PAIRS + "s1/1.jpg,,0\n", "line 5: no value for image_b"),
        (PAIRS + "s1/1.jpg\n", "line 5 has 1 value for 3 columns"),
        (PAIRS + "s1/1.jpg,s1,2.jpg,1\n", "line 5 has 4 values for 3 columns"),
        (PAIRS + "s1/1.jpg,s9/1.jpg,maybe\n", "line 5: same is 'maybe'"),
        ("image_a,image_b,same,fold\na,b,1,-2\n", "line 2: fold is '-2'"),
        ("image_a,image_b,same\n", "holds no rows below its column names"),
        ("image_a,image_b,same\na,b,1\na,c,1\n", r"all 2 comparisons are genuine \(same subject\)"),
        ("image_a,image_b,same\na,b,0\n", "the only comparison is impostor"),
        (PAIRS + "s1/1.jpg,s1/1.jpg,1\n", r"1 comparison compares an image with itself \(first: line 5\)"),
        (PAIRS + "s1/2.jpg,s1/1.jpg,0\n", r"2 comparisons are listed as 'same' and as .* \(first: line 2\)"),
        (
            "image_a,image_b,same,subject_a,subject_b\na,b,1,x,x\na,c,1,x,y\nb,c,0,x,y\n",
            r"1 comparison contradicts the subjects it names \('same' or 'different'\) \(first: line 3\)",
        ),
    ],
)
def test_bad_csv_names_file_line_and_remedy(tmp_path, text, message):
    path = write(tmp_path, text)
    with pytest.raises(DataError, match=message) as caught:
        read_plain_csv(path)
    assert str(path) in str(caught.value)


def test_csv_that_is_no_text(tmp_path):
    path = tmp_path / "pairs.csv"
    path.write_bytes(b"image_a,image_b,same\n\xff\xfe\x00,b,1\n")
    with pytest.raises(DataError, match="is not UTF-8 text"):
        read_plain_csv(path)


def test_unknown_names_are_counted_and_the_first_few_listed(tmp_path):
    with pytest.raises(DataError, match=r"3 of 4 images are not among the 2 given \(s1/2.jpg, s2/1.jpg, s2/2.jpg\)"):
        read_plain_csv(write(tmp_path, PAIRS), ("s1/1.jpg", "other.jpg"))


def test_names_that_occur_twice_cannot_be_looked_up(tmp_path):
    with pytest.raises(DataError, match=r"1 of 3 image names occurs more than once \(first: x\)"):
        read_plain_csv(write(tmp_path, PAIRS), ("x", "y", "x"))


def test_a_name_without_format_that_fits_two_images_is_not_guessed(tmp_path):
    names = ("s1/1.png", "s1/1.bmp", "s1/2.jpg", "s2/1.jpg", "s2/2.jpg")
    with pytest.raises(DataError, match=r"1 of 4 images is not among the 5 given \(s1/1.jpg\)"):
        read_plain_csv(write(tmp_path, PAIRS), names)
