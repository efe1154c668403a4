import numpy as np
import pytest

from fairface.errors import DataError
from fairface.protocols.all_pairs import all_pairs
from fairface.protocols.bin_pairs import comparisons_of_bin
from fairface.protocols.scores import match_scores, read_pair_scores, read_scores

NAMES = ("1.jpg", "2.jpg", "3.jpg")


@pytest.fixture
def comparisons():
    return all_pairs([0, 0, 1], names=NAMES)  # 1-2, 1-3, 2-3


@pytest.fixture
def write(tmp_path):
    def writer(text):
        (tmp_path / "s.csv").write_text(text)
        return tmp_path / "s.csv"

    return writer


@pytest.mark.parametrize(
    "header", ["ID1,ID2,SCORE", "TEMPLATE_ID1,TEMPLATE_ID2,SCORE", "image_a,image_b,score", "p1,p2,model,score"]
)
def test_scores_find_their_pairs_in_any_order(write, comparisons, header):
    more = ",9" if "model" in header else ""
    path = write(f"{header}\n3,2{more},0.25\n2,1{more},0.5\n1,3{more},\n")
    np.testing.assert_array_equal(read_scores(path, comparisons), [0.5, np.nan, 0.25])


def test_another_column(write, comparisons):
    path = write("image_a,image_b,mine\n1,2,3\n1,3,2\n2,3,1\n1,2,3\n")
    np.testing.assert_array_equal(match_scores(comparisons, read_pair_scores(path, "mine")), [3, 2, 1])


def test_pairs_that_are_excused_may_have_no_score(write, comparisons):
    path = write("Image1;Image2;Score\n1;2;0,5\n3;2;\n")
    with pytest.raises(DataError, match="1 of 3 comparisons has no score"):
        read_scores(path, comparisons)
    found = read_scores(path, comparisons, np.array([False, True, False]))
    np.testing.assert_array_equal(found, [0.5, np.nan, np.nan])


def test_an_array_in_order(tmp_path, comparisons):
    np.save(tmp_path / "s.npy", np.array([1, 2, 3], np.float32))
    np.testing.assert_array_equal(read_scores(tmp_path / "s.npy", comparisons), [1, 2, 3])
    np.save(tmp_path / "s.npy", np.zeros((3, 2)))
    with pytest.raises(DataError, match=r"array of shape \(3, 2\); it must hold 3 numbers"):
        read_scores(tmp_path / "s.npy", comparisons)
    (tmp_path / "s.npy").write_bytes(b"no array")
    with pytest.raises(DataError, match=r"cannot be read as \.npy without pickled objects"):
        read_scores(tmp_path / "s.npy", comparisons)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("1,2,1\n1,3,1", r"1 of 3 comparisons has no score \(first: 2.jpg and 3.jpg\); truth and scores must be"),
        ("1,2,1\n1,3,1\n2,3,1\n1,9,1", r"1 of 4 scores is of pairs that are not compared \(first: 1 and 9\)"),
        ("1,2,1\n5,6,1", "2 of 3 comparisons have no score .*; 1 of 2 scores is of pairs"),
        ("1,2,1\n1,3,1\n2,3,1\n2,1,0.5", r"1 pair is listed again with another score \(first: 2 and 1\)"),
        ("1,2,x\n1,3,1\n2,3,1", "line 2: score is 'x'; write a number"),
        ("1,,1\n1,3,1\n2,3,1", "line 2: no value for image_b"),
    ],
)
def test_truth_and_scores_must_be_about_the_same_pairs(write, comparisons, rows, message):
    with pytest.raises(DataError, match=message):
        read_scores(write(f"image_a,image_b,score\n{rows}\n"), comparisons)


def test_comparisons_without_names(write):
    from fairface.data.pairsets.bin_set import BinSet

    bare = comparisons_of_bin(BinSet([b"", b"", b"", b""], np.array([True, False])))
    with pytest.raises(DataError, match="the comparisons name no images"):
        read_scores(write("image_a,image_b,score\n1,2,1\n"), bare)
