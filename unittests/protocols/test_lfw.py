import pytest

from fairface.errors import DataError
from fairface.protocols.lfw import read_lfw_pairs
from fairface.protocols.opening import open_comparisons


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
        ("A 1 2\n", "the only comparison is genuine"),
        ("A 1 2\nB 1 B 2\n", "contradicts the subjects it names"),
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


KAGGLE = [
    "name,imagenum1,imagenum2,\nAnn_Lee,1,12,\nBob,1,2,\nAnn_Lee,1,Bob,3\nBob,2,Cy,1\n",
    "name,imagenum1,imagenum2\nAnn_Lee,1,12\nBob,1,2\nname,imagenum1,name,imagenum2\nAnn_Lee,1,Bob,3\nBob,2,Cy,1\n",
    "name,imagenum1,imagenum2,Unnamed: 3\nAnn_Lee,1,12,\nBob,1,2,\nAnn_Lee,1,Bob,3.0\nBob,2,Cy,1.0\n",
    "\ufeffName1;ImageNum1;Name2;ImageNum2\r\nAnn_Lee;1;12;\r\n\r\nBob;1;2;\r\nAnn_Lee;1;Bob;3\r\nBob;2;Cy;1\r\n",
]


@pytest.mark.parametrize("text", KAGGLE)
@pytest.mark.parametrize("name", ["pairs.csv", "pairs.txt"])
def test_kaggles_csv_holds_the_pairs_of_the_text(tmp_path, text, name):
    """Ragged as pairs.csv is, both Dev files joined, and saved again by pandas and Excel."""
    wanted = read_lfw_pairs(write(tmp_path, LFW, "lfw.txt"))
    opened = open_comparisons(write(tmp_path, text, name))
    assert opened.table is None
    for field in ("names", "subject_names"):
        assert getattr(opened.comparisons, field) == getattr(wanted, field)
    for field in ("a", "b", "same", "fold", "subject_a", "subject_b"):
        assert getattr(opened.comparisons, field).tolist() == getattr(wanted, field).tolist()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name,imagenum1,imagenum2,\nAnn,1,\n", "line 2: 2 fields"),
        ("name,imagenum1,imagenum2,\nAnn,1,Bob,2,1\n", "line 2: 5 fields"),
        ("name,imagenum1,imagenum2,\nAnn,1,2.5\n", "line 2: image numbers '1' and '2.5'"),
        ("name,imagenum1,imagenum2\nAnn,1,2\n", "the only comparison is genuine"),
        ("name,imagenum1,name,imagenum2\nAnn,1,Bob,2\n", "the only comparison is impostor"),
    ],
)
def test_bad_csv_of_kaggle(tmp_path, text, message):
    with pytest.raises(DataError, match=message):
        open_comparisons(write(tmp_path, text, "pairs.csv"))


def test_a_table_with_other_columns_is_no_csv_of_kaggle(tmp_path):
    with pytest.raises(DataError, match="has no column same"):
        open_comparisons(write(tmp_path, "name,imagenum1,imagenum2,score\nAnn,1,2,0.5\n", "pairs.csv"))
