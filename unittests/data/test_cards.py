"""Cards of data sets: found by name, or named with those that are near."""

from pathlib import Path

import pytest

from fairface.data.cards import FORMATS, SEARCH, all_cards, find_card, load_card, search_folders
from fairface.data.formats import OPENERS
from fairface.errors import DataError

CARD = "name: {0}\ntitle: T\nformat: rec\npath: {1}\nwhere: from\n  somewhere\nlicence: none\n"


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
    return tmp_path


def test_cards_of_two_folders_by_name(place):
    (place / "one" / "b.yaml").write_text(CARD.format("beta", "x") + "aliases: [second]\nclasses: 3\nimages: null\n")
    (place / "two" / "a.yaml").write_text(CARD.format("beta", "other"))
    (place / "two" / "c.yaml").write_text(CARD.format("alpha", "y") + "attributes: [sex, 5]\nnotes: some\n")
    cards = all_cards(["one", "two"])
    assert [card.name for card in cards] == ["alpha", "beta"]
    alpha, beta = cards
    assert (beta.path, beta.aliases, beta.classes, beta.images, beta.attributes) == ("x", ("second",), 3, None, ())
    assert (alpha.classes, alpha.images, alpha.attributes, alpha.aliases) == (None, None, ("sex", "5"), ())
    assert (alpha.notes, beta.notes) == ("some", "")
    assert find_card("second", ["one"]) == load_card("second", ["one"]) == beta
    assert find_card("none", ["one"]) is None
    assert load_card(place / "two" / "a.yaml").path == "other"
    (place / "two" / "a.yml").write_text(CARD.format("gamma", "z"))
    assert load_card("two/a.yml").name == "gamma"
    for name, said in (("bete", "near: beta"), ("zzz", "known: alpha, beta, second")):
        with pytest.raises(DataError) as caught:
            load_card(name, ["one", "two"])
        assert str(caught.value) == f"{name}: no such file or folder, and no data set of this name; {said}"
    with pytest.raises(DataError, match="x: no such file or folder, and no data set of this name; known: none"):
        load_card("x", ["nowhere"])
    assert SEARCH == ("datasets", "train/datasets")
    assert set(OPENERS) < set(FORMATS)


def test_at_most_three_near_names(place):
    for name in ("setaa", "setab", "setac", "setad"):
        (place / "one" / f"{name}.yaml").write_text(CARD.format(name, "x"))
    with pytest.raises(DataError) as caught:
        load_card("seta", ["one"])
    assert str(caught.value).count("seta") == 4


def test_folders_of_the_checkout_are_searched_after_ones_own(place, root):
    assert search_folders(["one", "two", "one", "./two"]) == [Path("one"), Path("two")]
    (place / "datasets").mkdir()
    assert search_folders(["datasets"]) == [Path("datasets"), root / "datasets"]
    assert search_folders(["unittests"]) == [root / "unittests"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[", "cannot be read as a card ("),
        ("- a\n", "is no card: missing keys ['format', 'licence', 'name', 'path', 'title', 'where'], unknown keys []"),
        (CARD.format("a", "x") + "size: 3\n", "is no card: missing keys [], unknown keys ['size']; correct it"),
        (CARD.format("a", "x").replace("licence: none\n", ""), "is no card: missing keys ['licence'], unknown keys []"),
        (CARD.format("a", "x").replace("rec", "lmdb"), f"format is 'lmdb'; it must be one of {', '.join(FORMATS)}"),
        (CARD.format("a", "x") + "images: 1.5\n", "images is 1.5; it must be a whole number, or null where not known"),
        (CARD.format("a", "x") + "classes: many\n", "classes is 'many'; it must be a whole number"),
    ],
)
def test_what_is_no_card(place, text, said):
    (place / "a.yaml").write_text(text)
    with pytest.raises(DataError) as caught:
        load_card("a.yaml")
    assert str(caught.value).startswith(f"a.yaml: {said}")
