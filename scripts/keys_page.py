#!/usr/bin/env python
"""Write docs/keys.md: every key of a configuration, and every backbone, head, loss and method that a key can name.

python scripts/keys_page.py           write it
python scripts/keys_page.py --check   end with code 1 where it is not as it would be written
"""

from __future__ import annotations

import re
import sys
from itertools import groupby
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from fairface import heads  # noqa: E402
from fairface.backbones import BACKBONES  # noqa: E402
from fairface.config.keys import SameAs  # noqa: E402
from fairface.config.reference import Described, described  # noqa: E402
from fairface.faces.masks.styles import STYLES  # noqa: E402
from fairface.heads import triplets  # noqa: E402
from fairface.methods.build import METHODS  # noqa: E402

PAGE = ROOT / "docs" / "keys.md"
OF_RUN = "the run"
HEAD = """# Every key

`./train.sh CONFIG key=value …` and `train/train.py` take these keys, in a YAML file or behind it; values are YAML.
`python train/train.py --keys` prints this list. This page is written by `python scripts/keys_page.py`.
"""
OWN = """Your own network: `backbone.name=usr:package.module:factory`. The factory is called with `embedding` (D) and
`image_size` and gives a Gluon HybridBlock, not initialised, from `(B, 3, H, W)`, RGB 0 to 255, to `(B, D)`.
Training with a configuration runs what it names here: read somebody else's before you train with it.
"""


def page() -> str:
    """The whole page."""
    parts = [HEAD]
    own = [one for one in described() if not isinstance(one.key.default, SameAs)]  # a source's other keys are the run's
    groups = groupby(own, key=lambda one: one.key.name.rpartition(".")[0])
    for group, keys in groups:
        parts += [f"## {group or OF_RUN}\n", _table(list(keys))]
    parts += ["## method\n", _listed(METHODS), "## backbone.name\n", _listed(BACKBONES), OWN]
    parts += ["## head.name\n", _from_docstring(heads.__doc__ or "")]
    parts += ["## triplet.loss\n", _from_docstring(triplets.__doc__ or "")]
    parts += ["## augment.mask_styles\n", _listed(STYLES)]
    return "\n".join(parts)


def _table(keys: list[Described]) -> str:
    rows = ["| key | default | allowed | meaning |", "|---|---|---|---|"]
    for one in keys:
        name = one.key.name.replace("<name>", "NAME")
        cells = (f"`{name}`", one.default, one.allowed, one.meaning)
        rows.append(f"| {' | '.join(_escaped(cell) for cell in cells)} |")
    return "\n".join(rows) + "\n"


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace("``", "`")


def _listed(names: object) -> str:
    return ", ".join(f"`{name}`" for name in list(names)) + "\n"  # type: ignore[call-overload]


def _from_docstring(text: str) -> str:
    """The table of a docstring as Markdown; a line that begins with blanks goes on with the cells above it."""
    lines = text.splitlines()
    rules = [number for number, line in enumerate(lines) if re.fullmatch(r"=+( +=+)+", line.strip())]
    starts = [match.start() for match in re.finditer("=+", lines[rules[0]])]
    ends = [*starts[1:], None]

    def cells(line: str) -> list[str]:
        return [line[start:end].strip() for start, end in zip(starts, ends, strict=True)]

    rows: list[list[str]] = []
    for line in lines[rules[1] + 1 : rules[2]]:
        if line[:1].strip():
            rows.append(cells(line))
        else:
            rows[-1] = [" ".join(filter(None, pair)) for pair in zip(rows[-1], cells(line), strict=True)]
    header = cells(lines[rules[0] + 1])
    shown = [f"| {' | '.join(header)} |", "|---" * len(header) + "|"]
    shown += [f"| `{row[0]}` | {' | '.join(map(_escaped, row[1:]))} |" for row in rows]
    return "\n".join(shown) + "\n"


def main() -> int:
    """Write or check; returns the exit code."""
    text = page()
    if "--check" not in sys.argv[1:]:
        PAGE.write_text(text, encoding="utf-8")
        return 0
    if PAGE.is_file() and PAGE.read_text(encoding="utf-8") == text:
        return 0
    print(f"{PAGE.relative_to(ROOT)} is not up to date: python scripts/keys_page.py", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
