"""Build the site of the documents: pages as they lie in the repository, the reference, the pictures; then mkdocs.

Example: make docs
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from docs_site.pictures import PICTURES, Picture
from docs_site.reference import PAGES, reference_page

from fairface.cli import parser, run, tell

ROOT = Path(__file__).resolve().parents[1]
PLACE = Path("build/docs")  # below the root; mkdocs.yml names it, too


def pages_of(root: Path) -> list[Path]:
    """The pages of the site that lie in the repository, relative to ``root``."""
    found = [*root.glob("*.md"), *(root / "docs").rglob("*.md"), *(root / "benchmarks").glob("*.md")]
    return sorted(path.relative_to(root) for path in found)


def lay_out(root: Path, place: Path, draw: bool = True) -> list[str]:
    """Write everything that mkdocs reads to ``place``; returns what a user should know."""
    shutil.rmtree(place, ignore_errors=True)
    for page in pages_of(root):
        target = place / page
        target.parent.mkdir(parents=True, exist_ok=True)
        # The word behind the language is for our tests, not for mkdocs.
        text = re.sub(r"^```(\w+) example$", r"```\1", (root / page).read_text(encoding="utf-8"), flags=re.MULTILINE)
        target.write_text(text, encoding="utf-8")
    for name in PAGES:
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(reference_page(name), encoding="utf-8")
    return [note for picture in PICTURES if draw for note in add_picture(root, place, picture)]


def add_picture(root: Path, place: Path, picture: Picture) -> list[str]:
    """Draw a picture and put it on its page; a note where it cannot be drawn here."""
    page = place / picture.page
    path = place / "pictures" / picture.name
    path.parent.mkdir(exist_ok=True)
    if not picture.draw(root, path):
        return [f"{picture.page}: without {picture.name}; ./train.sh prepares the embedded data set, then build again"]
    up = "../" * (len(Path(picture.page).parts) - 1)
    text = page.read_text(encoding="utf-8")
    page.write_text(with_picture(text, f"![{picture.caption}]({up}pictures/{picture.name})"), encoding="utf-8")
    return []


def with_picture(text: str, image: str) -> str:
    """``text`` with the image before its first heading of the second level."""
    before, heading, after = text.partition("\n## ")
    return f"{before}\n{image}\n{heading}{after}"


def main(argv: Sequence[str]) -> int:
    options = parser("Build the site of the documents into build/docs/site; a broken link is an error.")
    options.add_argument("--no-pictures", action="store_true", help="draw nothing; takes half the time")
    args = options.parse_args(argv)
    tell(lay_out(ROOT, ROOT / PLACE / "pages", not args.no_pictures))
    variables = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}  # advice on mkdocs 2, which this site does not use
    variables["PYTHONPATH"] = os.pathsep.join([str(ROOT / "scripts"), str(ROOT), os.environ.get("PYTHONPATH", "")])
    # Not --quiet, with which mkdocs counts no warning, and so finds nothing to be strict about.
    command = [sys.executable, "-m", "mkdocs", "build", "--strict"]
    done = subprocess.run(command, cwd=ROOT, env=variables, stderr=subprocess.PIPE, text=True, check=False)
    tell(line for line in done.stderr.splitlines() if line and not line.startswith("INFO"))
    if done.returncode == 0:
        print(ROOT / PLACE / "site" / "index.html")
    return 1 if done.returncode else 0


if __name__ == "__main__":
    run(main)
