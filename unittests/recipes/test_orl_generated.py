"""The embedded people as references and variants: which photograph becomes what, and that they join to all of them."""

from pathlib import Path

import pytest

from fairface.data.folder import FolderDataset
from fairface.data.packing.compound import compound
from fairface.errors import DataError
from fairface.recipes.orl_generated import write_generated


@pytest.fixture
def aligned(tmp_path: Path) -> Path:
    for person in range(1, 41):
        (tmp_path / "aligned" / f"s{person}").mkdir(parents=True)
        for image in range(1, 11):
            (tmp_path / "aligned" / f"s{person}" / f"{image}.png").write_text(f"{person} {image}")
    return tmp_path / "aligned"


def test_references_and_variants_join_to_the_training_people(aligned: Path, tmp_path: Path) -> None:
    made = write_generated(aligned, tmp_path / "out")
    assert made.written == 260
    assert [path.name for path in (made.references, made.variants)] == ["images_arcface_112x112"] * 2
    assert (made.references / "00026" / "reference.png").read_text() == "26 1"
    assert (made.variants / "00003" / "10.png").read_text() == "3 10"
    counts = {folder: (len(found.identities), len(found)) for folder in (made.references, made.variants)
              for found in [FolderDataset(folder)]}  # fmt: skip
    assert counts == {made.references: (26, 26), made.variants: (26, 234)}
    joined = compound([made.references, made.variants], tmp_path / "joined" / "imgs")
    assert (joined.identities, joined.shared, joined.images) == (26, 26, 260)
    everything = {path.read_text() for path in (tmp_path / "joined").rglob("*.png")}
    assert everything == {f"{person} {image}" for person in range(1, 27) for image in range(1, 11)}


def test_a_second_call_writes_what_is_missing_or_differs(aligned: Path, tmp_path: Path) -> None:
    made = write_generated(aligned, tmp_path / "out")
    (made.variants / "00001" / "2.png").unlink()
    (made.variants / "00001" / "3.png").write_text("half")
    assert write_generated(aligned, tmp_path / "out").written == 2
    assert write_generated(aligned, tmp_path / "out").written == 0


def test_a_missing_photograph_is_named(aligned: Path, tmp_path: Path) -> None:
    (aligned / "s7" / "4.png").unlink()
    with pytest.raises(DataError, match=r"s7/4\.png: No such file or directory; run data_process/prepare_orl\.py"):
        write_generated(aligned, tmp_path / "out")
