"""Which records are chosen, and the words for a choice that cannot be made."""

import numpy as np
import pytest

from fairface.config.schema import DataConfig
from fairface.data.array import ArrayDataset
from fairface.data.selection import labeled_only, open_selected, open_whole, parse_where, read_positions, select
from fairface.errors import ConfigError, DataError


@pytest.fixture
def people():
    data = ArrayDataset(
        np.zeros((4, 4, 4, 3), np.uint8), [0, -1, 1, -1], [[0, 1], [1, -1], [-1, 0], [1, 1]], ("sex", "hat")
    )
    data.attribute_values = {"sex": ("f", "m")}
    return data


def test_records_are_chosen_by_the_name_of_a_value_or_its_code(people):
    for where, kept in (
        ("sex=m", [1, 3]),
        ("sex=1", [1, 3]),
        ("sex=-1", [2]),
        ("hat=1,sex=m", [3]),
        (" , sex = f ,", [0]),
    ):
        chosen = select(people, DataConfig(path="here", where=where))
        assert [chosen.name(i) for i in range(len(chosen))] == [f"image {i}" for i in kept]
    assert select(people, DataConfig(path="here")) is people
    assert parse_where("a = b=c ,, d=1") == [("a", "b=c"), ("d", "1")]
    for where, said in (
        ("age=1", "data.where: there is no attribute 'age'; this data set has: sex, hat"),
        ("sex=x", "data.where: sex=x: no such value; it can be: f, m"),
        ("hat=x", "data.where: hat=x: no such value; it can be: a whole number, its code"),
        ("hat=--1", "data.where: hat=--1: no such value; it can be: a whole number, its code"),
    ):
        with pytest.raises(ConfigError) as caught:
            select(people, DataConfig(path="here", where=where))
        assert str(caught.value) == said
    bare = ArrayDataset(np.zeros((1, 4, 4, 3), np.uint8), [0])
    with pytest.raises(ConfigError, match="this data set has: none"):
        select(bare, DataConfig(path="here", where="sex=f"))


def test_unlabeled_records_are_left_out_and_counted(people):
    kept = labeled_only(people)
    assert (kept.labels.tolist(), kept.notes[-1]) == ([0, 1], "2 unlabeled images are not used by this method")
    assert labeled_only(kept) is kept
    with pytest.raises(DataError, match="image 1 and all other records are unlabeled; this method needs labels"):
        labeled_only(people.subset([1, 3]))


def test_a_list_of_records_that_is_no_text(people, tmp_path):
    (tmp_path / "l.txt").write_bytes(b"0\n\xff\n")
    for name in ("l.txt", "none.txt"):
        with pytest.raises(
            DataError, match=rf"{name}: cannot be read \(.*\); give a text file with one record's position"
        ):
            read_positions(tmp_path / name, people)
    (tmp_path / "l.txt").write_text("# a comment\nimage 3\nimage 0\n0\n")
    assert read_positions(tmp_path / "l.txt", people).tolist() == [3, 0, 0]
    (tmp_path / "l.txt").write_text("image 3\nimage 4\n")
    with pytest.raises(DataError, match=r"l\.txt, line 2: 'image 4' is no record position \(0 to 3\)"):
        read_positions(tmp_path / "l.txt", people)


def test_data_are_opened_as_the_configuration_says(tmp_path):
    for name in ("0/a.jpg", "1/b.jpg", "1/c.jpg"):
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).touch()
    (tmp_path / "l.txt").write_text("0/a.jpg 0\n1/b.jpg 1\n1/d.jpg 1\n")
    config = DataConfig(
        path=str(tmp_path / "l.txt"), root=str(tmp_path / "in"), on_missing="skip", zero_is_unlabeled=True
    )
    assert open_whole(config).labels.tolist() == [-1, 0]
    (tmp_path / "only.txt").write_text("1/b.jpg\n")
    chosen = open_selected(DataConfig(**{**config.__dict__, "only": str(tmp_path / "only.txt")}))
    assert [chosen.record_name(i) for i in range(len(chosen))] == ["1/b.jpg"]
