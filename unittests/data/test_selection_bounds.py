"""Which records a choice keeps, down to none."""

import numpy as np
import pytest

from fairface.config.schema import DataConfig
from fairface.data.array import ArrayDataset
from fairface.data.folder import FolderDataset
from fairface.data.selection import read_positions, select
from fairface.errors import ConfigError, DataError


@pytest.fixture
def dataset():
    codes = [[0, 0], [0, 1], [1, 0], [1, -1], [0, 0], [-1, 1]]
    return ArrayDataset(np.zeros((6, 4, 4, 3), np.uint8), [0, 0, 1, 1, 2, 2], codes, ("glasses", "hat"))


@pytest.mark.parametrize(
    ("where", "kept"),
    [("glasses=1", [2, 3]), ("glasses=0, hat=0", [0, 4]), ("hat=-1", [3]), ("", list(range(6)))],
)
def test_records_with_all_the_wanted_values(dataset, where, kept):
    chosen = select(dataset, DataConfig(path="here", where=where))
    assert [chosen.name(i) for i in range(len(chosen))] == [dataset.name(i) for i in kept]


@pytest.mark.parametrize("where", ["glasses=1,hat=1", "glasses=7"])
def test_a_choice_that_leaves_no_record_is_an_error(dataset, where):
    with pytest.raises(DataError, match=r"here: .* leave no record"):
        select(dataset, DataConfig(path="here", where=where))


@pytest.mark.parametrize("where", ["glasses", "glasses=", "=1", "hat=0,glasses"])
def test_what_is_no_name_and_value_is_an_error(dataset, where):
    with pytest.raises(ConfigError, match=r"data\.where: '.*' is not name=value"):
        select(dataset, DataConfig(path="here", where=where))


def test_lists_keep_and_leave_out_positions_from_the_first_to_the_last(dataset, tmp_path):
    (tmp_path / "some.txt").write_text("# chosen\n0\n\n5\n3\n")
    only = select(dataset, DataConfig(path="here", only=str(tmp_path / "some.txt")))
    assert [only.name(i) for i in range(len(only))] == ["image 0", "image 3", "image 5"]
    rest = select(dataset, DataConfig(path="here", exclude=str(tmp_path / "some.txt")))
    assert [rest.name(i) for i in range(len(rest))] == ["image 1", "image 2", "image 4"]


def test_lists_take_names_too(tmp_path):
    for name in ("ann/1.png", "ann/2.png", "bo lee/1.png"):
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).write_bytes(b"")
    people = FolderDataset(tmp_path / "in")
    (tmp_path / "some.txt").write_text("bo lee/1.png\r\n0\r\n", encoding="utf-8-sig")
    rest = select(people, DataConfig(path="here", exclude=str(tmp_path / "some.txt")))
    assert [rest.record_name(i) for i in range(len(rest))] == ["ann/2.png"]
    only = select(people, DataConfig(path="here", only=str(tmp_path / "some.txt")))
    assert [only.record_name(i) for i in range(len(only))] == ["ann/1.png", "bo lee/1.png"]


@pytest.mark.parametrize("line", ["6", "-1", "1.0", "²", "٣", "2\x853", "nobody"])
def test_a_position_beyond_the_last_is_named_with_its_line_and_the_range(dataset, tmp_path, line):
    (tmp_path / "some.txt").write_text(f"5\n{line}\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"some\.txt, line 2: .*\(0 to 5\) and no record's name \(such as 'image 0'\)"):
        read_positions(tmp_path / "some.txt", dataset)
