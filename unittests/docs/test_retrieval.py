"""docs/retrieval.md from top to bottom, with a model that is quick to make and drawn faces."""

from __future__ import annotations

import json
import shutil
from itertools import combinations
from pathlib import Path

import cv2

from unittests.docs.blocks import page_blocks
from unittests.docs.clone import lay_out, typed
from unittests.small_models import draw_people, make_run

PAGE = page_blocks("docs/retrieval.md")


def covered(source: Path, target: Path) -> None:
    """The image with its lower part hidden."""
    image = cv2.imread(str(source))
    image[66:] = 200
    target.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(target), image)


def prepare(clone: Path) -> None:
    """The reader's folders and lists."""
    draw_people(clone / "plain", people=4, images=4)
    names = sorted(path.relative_to(clone / "plain") for path in (clone / "plain").glob("*/*.png"))
    masks = []
    for name in names:
        covered(clone / "plain" / name, clone / "covered" / name)
        part = "query" if name.stem in "01" else "gallery"
        covered(clone / "plain" / name, clone / "portraits" / name.parent / f"{name.stem}_mask.png")
        for folder in (clone / "faces" / part, clone / "portraits"):
            (folder / name.parent).mkdir(parents=True, exist_ok=True)
            shutil.copy(clone / "plain" / name, folder / name)
        masks += [f"{name},0", f"{name.parent}/{name.stem}_mask.png,1"]
    (clone / "masks.csv").write_text("\n".join(["image,masked", *masks]) + "\n")
    rows = [f"{a},{b},{int(a.parent == b.parent)}" for a, b in combinations(names, 2)]
    (clone / "pairs.csv").write_text("\n".join(["image_a,image_b,same", *rows]) + "\n")


def test_every_block(tmp_path: Path) -> None:
    clone = lay_out(tmp_path)
    make_run(clone / "models" / "orl_demo")
    prepare(clone)
    ranked, masked, verified, python = typed([block for block in PAGE if block.is_run], clone)
    row = next(line for line in ranked.splitlines() if line.startswith("gallery to query  "))
    assert row.split()[3:7] == ["8", "4", "8", "0"]
    found = json.loads(masked[masked.index("{\n") :])
    assert [of["queries"] for of in found["results"].values()] == [16, 16]
    head = next(line for line in verified.splitlines() if line.startswith("measure "))
    assert head.split() == ["measure", "unmasked", "masked", "difference"]
    assert python == ""
