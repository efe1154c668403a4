"""docs/data.md from top to bottom: every way into the data, from one folder of photographs."""

from __future__ import annotations

from pathlib import Path

import pytest

from fairface.config.load import load_config
from fairface.data.opening import open_dataset
from fairface.data.selection import open_selected
from unittests.docs.blocks import ROOT, page_blocks, run_names
from unittests.docs.clone import TEST_PEOPLE, TRAIN_PEOPLE, lay_out, typed

PAGE = page_blocks("docs/data.md")


def test_there_is_a_recipe_for_every_starting_point():
    assert list(dict.fromkeys(block.heading for block in PAGE if run_names(block))) == [
        "A folder of photographs", "A list of photographs", "train.rec from insightface",
        "TFRecords from TFace or UFace", ".bin verification sets", "Several sets to one",
    ]  # fmt: skip


def test_every_recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocks = [block for block in PAGE if block.is_run]
    printed = dict(zip((block.text for block in blocks), typed(blocks, lay_out(tmp_path)), strict=True))
    monkeypatch.chdir(tmp_path)
    # What the runs trained on, counted anew: two photographs of each person to train on, three of each to test on.
    runs = {name for block in blocks for name in run_names(block)}
    assert runs == {"from_folder", "from_rec", "from_list", "from_tfrecords", "verified", "from_both"}
    for run in runs:
        data = open_selected(load_config(tmp_path / "models" / run / "config.yaml", []).data)
        both = run == "from_both"
        assert (len(data), data.num_classes) == ((72, 32) if both else (48, 24)), run
        assert data[0].image.shape == (112, 112, 3)
    assert (len(open_dataset("datasets/listed")), len(open_dataset("datasets/from_lst"))) == (48, 48)
    merged, mapped = open_dataset("datasets/both"), open_dataset("datasets/mapped")
    assert (len(merged), merged.num_classes) == (72, 32)
    assert (len(mapped), mapped.num_classes) == (72 - 3, 32 - 2)  # radia is left out, alan is ada
    assert len(open_dataset("validation/mine")) == 24 * 23  # two images a pair
    assert len(list((tmp_path / "datasets" / "mine" / "imgs").glob("*/*.jpg"))) == 2 * len(TRAIN_PEOPLE)
    assert len(list((tmp_path / "look").rglob("*.jpg"))) == 10
    assert (tmp_path / "listed.npz").stat().st_size > 1000
    shared = next(text for block, text in printed.items() if "find_shared_identities" in block)
    assert f"{len(TEST_PEOPLE)} of {len(TEST_PEOPLE)} identities of the test set reach" in shared


def test_configurations_are_those_of_the_checkout(tmp_path: Path) -> None:
    """The clone's smaller configurations keep their names, so that pages cannot name one that does not exist."""
    clone = lay_out(tmp_path)
    names = [{path.name for path in (root / "train" / "configs").iterdir()} for root in (ROOT, clone)]
    assert names[0] == names[1]
