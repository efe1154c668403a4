"""Plain CSV, the challenge's files, RFW, BFW, and telling them apart."""

import unicodedata
from pathlib import Path

import numpy as np
import pytest

from fairface.data.table import read_csv_table
from fairface.errors import ConfigError, DataError
from fairface.protocols.bfw import bfw_comparisons
from fairface.protocols.challenge import challenge_comparisons, photographs_of
from fairface.protocols.opening import open_comparisons
from fairface.protocols.pair_template import read_pair_template, write_predictions
from fairface.protocols.plain_csv import read_plain_csv
from fairface.protocols.rfw import read_rfw

PLAIN = """image_a,image_b,same,subject_a,subject_b,fold,sex_a,sex_b,score
a0,a1,1,a,a,0,f,f,0.9
a0,b0,0,a,b,1,f,m,0.1
b0,c0,0,b,c,1,m,,0.2
"""


@pytest.fixture
def write(tmp_path):
    def writer(name, text):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    return writer


def test_plain_csv(write):
    found = read_plain_csv(write("p.csv", PLAIN))
    assert found.names == ("a0", "b0", "a1", "c0")
    assert (found.a.tolist(), found.b.tolist()) == ([0, 0, 1], [2, 1, 3])
    assert found.same.tolist() == [True, False, False]
    assert found.fold.tolist() == [0, 1, 1]
    assert (found.subject_a == found.subject_b).tolist() == [True, False, False]
    assert (found.attribute_names, found.attribute_values) == (("sex",), (("f", "m"),))
    assert found.attributes[:, 0].tolist() == [0, 1, 0, -1]


def test_plain_csv_without_images(write):
    found = read_plain_csv(write("p.csv", "label,subject_a,subject_b,skin_a,skin_b\n1,x,x,d,d\n0,x,y,d,l\n"))
    assert found.names == ()
    assert (found.a.tolist(), found.b.tolist()) == ([0, 2], [1, 3])
    assert found.subject_a.tolist() == [0, 0]
    assert found.attributes[:, 0].tolist() == [0, 0, 0, 1]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("b0,c0,0,b,c,1,m", "b0,c0,0,b,c,1,f", "line 4: sex is 'f' here but .* in another row about the same image"),
        ("a0,a1,1,a,a", "a0,a1,1,a,b", "contradicts the subjects it names"),
        ("same,", "truthful,", "has no column same or label or genuine or match or truth"),
        ("subject_a,", "who,", "names only one of subject_a and subject_b"),
        (",c0,", ",,", "line 4: no value for image_b"),
        ("a0,a1,1,a,a", "a0,a1,0,a,z", r"all 3 comparisons are impostor \(different subjects\)"),
        ("a0,a1,1", "a0,a0,1", "compares an image with itself"),
    ],
)
def test_bad_plain_csv(write, old, new, message):
    with pytest.raises(DataError, match=message):
        read_plain_csv(write("p.csv", PLAIN.replace(old, new)))


def test_a_value_that_is_not_allowed(write):
    with pytest.raises(DataError, match="line 4: sex is 'm', which is not among f, x"):
        read_plain_csv(write("p.csv", PLAIN), allowed={"sex": ["f", "x"]})


def test_challenge_files_of_the_published_scripts(tmp_path):
    """The vectors hold files that the winners' scripts wrote: read, and written again with the same numbers."""
    with np.load(Path(__file__).parents[1] / "vectors" / "score_paranoidai_csv.npz") as vectors:
        written = bytes(vectors["csv_predictions"])
        scores, ids = vectors["score_predictions"], vectors["ids"]
    (tmp_path / "predictions.csv").write_bytes(written)
    template = read_pair_template(tmp_path / "predictions.csv")
    assert list(zip(template.first, template.second, strict=True)) == [tuple(map(str, pair)) for pair in ids.tolist()]
    write_predictions(tmp_path / "again.csv", template, scores, decimals=5)
    first_lines = [(tmp_path / name).read_text().splitlines()[0] for name in ("predictions.csv", "again.csv")]
    assert first_lines[0] == first_lines[1] == "TEMPLATE_ID1,TEMPLATE_ID2,SCORE"
    again = read_csv_table(tmp_path / "again.csv")
    np.testing.assert_array_equal([float(value) for value in again.column("SCORE")], scores)


def test_challenge_truth(write):
    truth = write("t.csv", "ID1,ID2,SCORE\n7,8,1\n7,9,0\n")
    found = challenge_comparisons(read_csv_table(truth))
    assert found.names == ("7", "8", "9")
    assert found.same.tolist() == [True, False]
    assert found.subject_a.tolist() == [-1, -1]


def test_ids_and_their_photographs(write):
    template = read_pair_template(write("t.csv", "ID1,ID2,SCORE\n7,8,0\n7,9,0\n"))
    assert template.ids == ("7", "8", "9")
    files = ["x/7.jpg", "x/8.PNG", "x/9.jpeg", "x/10.jpg", "x/9.txt"]
    assert photographs_of(template, files) == {"7": "x/7.jpg", "8": "x/8.PNG", "9": "x/9.jpeg"}
    with pytest.raises(DataError, match=r"2 of 3 ids have no photograph \(8, 9\)"):
        photographs_of(template, ["7.jpg"])
    with pytest.raises(DataError, match=r"id 7 has two photographs, 7.jpg and y/7.png"):
        photographs_of(template, ["7.jpg", "y/7.png", "8.jpg", "9.jpg"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("ID1,ID2\n1,2\n", "the columns ID1,ID2,SCORE"),
        ("ID1,ID2,SCORE\n1,,0\n", "line 2: no value for ID2"),
    ],
)
def test_bad_templates(write, text, message):
    with pytest.raises(DataError, match=message):
        read_pair_template(write("t.csv", text))


def test_predictions_must_be_numbers(tmp_path, write):
    template = read_pair_template(write("t.csv", "ID1,ID2,SCORE\n7,8,0\n7,9,0\n"))
    with pytest.raises(DataError, match=r"\(3,\) scores for 2 pairs"):
        write_predictions(tmp_path / "p.csv", template, np.zeros(3))
    with pytest.raises(DataError, match=r"1 score is not finite \(first: 7 and 9\)"):
        write_predictions(tmp_path / "p.csv", template, np.array([0.0, np.nan]))
    assert not (tmp_path / "p.csv").exists()


def rfw(write):
    write("rfw/txts/African/African_pairs.txt", "m.1\t1\t2\nm.1\t1\tm.2\t3\n")
    return write("rfw/txts/Asian/Asian_pairs.txt", "m.1\t1\t2\nm.3\t1\tm.1\t4\n").parents[2]


def test_rfw(write):
    found = read_rfw(rfw(write))
    assert found.names[:3] == ("African/m.1/m.1_0001.jpg", "African/m.1/m.1_0002.jpg", "African/m.2/m.2_0003.jpg")
    assert found.same.tolist() == [True, False, True, False]
    assert (found.attribute_names, found.attribute_values) == (("race",), (("African", "Asian"),))
    assert found.attributes[found.a, 0].tolist() == [0, 0, 1, 1]
    assert found.attributes[found.b, 0].tolist() == [0, 0, 1, 1]
    # m.1 of one race is not m.1 of the other.
    assert len(np.unique(np.concatenate([found.subject_a, found.subject_b]))) == 4
    again = read_rfw(rfw(write), names=(*reversed(found.names), "more.jpg"))
    assert again.a.tolist() == [len(found.names) - 1 - i for i in found.a]
    assert again.attributes[:, 0].tolist() == [*reversed(found.attributes[:, 0].tolist()), -1]
    with pytest.raises(DataError, match="images are not among the 1 given"):
        read_rfw(rfw(write), names=("x.jpg",))


def test_a_folder_that_is_not_rfw(tmp_path):
    with pytest.raises(DataError, match=r"has no txts/<race>/<race>_pairs\.txt"):
        read_rfw(tmp_path)


BFW = """fold,p1,p2,label,id1,id2,att1,att2,vgg,a1,a2,g1,g2,e1,e2
1,af/n1/1.jpg,af/n1/2.jpg,1,0,0,asian_females,asian_females,0.8,AF,AF,F,F,A,A
2,af/n1/1.jpg,bm/n2/1.jpg,0,0,1,asian_females,black_males,0.1,AF,BM,F,M,A,B
"""


def test_bfw(write):
    found = bfw_comparisons(read_csv_table(write("bfw.csv", BFW)))
    assert (found.attribute_names, found.attribute_values) == (("ethnicity", "gender"), (("A", "B"), ("F", "M")))
    assert found.attributes.tolist() == [[0, 0], [0, 0], [1, 1]]
    assert found.fold.tolist() == [1, 2]
    assert (found.subject_a == found.subject_b).tolist() == [True, False]
    with pytest.raises(DataError, match="line 3: the image has no folder"):
        bfw_comparisons(read_csv_table(write("bfw.csv", BFW.replace("bm/n2/1.jpg", "1.jpg"))))


def test_kinds_are_told_apart(write):
    kinds = {
        "plain": open_comparisons(write("p.csv", PLAIN)),
        "challenge": open_comparisons(write("c.csv", "ID1,ID2,label\n7,8,1\n7,9,0\n")),
        "bfw": open_comparisons(write("b.csv", BFW)),
        "rfw": open_comparisons(rfw(write)),
        "lfw": open_comparisons(write("pairs.txt", "Ann 1 2\nAnn 1 Bo 1\n")),
    }
    assert {name: found.comparisons.names[0] for name, found in kinds.items()} == {
        "plain": "a0", "challenge": "7", "bfw": "af/n1/1.jpg", "rfw": "African/m.1/m.1_0001.jpg",
        "lfw": "Ann/Ann_0001.jpg",
    }  # fmt: skip
    assert kinds["plain"].table is not None
    assert kinds["lfw"].table is None
    with pytest.raises(ConfigError, match="'pickle' of a pair list is unknown"):
        open_comparisons("x", "pickle")
    with pytest.raises(DataError, match="has no column ID1"):
        open_comparisons(write("p.csv", PLAIN), "challenge")


def test_ids_with_accents_find_the_photographs_of_a_mac(write):
    template = read_pair_template(write("t.csv", "ID1,ID2,SCORE\nZoë_1,Zoë_2,0\n"))
    files = [unicodedata.normalize("NFD", f"deep/Zoë_{k}.JPG") for k in (1, 2)]
    assert photographs_of(template, files) == {"Zoë_1": files[0], "Zoë_2": files[1]}
