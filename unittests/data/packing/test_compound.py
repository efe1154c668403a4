"""fairface.data.packing.compound and scripts/compound_multiple_datasets.py."""

import os
from pathlib import Path

import pytest

from fairface.data.folder import FolderDataset
from fairface.data.packing.compound import compound
from fairface.errors import DataError
from unittests.data.builders import images


@pytest.fixture
def place(tmp_path, monkeypatch):
    """References of three identities, variants of two of them and of one more, in a working directory."""
    monkeypatch.chdir(tmp_path)
    files = images()
    for name, file in (
        ("refs/00000/reference.png", 0), ("refs/00001/reference.png", 1), ("refs/2 x/reference.png", 2),
        ("variants/imgs/00000/1.png", 3), ("variants/imgs/00001/1.png", 4), ("variants/imgs/00009/1.png", 5),
    ):  # fmt: skip
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(files[file])
    return tmp_path


def tree(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir())


EXPECTED = [
    "00000/d1_reference.png", "00000/d2_1.png", "00001/d1_reference.png", "00001/d2_1.png", "00009/d2_1.png",
    "2 x/d1_reference.png",
]  # fmt: skip


@pytest.mark.parametrize("copy", [False, True])
def test_references_and_variants(place, copy):
    done = compound(["refs", "variants"], "all/imgs", copy)
    assert tree(place / "all" / "imgs") == EXPECTED
    assert (done.identities, done.shared, done.images, done.made) == (4, 2, 6, 6)
    assert done.sources == (("refs", 3, 3), ("variants/imgs", 3, 3))
    assert (place / "all/imgs/00000/d1_reference.png").is_symlink() != copy
    data = FolderDataset(place / "all")
    assert data.labels.tolist() == [0, 0, 1, 1, 2, 3]
    assert [data.encoded(i) for i in (0, 1, 5)] == [images()[i] for i in (0, 3, 2)]
    os.chdir("/")  # links do not depend on where one is
    assert FolderDataset(place / "all").encoded(0) == images()[0]


@pytest.mark.parametrize("copy", [False, True])
def test_again_and_with_more(place, copy):
    compound(["refs"], "out", copy)
    (place / "out" / "00000" / "d1_reference.png.part").write_bytes(b"of a run that was killed")
    done = compound(["refs", "variants"], "out", copy)
    assert (done.made, done.images) == (3, 6)
    assert compound(["refs", "variants"], "out", copy).made == 0
    (place / "out" / "00001" / "d2_1.png").unlink()
    assert compound(["refs", "variants"], "out", copy).made == 1
    with pytest.raises(
        DataError, match=r"out: 3 files there are in none of the data sets: 00000/d2_1\.png, 00001/d2_1"
    ):
        compound(["refs"], "out", copy)


def test_links_become_copies_and_wrong_links_right(place):
    compound(["refs"], "out")
    link = place / "out" / "00000" / "d1_reference.png"
    link.unlink()
    link.symlink_to("nowhere")
    assert compound(["refs"], "out").made == 1
    assert link.read_bytes() == images()[0]
    assert compound(["refs"], "out", copy=True).made == 3
    assert not link.is_symlink()
    assert compound(["refs"], "out").made == 0
    for copy in (False, True):
        link.write_bytes(b"other")
        with pytest.raises(DataError, match=r"d1_reference\.png: is there and differs from"):
            compound(["refs"], "out", copy)
    assert link.read_bytes() == b"other"


def test_output_apart_from_the_sources(place):
    for output in ("refs", "refs/out", "."):
        with pytest.raises(DataError, match="choose another output folder"):
            compound(["refs", "variants"], output)
    assert len(tree(place)) == 6


def test_nobody_is_shared(place):
    (place / "other" / "x").mkdir(parents=True)
    (place / "other" / "x" / "1.png").write_bytes(images()[0])
    (place / "other" / "notes.txt").touch()
    (place / "other" / "x" / "2.png").symlink_to("nowhere")
    with pytest.raises(DataError, match="1 of 2 files is missing"):
        compound(["refs", "other"], "out")
    done = compound(["refs", "other"], "out", on_missing="skip")
    assert (done.identities, done.shared) == (4, 0)
    assert any("nobody is in more than one" in note for note in done.notes)
    assert any("1 other file was left out" in note for note in done.notes)
    assert any("1 of 2 files is missing" in note for note in done.notes)


def test_program(program, place):
    name = "scripts/compound_multiple_datasets.py"
    done = program(name, "-l", "refs", "variants", "-p", "all_data/train_1/imgs")
    assert done.code == 0
    assert done.out.splitlines()[2:] == [
        "refs                            3       3",
        "variants/imgs                   3       3",
        "all_data/train_1/imgs           4       6",
        "2 identities are in more than one set; 6 files were made, the others existed already",
    ]
    assert program(name, "-l", "none", "-p", "out").err.startswith("error: none: there is no such folder")
    assert program(name, "-l", "refs", "-p", "copied", "--copy").code == 0
    assert not (place / "copied" / "00000" / "d1_reference.png").is_symlink()
