import pytest

from fairface.errors import DataError
from fairface.protocols.lfw import read_lfw_pairs


def write(tmp_path, text, name="pairs.txt"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


LFW = "Ann_Lee\t1\t12\nBob\t1\t2\nAnn_Lee\t1\tBob\t3\nBob\t2\tCy\t1\n"


@pytest.mark.parametrize("text", [LFW, LFW.replace("\t", " "), LFW.replace("\n", "\n\n")])
def test_lfw_pairs_without_header(tmp_path, text):
    comparisons = read_lfw_pairs(write(tmp_path, text, "pairs.txt"))
    assert comparisons.names[:2] == ("Ann_Lee/Ann_Lee_0001.jpg", "Bob/Bob_0001.jpg")
    assert comparisons.names[comparisons.b[0]] == "Ann_Lee/Ann_Lee_0012.jpg"
    assert comparisons.names[comparisons.b[3]] == "Cy/Cy_0001.jpg"
    assert comparisons.same.tolist() == [True, True, False, False]
    assert comparisons.subject_a.tolist() == [0, 1, 0, 1]
    assert comparisons.subject_b.tolist() == [0, 1, 1, 2]
    assert (comparisons.fold == -1).all()


def test_lfw_header_gives_folds(tmp_path):
    one_fold = "A\t1\t2\nA\t1\tB\t1\n"
    comparisons = read_lfw_pairs(write(tmp_path, "3\t1\n" + one_fold * 3, "pairs.txt"))
    assert comparisons.fold.tolist() == [0, 0, 1, 1, 2, 2]
    assert (read_lfw_pairs(write(tmp_path, "2\n" + LFW, "dev.txt")).fold == -1).all()


def test_lfw_names_with_spaces_between_tabs_and_another_suffix(tmp_path):
    text = "Ann Lee\t1\t2\nAnn Lee\t1\tBob\t3\n"
    comparisons = read_lfw_pairs(write(tmp_path, text, "pairs.txt"), suffix=".png")
    assert comparisons.names[0] == "Ann Lee/Ann Lee_0001.png"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("10\t300\n" + LFW, "announces 10 x 300 pairs of each kind, 6000 together, but 4 follow"),
        (LFW + "Ann_Lee 1\n", "line 5: 2 fields"),
        (LFW + "A 1 2 3 4\n", "line 5: 5 fields"),
        (LFW + "A one 2\n", "line 5: image numbers 'one' and '2'"),
        ("A 1 2\n", "all 1 comparisons are genuine"),
        ("A 1 2\nB 1 B 2\n", "contradict the subjects they name"),
        ("", "has no comparisons"),
    ],
)
def test_bad_lfw_lists(tmp_path, text, message):
    path = write(tmp_path, text, "pairs.txt")
    with pytest.raises(DataError, match=message) as caught:
        read_lfw_pairs(path)
    assert str(path) in str(caught.value)


def test_a_list_that_is_no_text(tmp_path):
    (tmp_path / "binary.txt").write_bytes(b"\xff\x80\x00\x01")
    with pytest.raises(DataError, match="is not UTF-8 text"):
        read_lfw_pairs(tmp_path / "binary.txt")
