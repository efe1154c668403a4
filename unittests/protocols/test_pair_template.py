"""Templates of pairs: what is kept, what is counted, what is refused."""

import numpy as np
import pytest

from fairface.errors import ConfigError, DataError
from fairface.protocols.challenge import Template
from fairface.protocols.pair_template import (
    all_pairs_template,
    count_template,
    photographs_by_id,
    read_pair_template,
    write_predictions,
)

GIVEN = "TEMPLATE_ID1,TEMPLATE_ID2,SCORE\n007,x,0.5\n7,007,\nx,007,?\n7,7,1\n"


@pytest.fixture
def template(tmp_path):
    (tmp_path / "t.csv").write_text(GIVEN)
    return read_pair_template(tmp_path / "t.csv")


def test_ids_stay_texts_in_their_order_and_scores_are_passed_over(template):
    assert template.first == ("007", "7", "x", "7")
    assert template.second == ("x", "007", "007", "7")
    assert template.ids == ("007", "7", "x")


def test_pairs_that_repeat_and_images_with_themselves_are_counted(template):
    counts = count_template(template)
    assert (counts.repeated, counts.self_pairs) == (1, 1)
    assert [counts.ids[i] for i in counts.a] == list(template.first)
    assert [counts.ids[i] for i in counts.b] == list(template.second)


def test_scores_are_written_under_the_same_header_and_come_back_to_the_bit(tmp_path, template):
    scores = np.random.default_rng(0).normal(0, 1e-3, 4)
    write_predictions(tmp_path / "out.csv", template, scores)
    lines = (tmp_path / "out.csv").read_text().splitlines()
    assert lines[0] == GIVEN.splitlines()[0]
    assert [line.split(",")[:2] for line in lines[1:]] == [line.split(",")[:2] for line in GIVEN.splitlines()[1:]]
    assert [float(line.split(",")[2]) for line in lines[1:]] == scores.tolist()
    assert read_pair_template(tmp_path / "out.csv").first == template.first


def test_scores_with_the_challenges_decimals(tmp_path, template):
    write_predictions(tmp_path / "out.csv", template, np.array([0.123456, -1, 0, 2]), decimals=4)
    assert (tmp_path / "out.csv").read_text().splitlines()[1:3] == ["007,x,0.1235", "7,007,-1.0000"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("ID1,ID2,SCORE\na,b,0\na,b\n", "line 3 has 2 values for 3 columns"),
        ("ID1,ID2,SCORE\na,b,0\n,b,0\n", "line 3: no value for ID1"),
        ("ID1,ID2,SCORE\n", "holds no rows"),
        ("ID1,ID2\na,b\n", "has the columns ID1,ID2,SCORE and no other"),
        ("ID1,ID2,SCORE,AGE\na,b,0,3\n", "names ID1, ID2, SCORE, AGE"),
        ("a,b,0.1\nc,d,1\n", "line 1 names a, b, 0.1"),
    ],
)
def test_malformed_templates_are_refused(tmp_path, text, message):
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(DataError, match=message):
        read_pair_template(tmp_path / "t.csv")


@pytest.mark.parametrize(
    ("scores", "message"), [([1.0, 2.0], "4 pairs"), ([0, np.nan, 1, np.inf], "2 scores are not finite .first: 7 and")]
)
def test_nothing_is_written_where_scores_do_not_fit(tmp_path, template, scores, message):
    with pytest.raises(DataError, match=message):
        write_predictions(tmp_path / "out.csv", template, np.array(scores, float))
    assert not (tmp_path / "out.csv").exists()


@pytest.mark.parametrize("decimals", [-1, 18, 10**9])
def test_digits_that_no_score_has_are_refused(tmp_path, template, decimals):
    with pytest.raises(ConfigError, match=f"decimals is {decimals}; it must lie between 0 and 17"):
        write_predictions(tmp_path / "out.csv", template, np.zeros(4), decimals)
    assert not (tmp_path / "out.csv").exists()


def photographs(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def test_photographs_are_found_at_any_depth(tmp_path, template):
    folder = photographs(tmp_path / "p", "a/007.png", "x.jpg", "a/b/7.pgm", "other.png", "x.txt")
    assert photographs_by_id(template, folder) == {"007": "a/007.png", "7": "a/b/7.pgm", "x": "x.jpg"}
    assert set(photographs_by_id(None, folder)) == {"007", "7", "x", "other"}


def test_ids_without_a_photograph_are_counted_and_named(tmp_path, template):
    folder = photographs(tmp_path / "p", "x.jpg")
    with pytest.raises(DataError, match=r"t\.csv: 2 of 3 ids have no photograph \(007, 7\)"):
        photographs_by_id(template, folder)


def test_two_photographs_of_one_id_are_both_named(tmp_path, template):
    folder = photographs(tmp_path / "p", "x.jpg", "7.png", "007.png", "b/x.png")
    with pytest.raises(DataError, match=r"id x has two photographs, b/x\.png and x\.jpg"):
        photographs_by_id(template, folder)
    with pytest.raises(DataError, match=r"b/x\.png and x\.jpg have the same name"):
        photographs_by_id(None, folder)


def test_all_pairs():
    template = all_pairs_template(["a", "b", "c"], "here")
    assert list(zip(template.first, template.second, strict=True)) == [("a", "b"), ("a", "c"), ("b", "c")]
    assert isinstance(template, Template)
    with pytest.raises(DataError, match="here: two photographs have the name a"):
        all_pairs_template(["a", "b", "a"], "here")
    for ids, told in ((["a"], "1 photograph"), ([str(i) for i in range(10_001)], "10001 photographs")):
        with pytest.raises(DataError, match=f"all pairs of {told} cannot"):
            all_pairs_template(ids, "here")
