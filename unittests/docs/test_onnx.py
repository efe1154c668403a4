"""docs/onnx.md from top to bottom, with a small net of random weights as the README's run."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from fairface.checkpoints import MANIFEST
from fairface.files import sha256
from unittests.docs.blocks import ROOT, page_blocks
from unittests.docs.clone import lay_out, typed
from unittests.small_models import draw_people

PAGE = page_blocks("docs/onnx.md")


def make_convolutional_run(folder: Path) -> None:
    """A run with one checkpoint of ``fresnet_tiny``: int8 needs convolutions."""
    from fairface.graph.export import write_deploy
    from unittests.interop.onnx.nets import random_net

    files = write_deploy(random_net("fresnet_tiny", 112)[1], str(folder / "model"), 3)
    sums = {path.name: sha256(path) for path in files}
    entry = {"step": 3, "files": dict(zip(("symbol", "params"), sums, strict=True)), "position": {}, "score": 0.5}
    manifest = {"format": 1, "checkpoints": [entry], "best": 3, "sha256": sums, "image_size": 112}
    (folder / MANIFEST).write_text(json.dumps(manifest))


def test_every_block(tmp_path: Path) -> None:
    for package in ("onnx", "onnxruntime"):
        pytest.importorskip(package, reason=f"{package} is not installed: pip install '.[onnx]'")
    clone = lay_out(tmp_path)
    make_convolutional_run(clone / "models" / "orl_demo")
    draw_people(clone / "datasets" / "orl" / "base", people=22, images=6)
    draw_people(clone / "datasets" / "orl" / "test", people=10, images=5)
    exported, checked, scored, smaller, opened = typed([block for block in PAGE if block.is_run], clone)
    assert "exported/orl/model.onnx: 112x112 RGB to 8 values, fp32" in exported
    listed = set(re.findall(r"^\| `([^|]*)` \|", "".join(_folder_table()), re.MULTILINE))
    names = {name for row in listed for name in re.split("`, `", row)}
    there = {path.name for path in (clone / "exported" / "orl").iterdir()} - {".final_eval"}
    assert there == names  # thresholds were saved by a later block
    assert checked.strip() == "1.0000"
    assert "exported/orl/model.onnx.thresholds.json: thresholds at FMR 0.001, 0.01" in scored
    assert re.search(r"^int8 against fp32 on 64 other images: cosine 0\.9\d+, at least 0\.\d+$", smaller, re.MULTILINE)
    assert "TAR at FMR 0.01, everyone: " in smaller
    assert opened.strip() == "embedding"


def _folder_table() -> list[str]:
    page = (ROOT / "docs" / "onnx.md").read_text(encoding="utf-8")
    return [page.split("## Export")[1].split("## ")[0]]
