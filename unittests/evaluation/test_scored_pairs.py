"""The same comparisons and scores by every way."""

import numpy as np
import pytest

from fairface.embedding.store import Embeddings, save_embeddings
from fairface.errors import ConfigError, DataError
from fairface.evaluation.scored_pairs import PairSource, ScoreSource, check_same_images, open_scored
from fairface.scoring.similarity import cosine_scores

NAMES = ("p0/0.png", "p0/1.png", "p1/0.png", "p1/1.png")


@pytest.fixture
def stored(tmp_path):
    rng = np.random.default_rng(0)
    result = Embeddings(
        rng.standard_normal((4, 8)).astype(np.float32), NAMES, {"attribute_values": {"sex": ["f", "m"]}},
        np.array([0, 0, 1, 1], np.int32), np.array([[0], [0], [1], [-1]], np.int8), ("sex",),
    )  # fmt: skip
    save_embeddings(tmp_path / "e.npz", result)
    return result


@pytest.fixture
def files(tmp_path, stored):
    (tmp_path / "pairs.csv").write_text(
        "image_a,image_b,same,mine\np1/0.jpg,p1/1.jpg,1,0.5\np0/0.jpg,p1/0.jpg,0,\np0/0.jpg,p0/1.jpg,1,0.25\n"
    )
    (tmp_path / "scores.csv").write_text(
        "image_a,image_b,score\np0/1.jpg,p0/0.jpg,3\np1/0.jpg,p1/1.jpg,1\np1/0.jpg,p0/0.jpg,2\n"
    )
    (tmp_path / "people.csv").write_text(
        "image,person,skin\np0/0.jpg,A,dark\np0/1.jpg,A,dark\np1/0.jpg,B,light\np1/1.jpg,B,\n"
    )
    return tmp_path


def test_three_kinds_of_scores(files, stored):
    what = PairSource(str(files / "pairs.csv"))
    sources = [ScoreSource(column="mine"), ScoreSource(scores=str(files / "scores.csv"))]
    scores = open_scored(what, sources).scores
    np.testing.assert_array_equal(scores[0], [0.5, np.nan, 0.25])
    np.testing.assert_array_equal(scores[1], [1, 2, 3])
    opened = open_scored(what, [ScoreSource(embeddings=str(files / "e.npz"))])
    comparisons, (cosines,) = opened.comparisons, opened.scores
    expected = cosine_scores(stored.embeddings, np.array([2, 0, 0]), np.array([3, 2, 1]))
    np.testing.assert_array_equal(cosines, expected)
    codes = {name: int(code) for name, code in zip(comparisons.names, comparisons.attributes[:, 0], strict=True)}
    assert codes == {"p0/0.jpg": 0, "p0/1.jpg": 0, "p1/0.jpg": 1, "p1/1.jpg": -1}
    assert comparisons.attribute_values == (("f", "m"),)


@pytest.mark.parametrize("where", ["names", "labels", "person"])
def test_who_is_shown(files, where):
    what = PairSource(str(files / "pairs.csv"), attributes=str(files / "people.csv"), subjects_from=where,
                      wanted=("skin",))  # fmt: skip
    comparisons = open_scored(what, [ScoreSource(embeddings=str(files / "e.npz"))]).comparisons
    assert (comparisons.subject_a == comparisons.subject_b).tolist() == [True, False, True]
    assert comparisons.attribute_names == ("sex", "skin")
    assert comparisons.attributes[:, 1].tolist() == [1, 0, -1, 0]  # p1/0, p0/0, p1/1, p0/1


@pytest.mark.parametrize("where", ["", "names", "labels", "person"])
def test_all_pairs(files, where):
    what = PairSource(attributes=str(files / "people.csv"), subjects_from=where, wanted=("skin",))
    opened = open_scored(what, [ScoreSource(embeddings=str(files / "e.npz"))])
    comparisons, (scores,) = opened.comparisons, opened.scores
    assert (len(comparisons), comparisons.genuine, len(scores)) == (6, 2, 6)
    assert comparisons.names == NAMES


@pytest.mark.parametrize(
    ("what", "source", "error", "message"),
    [
        ({}, {"column": "mine"}, ConfigError, "comparing all pairs needs embeddings"),
        ({"pairs": "rfw"}, {"column": "mine"}, ConfigError, "is not a CSV with a column of scores"),
        ({"pairs": "pairs.csv"}, {"column": "other"}, DataError, "has no column other"),
        ({"pairs": "pairs.csv", "subjects_from": "labels"}, {"column": "mine"}, ConfigError, "cannot come from labels"),
        ({"pairs": "pairs.csv", "subjects_from": "person"}, {"column": "mine"}, ConfigError, "without a file of attr"),
        ({"pairs": "pairs.csv", "attributes": "people.csv", "wanted": ("age",)}, {"column": "mine"}, DataError,
         "has no column age"),
        ({"pairs": "bare.csv", "subjects_from": "names"}, {"column": "mine"}, DataError, "has no columns image_a and"),
    ],
)  # fmt: skip
def test_what_does_not_fit_together(files, what, source, error, message):
    (files / "bare.csv").write_text("same,mine\n1,2\n0,1\n")
    (files / "rfw/txts/African").mkdir(parents=True)
    (files / "rfw/txts/African/African_pairs.txt").write_text("a\t1\t2\na\t1\tb\t1\n")
    paths = {key: str(files / value) if key in ("pairs", "attributes") else value for key, value in what.items()}
    with pytest.raises(error, match=message):
        open_scored(PairSource(**paths), [ScoreSource(**source)])


@pytest.mark.parametrize("kind", ["people", "images"])
def test_attributes_of_people_of_a_list_that_names_people_alone(files, kind):
    (files / "people_only.csv").write_text("probe,reference,mated,mine\nB,B,Y,0.5\nA,B,N,0.1\nA,A,Y,0.25\nC,A,N,0.2\n")
    (files / "skin.csv").write_text(
        "subject,skin\nB,light\nA,dark\nZ,dark\n" if kind == "people" else
        "image,person,skin\n1,A,dark\n2,A,dark\n3,B,light\n"
    )  # fmt: skip
    columns = {"subject_a": "probe", "subject_b": "reference", "score": "mine"}
    what = PairSource(str(files / "people_only.csv"), attributes=str(files / "skin.csv"), wanted=("skin",),
                      columns=columns)  # fmt: skip
    opened = open_scored(what, [ScoreSource(column="score")])
    comparisons, (scores,) = opened.comparisons, opened.scores
    assert scores.tolist() == [0.5, 0.1, 0.25, 0.2]
    skin = {"A": "dark", "B": "light", "C": None}
    values = [*comparisons.attribute_values[0], None]
    for ends, people in ((comparisons.a, "BAAC"), (comparisons.b, "BBAA")):
        assert [values[comparisons.attributes[image, 0]] for image in ends] == [skin[person] for person in people]
    (files / "skin.csv").write_text("subject,skin\nQ,light\nR,dark\n")
    with pytest.raises(DataError, match=r"none of its 2 rows is compared \(it has 'Q', the comparisons have 'B'\)"):
        open_scored(what, [ScoreSource(column="score")])


def test_other_images_under_the_same_names_are_noticed():
    rows = np.eye(2, dtype=np.float32)
    names = ("record 1", "record 2")
    one = Embeddings(rows, names, {"data": "kept"}, np.array([0, 1], np.int32))
    check_same_images(one, Embeddings(rows, names, {"data": "kept"}, np.array([0, 1], np.int32)), "a.npz", "b.npz")
    elsewhere = Embeddings(rows, names, {"data": "others"}, np.array([0, 1], np.int32))
    with pytest.raises(DataError, match=r"b.npz: its images .* \(kept and others\)"):
        check_same_images(one, elsewhere, "a.npz", "b.npz")
    somebody_else = Embeddings(rows, names, {"data": "kept"}, np.array([0, 0], np.int32))
    with pytest.raises(DataError, match="but are different images"):
        check_same_images(one, somebody_else, "a.npz", "b.npz")
    named = Embeddings(rows, ("a/1.jpg", "a/2.jpg"), {"data": "x"})
    check_same_images(named, Embeddings(rows, ("a/2.jpg", "a/1.jpg"), {"data": "y"}), "a.npz", "b.npz")
