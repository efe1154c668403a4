"""docs/identification.md from top to bottom, with a model that is quick to make and drawn faces."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from unittests.docs.blocks import page_blocks
from unittests.docs.clone import lay_out, typed
from unittests.protocols.ijb_folder import lists, write_images, write_lists
from unittests.small_models import draw_people, make_run

PAGE = page_blocks("docs/identification.md")


def prepare(clone: Path) -> None:
    """The reader's folders, IJB's lists and features."""
    draw_people(clone / "drawn", people=4, images=4)
    for image in sorted((clone / "drawn").glob("*/*.png")):  # nobody is enrolled and searched for by one image
        part = "gallery" if image.stem in "01" else "probe"
        moved = clone / "people" / part / image.parent.name / image.name
        moved.parent.mkdir(parents=True, exist_ok=True)
        image.rename(moved)
    draw_people(clone / "people" / "unknown", people=12, images=1)
    for person in range(4):  # the unknown are the others
        (clone / "people" / "unknown" / f"p{person}" / "0.png").unlink()
    rng = np.random.default_rng(0)
    for dataset in ("IJBB", "IJBC"):
        files = lists(rng, images=30, templates=14, dataset=dataset)
        write_lists(clone / "ijb", files, dataset=dataset)
        if dataset == "IJBC":
            write_images(clone / "ijb", files, rng)
    for name in ("features", "mirrored"):
        np.save(clone / f"{name}.npy", rng.standard_normal((30, 16)).astype(np.float32))


def test_every_block(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    clone = lay_out(tmp_path)
    make_run(clone / "models" / "orl_demo")
    prepare(clone)
    searched, watched, ijb, python = typed([block for block in PAGE if block.is_run], clone)
    row = next(line.split() for line in searched.splitlines() if line.startswith("gallery  ") and "mated" not in line)
    assert row[1:5] == ["4", "8", "8", "1.0000"]
    told, found = watched.splitlines()
    assert re.fullmatch(r"threshold 0\.\d{3}: TPIR [01]\.\d{3}, FPIR 0\.010", told)
    assert found == "3"
    assert (clone / "cmc.png").stat().st_size > 1000
    assert ijb.count("TAR at nearest FAR") == 2
    assert {"G1+G2", "S1+S2"} <= {line.split(" ")[0] for line in ijb.splitlines()}
    result = json.loads((clone / "results" / "IJBC" / "orl_demo" / "result.json").read_text())
    assert result["verification"]["genuine"] > 0
    assert python == ""
