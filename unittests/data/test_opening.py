"""fairface.data.opening and cards."""

import numpy as np
import pytest

from fairface.data.cards import all_cards, find_card, load_card
from fairface.data.folder import FolderDataset
from fairface.data.images import encode_jpeg
from fairface.data.listfile import ListDataset
from fairface.data.opening import open_dataset, verification_sets
from fairface.data.recordio.dataset import RecordDataset
from fairface.data.recordio.files import RecordWriter
from fairface.errors import DataError

JPEG = encode_jpeg(np.zeros((8, 8, 3), np.uint8))
CARD = "name: {0}\ntitle: T\nformat: {1}\npath: {2}\nwhere: from somewhere\nlicence: none\n"


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A working directory with datasets/ and train/datasets/."""
    monkeypatch.chdir(tmp_path)
    for folder in ("datasets", "train/datasets"):
        (tmp_path / folder).mkdir(parents=True)
    return tmp_path


def put_rec(folder):
    folder.mkdir(parents=True, exist_ok=True)
    with RecordWriter(folder / "train.rec") as writer:
        writer.write(0, 0.0, JPEG)


def put_folder(folder):
    (folder / "someone").mkdir(parents=True)
    (folder / "someone" / "1.jpg").write_bytes(JPEG)


def test_every_format_is_found_out(place):
    put_rec(place / "rec")
    put_folder(place / "photos")
    (place / "photos" / "list.txt").write_text("someone/1.jpg 5\n")
    for name in ("rec", "rec/train.rec", "rec/train.idx"):
        assert isinstance(open_dataset(name), RecordDataset)
    assert isinstance(open_dataset(place / "photos"), FolderDataset)
    assert isinstance(open_dataset("photos/list.txt"), ListDataset)


def test_folders_are_searched_in_order(place):
    put_rec(place / "train" / "datasets" / "mine")
    assert open_dataset("mine").title == "train/datasets/mine/train.rec"
    put_folder(place / "datasets" / "mine")
    assert isinstance(open_dataset("mine"), FolderDataset)


def test_card_leads_to_data(place):
    (place / "datasets" / "short.yaml").write_text(CARD.format("short", "rec", "long_name") + "aliases: [other]\n")
    for name in ("short", "other"):
        with pytest.raises(DataError, match=r"short: there are no data at long_name.*to get them: from somewhere"):
            open_dataset(name)
    put_rec(place / "train" / "datasets" / "long_name")
    assert len(open_dataset("short")) == len(open_dataset("other")) == 1
    (place / "datasets" / "tests.yaml").write_text(CARD.format("tests", "rfw", "lfw"))
    with pytest.raises(DataError, match="is a test set"):
        open_dataset("tests")


def test_what_cannot_be_opened(place):
    for name, said in (
        ("no/such/place", "no such file or folder"),
        ("none.rec", "no such file or folder"),
        ("ms1mv33", "near: ms1mv3"),
    ):
        with pytest.raises(DataError, match=said):
            open_dataset(name)
    for suffix, said in ((".bin", "verification set"), (".csv", "face2rec2"), (".lst", "face2rec2"), (".zip", "known")):
        (place / f"a{suffix}").touch()
        with pytest.raises(DataError, match=said):
            open_dataset(f"a{suffix}")
    (place / "empty").mkdir()
    with pytest.raises(DataError, match="holds no photograph"):
        open_dataset("empty")


def test_verification_sets_beside_the_data(place):
    put_rec(place / "rec")
    for name in ("lfw.bin", "cfp_fp.bin"):
        (place / "rec" / name).touch()
    expected = {"cfp_fp": place / "rec" / "cfp_fp.bin", "lfw": place / "rec" / "lfw.bin"}
    assert verification_sets(place / "rec") == verification_sets(place / "rec" / "train.rec") == expected
    assert list(verification_sets(place / "rec")) == ["cfp_fp", "lfw"]


def test_cards_of_the_repository(root):
    cards = {card.name: card for card in all_cards([root / "datasets"])}
    known = {"ms1m": 85742, "ms1mv3": 93431, "casia-webface": 10572, "vggface2": 9131, "webface42m": 2059906, "orl": 40}
    assert {name: cards[name].classes for name in known} == known
    assert cards["ms1m"].images == 5822653
    assert len({name for c in cards.values() for name in (c.name, *c.aliases)}) == sum(
        1 + len(c.aliases) for c in cards.values()
    )
    for file in (root / "datasets").glob("*.yaml"):
        assert file.stem in cards
    card = find_card("emore", [root / "datasets"])
    assert card is not None
    assert card.name == "ms1m"
    assert load_card(root / "datasets" / "orl.yaml").name == "orl"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: [", "cannot be read as a card"),
        ("- a\n", "is no card"),
        (CARD.format("a", "rec", "a") + "colour: red\n", r"unknown keys \['colour'\]"),
        ("name: a\n", r"missing keys \['format'"),
        (CARD.format("a", "zip", "a"), "format is 'zip'"),
        (CARD.format("a", "rec", "a") + "classes: many\n", "classes is 'many'"),
    ],
)
def test_damaged_card(tmp_path, text, said):
    (tmp_path / "a.yaml").write_text(text)
    with pytest.raises(DataError, match=said):
        load_card(tmp_path / "a.yaml")
