"""Attributes in columns of a table of pairs, told by the side of the image."""

from __future__ import annotations

from pathlib import Path

import pytest

from fairface.errors import DataError
from fairface.evaluation.scored_pairs import PairSource, ScoreSource, open_scored
from fairface.protocols.opening import open_comparisons

ROWS = [("a", "b", 1, "f", "f"), ("a", "c", 0, "f", "m"), ("d", "c", 1, "", "m"), ("d", "b", 0, "", "f")]
SEX = {"a": "f", "b": "f", "c": "m", "d": None}


def table(columns: str, rows: list[tuple[object, ...]] = ROWS) -> str:
    return columns + "\n" + "".join(",".join(map(str, row)) + "\n" for row in rows)


def told(path: Path, wanted: tuple[str, ...]) -> dict[str, str | None]:
    """Each image's sex by its name."""
    found = open_comparisons(path, wanted=wanted).comparisons
    column = found.attribute_names.index("sex")
    values = found.attribute_values[column]
    codes = found.attributes[:, column].tolist()
    return {name: values[code] if code >= 0 else None for name, code in zip(found.names, codes, strict=True)}


@pytest.mark.parametrize(
    "columns",
    [
        "image_a,image_b,same,sex_a,sex_b",
        "image_a,image_b,same,sex1,sex2",
        "image1,image2,label,sex_1,sex_2",
        "Image 1,Image 2,Label,Sex 1,Sex 2",
        "ID1,ID2,SCORE,SEX1,SEX2",
        "ID1,ID2,SCORE,sex_a,sex_b",
    ],
)
def test_both_sides_say_the_same_of_an_image(tmp_path: Path, columns: str) -> None:
    path = tmp_path / "pairs.csv"
    path.write_text(table(columns))
    assert told(path, ("sex",)) == SEX


def test_numbers_at_the_end_are_attributes_only_where_they_are_wanted(tmp_path: Path) -> None:
    """Two models' scores, or remarks, may stand in such columns: they contradict each other and nobody minds."""
    path = tmp_path / "pairs.csv"
    rows = [(*row, 0.1 * number, 0.2, "see", number) for number, row in enumerate(ROWS)]
    path.write_text(table("image_a,image_b,same,sex1,sex2,score1,score2,note1,note2", rows))
    assert open_comparisons(path).comparisons.attribute_names == ()
    assert open_comparisons(path, wanted=("sex",)).comparisons.attribute_names == ("sex",)
    with pytest.raises(DataError, match="line 2: note is '0' here but '3' in another row about the same image"):
        open_comparisons(path, wanted=("note",))


def test_contradictions_name_the_line(tmp_path: Path) -> None:
    path = tmp_path / "pairs.csv"
    path.write_text(table("image_a,image_b,same,sex1,sex2", [*ROWS, ("c", "e", 0, "f", "f")]))
    with pytest.raises(DataError, match=r"pairs\.csv: line 6: sex is 'f' here but 'm' in another row about the same"):
        open_comparisons(path, wanted=("sex",))


def test_letters_go_before_numbers(tmp_path: Path) -> None:
    path = tmp_path / "pairs.csv"
    path.write_text(table("image_a,image_b,same,sex_a,sex_b,sex1,sex2", [(*row, "x", "y") for row in ROWS]))
    assert told(path, ("sex",)) == SEX


def test_without_images_every_comparison_has_two_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "pairs.csv"
    path.write_text("same,race1,race2,score\n1,x,y,0.5\n0,y,,0.1\n")
    pairs = open_scored(PairSource(str(path), wanted=("race",)), [ScoreSource(column="score")])
    assert pairs.comparisons.attribute_values == (("x", "y"),)
    sides = [pairs.comparisons.attributes[side, 0].tolist() for side in (pairs.comparisons.a, pairs.comparisons.b)]
    assert sides == [[0, 1], [1, -1]]


def test_only_the_values_that_are_allowed(tmp_path: Path) -> None:
    path = tmp_path / "pairs.csv"
    path.write_text(table("image_a,image_b,same,sex1,sex2"))
    with pytest.raises(DataError, match="line 2: sex is 'f', which is not among m, w"):
        open_comparisons(path, allowed={"sex": ("m", "w")}, wanted=("sex",))


def test_columns_of_many_values_that_nobody_wants_are_no_attribute(tmp_path: Path) -> None:
    path = tmp_path / "pairs.csv"
    rows = [(f"p{i}", f"q{i}", i % 2, "f", "m", i / 7, i / 9) for i in range(150)]
    path.write_text(table("image_a,image_b,same,sex_a,sex_b,score_a,score_b", rows))
    assert open_comparisons(path, wanted=("sex",)).comparisons.attribute_names == ("sex",)
    with pytest.raises(DataError, match=r"score has 2.. different values; an attribute may have 127 at most"):
        open_comparisons(path, wanted=("sex", "score"))
    path.write_text(table("image_a,image_b,same,sex_a,sex_b,score_a,score_b", rows[:60]))
    assert open_comparisons(path, wanted=("sex",)).comparisons.attribute_names == ("sex", "score")
