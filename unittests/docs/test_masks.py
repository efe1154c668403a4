"""docs/masks.md from top to bottom: masked folders, a log made again, masked pairs, training with masks."""

from __future__ import annotations

import json
import re
from pathlib import Path

from fairface.config.schema import AugmentConfig
from fairface.data.pairsets.bin_set import read_bin
from fairface.faces.masks import STYLES
from unittests.docs.blocks import ROOT, page_blocks
from unittests.docs.clone import lay_out, typed


def test_every_command_runs(tmp_path: Path) -> None:
    clone = lay_out(tmp_path)
    folder, again, pairs, trained = typed([block for block in page_blocks("docs/masks.md") if block.is_run], clone)
    lines = [json.loads(line) for line in (clone / "aligned_masked" / "masks.jsonl").read_text().splitlines()]
    counts = {outcome: sum(row["outcome"] == outcome for row in lines[1:]) for outcome in ("masked", "unmasked")}
    assert sum(counts.values()) == 48
    assert min(counts.values()) > 12  # of 48 at a probability of a half
    assert f"48 images: {counts['masked']} masked, {counts['unmasked']} unmasked" in folder
    assert len(list((clone / "aligned_again").rglob("*.png"))) == counts["masked"]
    assert f"{counts['masked']} masked" in again
    content = read_bin(clone / "masked.bin")
    assert (len(content.images), sum(content.same)) == (24 * 23, 24)  # 276 pairs of 8 people with three images each
    assert "276 pairs, 276 images with a mask, 0 refused" in pairs
    assert re.search(r"^\W*masked\b", trained, re.MULTILINE)  # the row of the scored set


def test_every_option_style_and_key_exists() -> None:
    page = (ROOT / "docs" / "masks.md").read_text(encoding="utf-8")
    programs = "".join((ROOT / "fairface" / "programs" / f"{name}.py").read_text(encoding="utf-8")
                       for name in ("add_masks", "mask_bin", "mask_options"))  # fmt: skip
    for flag in set(re.findall(r"--[a-z][a-z-]+", page)) - {"--model", "--set"}:  # these are of test/verification.py
        assert f'"{flag}"' in programs, flag
    named = re.search(r"^\| `--styles A,B` \| all \| (.*) \|$", page, re.MULTILINE)
    assert named
    assert named[1] == ", ".join(f"`{name}`" for name in STYLES)
    keys = set(re.findall(r"`(mask_\w+)`", page)) - {"mask_bin"}
    assert keys == {name for name in vars(AugmentConfig()) if name.startswith("mask_")}
