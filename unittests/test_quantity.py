"""Singular and plural in sentences, against words written out."""

import numpy as np
import pytest

from fairface.quantity import agree, quantity


@pytest.mark.parametrize(
    ("one", "many"),
    [
        ("pair", "pairs"),
        ("impostor comparison", "impostor comparisons"),
        ("identity", "identities"),
        ("query", "queries"),
        ("day", "days"),
        ("key", "keys"),
        ("class", "classes"),
        ("index", "indexes"),
        ("match", "matches"),
        ("wish", "wishes"),
        ("buzz", "buzzes"),
        ("path", "paths"),
        ("TFRecord", "TFRecords"),
    ],
)
def test_regular_plurals(one: str, many: str) -> None:
    assert quantity(1, one) == f"1 {one}"
    for count in (0, 2, 11, 21, 101):
        assert quantity(count, one) == f"{count} {many}"


def test_a_plural_that_is_given() -> None:
    assert [quantity(count, "person", "people") for count in range(3)] == ["0 people", "1 person", "2 people"]
    left_out = [quantity(count, "file was left out", "files were left out") for count in (1, 2)]
    assert left_out == ["1 file was left out", "2 files were left out"]


def test_thousands_only_where_they_are_asked_for() -> None:
    assert quantity(4500, "pair") == "4500 pairs"
    assert quantity(4500, "pair", form=",") == "4,500 pairs"
    assert quantity(1, "person", "people", form=",") == "1 person"


def test_counts_of_numpy() -> None:
    assert quantity(np.int64(1), "pair") == "1 pair"
    assert quantity(np.bincount([0, 0])[0], "pair") == "2 pairs"


def test_a_verb_agrees() -> None:
    assert [agree(count, "is", "are") for count in range(4)] == ["are", "is", "are", "are"]
