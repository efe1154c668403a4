"""All pages in one clone, in the order in which the README names them: no page is in another's way."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from unittests.docs import test_bring_your_own, test_identification, test_retrieval
from unittests.docs.blocks import PAGES, ROOT, blocks_of
from unittests.docs.clone import lay_out, prepare_embedded, typed

# Pages that speak of data of the reader's own besides the photographs that every page has.
OWN_DATA = {"bring_your_own.md": test_bring_your_own.prepare, "identification.md": test_identification.prepare,
            "retrieval.md": test_retrieval.prepare}  # fmt: skip


def _nothing(clone: Path) -> None:
    """The page needs no more than its clone."""


@pytest.mark.slow  # the fast tests type each page in a clone of its own
def test_pages_follow_each_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clone = lay_out(tmp_path)
    prepare_embedded(clone, monkeypatch)
    readme = ROOT / "README.md"
    named = [ROOT / name for name in re.findall(r"\]\((docs/[\w/]+\.md)", readme.read_text(encoding="utf-8"))]
    for page in dict.fromkeys([readme, *named, *PAGES]):
        blocks = [block for block in blocks_of(page.read_text(encoding="utf-8")) if block.is_run]
        if blocks:
            OWN_DATA.get(page.name, _nothing)(clone)
            typed(blocks, clone)
            for name in test_bring_your_own.STAND_INS:
                (clone / name).unlink(missing_ok=True)  # no reader has them; ONNX Runtime would take one for PyTorch
