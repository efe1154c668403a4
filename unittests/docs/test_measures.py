"""docs/measures.md: its block prints what the page shows, and the sentences below quote that."""

from __future__ import annotations

from pathlib import Path

from unittests.docs.blocks import ROOT, page_blocks
from unittests.docs.clone import lay_out, typed

TEXT = (ROOT / "docs" / "measures.md").read_text(encoding="utf-8")
PAGE = page_blocks("docs/measures.md")


def test_the_example(tmp_path: Path) -> None:
    _, printed = typed([block for block in PAGE if block.is_run], lay_out(tmp_path))
    (shown,) = [block.text for block in PAGE if block.language == "text"]
    assert printed == shown
    lines = [line.rsplit(maxsplit=1) for line in printed.splitlines()]
    values = [(name, float(value)) for name, value in lines if name in ("Max/GeoMean", "Gini", "FDR")]
    geomeans, ginis = ([value for name, value in values if name == wanted] for wanted in ("Max/GeoMean", "Gini"))
    assert "Max/GeoMean is {:.1f} for FMR and {:.1f} for FNMR".format(*geomeans) in TEXT.replace("\n", " ")
    prose = " ".join(TEXT.split())
    assert f"The Gini of FMR ({ginis[0]:.2f})" in prose
    assert f"that of FNMR ({ginis[1]:.2f})" in prose
    assert f"FDR says {dict(values)['FDR']:.3f}" in prose
