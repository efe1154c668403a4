"""docs/privacy.md: its block removes what it says, and the files that it lists are those that are closed to others."""

from __future__ import annotations

import stat
from pathlib import Path

from fairface.programs.purge import OUTPUT_FOLDERS
from unittests.docs.blocks import ROOT, page_blocks
from unittests.docs.clone import TEST_PEOPLE, lay_out, typed
from unittests.small_models import make_run

PAGE = page_blocks("docs/privacy.md")


def test_every_block(tmp_path: Path) -> None:
    clone = lay_out(tmp_path)
    make_run(clone / "models" / "orl_demo")
    (clone / "results").mkdir()
    kept = clone / "results" / "predictions.csv"
    kept.write_text("image,score\n")
    (printed,) = typed([block for block in PAGE if block.is_run], clone)
    lines = printed.splitlines()
    listed = [line for line in lines if line.startswith(("results/faces.npz: embeddings", "photos_aligned/landmarks"))]
    assert len(listed) == 3  # by the first command one file, by the second both
    assert lines[-1].startswith("removed 2 files")
    assert sum("nothing is removed" in line for line in lines) == 1
    assert not (clone / "results" / "faces.npz").exists()
    assert kept.exists()
    crops = sorted((clone / "photos_aligned").rglob("*.jpg")) + sorted((clone / "photos_aligned").rglob("*.png"))
    assert {path.parent.name for path in crops} == set(TEST_PEOPLE)
    assert all(stat.S_IMODE(path.stat().st_mode) != 0o600 for path in crops)


def test_the_page_names_the_folders_that_are_looked_into():
    text = (ROOT / "docs" / "privacy.md").read_text(encoding="utf-8")
    assert all(f"`{folder}`" in text for folder in OUTPUT_FOLDERS)
