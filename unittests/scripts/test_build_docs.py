"""The site of the documents: its navigation, its links, its reference and its pictures; the slow test builds it."""

from __future__ import annotations

import importlib
import os
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
import yaml

from unittests.test_docs import ROOT, anchors

LINK = re.compile(r"\]\(([^)\s]+)\)")


@pytest.fixture
def site(monkeypatch):
    """The modules of the build, by name, imported as scripts/build_docs.py imports them."""
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    parts = ("docstring_text", "headings", "pictures", "reference")
    names = ("build_docs", *(f"docs_site.{part}" for part in parts))
    yield {name.rpartition(".")[2]: importlib.import_module(name) for name in names}
    for name in (*names, "docs_site"):
        sys.modules.pop(name, None)


def pages_in(navigation):
    """All files that a navigation of mkdocs names."""
    if isinstance(navigation, str):
        return [navigation]
    parts = navigation.values() if isinstance(navigation, dict) else navigation
    return [page for part in parts for page in pages_in(part)]


def test_the_navigation_names_every_page_once(site):
    named = pages_in(yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))["nav"])
    there = [page.as_posix() for page in site["build_docs"].pages_of(ROOT)]
    assert sorted(named) == sorted([*there, *site["reference"].PAGES])


def test_every_link_resolves_where_the_site_is_laid_out(site, tmp_path):
    assert site["build_docs"].lay_out(ROOT, tmp_path, draw=False) == []
    count = 0
    for page in tmp_path.rglob("*.md"):
        text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
        for target in LINK.findall(text):
            if re.match(r"[a-z]+:", target):
                continue
            name, _, anchor = target.partition("#")
            path = (page.parent / name).resolve() if name else page
            assert tmp_path in path.parents, f"{page}: {target}"
            assert path.is_file(), f"{page}: {target}"
            assert not anchor or anchor in anchors(path), f"{page}: {target}"
            count += 1
    assert count > 60
    for page in tmp_path.rglob("*.md"):  # with a word behind the language mkdocs takes no fence, and loses headings
        assert not re.search(r"^```\w+ example$", page.read_text(encoding="utf-8"), re.MULTILINE), page


def test_headings_have_the_anchors_of_our_links(site):
    for page in site["build_docs"].pages_of(ROOT):
        headings = re.findall(r"^#+ +(.+?)\s*$", (ROOT / page).read_text(encoding="utf-8"), re.MULTILINE)
        plain = [re.sub(r"[`*]|\]\([^)]*\)|\[", "", heading) for heading in headings]  # what mkdocs sees
        assert {site["headings"].slug(heading) for heading in plain} == anchors(ROOT / page)


def test_the_reference_names_what_is_public(site):
    from fairface.data import types
    from fairface.scoring import identification, verification

    text = site["reference"].reference_page("reference/scoring.md")
    for module in (verification, identification):
        for name in module.__all__:
            public = f"{module.__name__}.{name}"
            assert (f"heading: {public}\n" in text) == callable(getattr(module, name)), public
    for path in re.findall(r"^::: (\S+)$", text, re.MULTILINE):
        home, _, name = path.rpartition(".")
        assert getattr(importlib.import_module(home), name).__doc__
    found = site["reference"].public_paths(types)
    assert found["fairface.data.types.Sample"] == "fairface.data.types.Sample"
    assert all(path.startswith("fairface.data.types.") for path in found.values())  # nothing that it imports


ARGUMENTS = """Adds, as :func:`sum` does.

Args:
    a, b: whole :mod:`numbers`, any: two,
        or three.
    c: x.

>>> add(1, 2)
3

>>> 0
0
"""
IN_GOOGLES_FORM = """Adds, as `sum` does.

Args:
    a: whole `numbers`, any: two,
        or three.
    b: whole `numbers`, any: two,
        or three.
    c: x.

Examples:
    >>> add(1, 2)
    3

    >>> 0
    0"""


def test_docstrings_are_put_into_googles_form(site):
    assert site["docstring_text"].readable(ARGUMENTS) == IN_GOOGLES_FORM
    assert site["docstring_text"].readable("One line.") == "One line."


def test_the_picture_of_the_classifier_is_that_of_the_page(site, tmp_path):
    pytest.importorskip("matplotlib")
    pictures = site["pictures"]
    table = (ROOT / "docs" / "classifier.md").read_text(encoding="utf-8").split("## Memory")[1].split("\n\n")[2]
    rows = re.findall(r"^\|[^|]+\|[^|]+\| ([\d.]+) GB \| ([\d.]+) GB \|$", table, re.MULTILINE)
    for name, row in zip(pictures.SHARES, rows[:4], strict=True):
        for devices, told in zip((1, 4), row, strict=True):
            assert f"{pictures.gigabytes(name, np.array(1e6), devices):.2f}" == told, name
    assert pictures.classifier(ROOT, tmp_path / "a.svg")
    assert b"<svg" in (tmp_path / "a.svg").read_bytes()


def test_pictures_stand_on_their_pages_or_are_told(site, tmp_path):
    build, pictures = site["build_docs"], site["pictures"]
    page = tmp_path / "docs" / "masks.md"
    page.parent.mkdir()
    page.write_text("# Masks\n\nText.\n\n## One\n\n## Two\n")
    drawn = pictures.Picture("docs/masks.md", "a.png", "Faces", lambda root, path: path.write_bytes(b"x") > 0)
    assert build.add_picture(ROOT, tmp_path, drawn) == []
    assert page.read_text() == "# Masks\n\nText.\n\n![Faces](../pictures/a.png)\n\n## One\n\n## Two\n"
    assert (tmp_path / "pictures" / "a.png").is_file()
    (note,) = build.add_picture(tmp_path, tmp_path, pictures.PICTURES[0])  # no embedded data set there
    assert "docs/masks.md: without masks.png" in note
    assert {picture.page for picture in pictures.PICTURES} <= {of.as_posix() for of in build.pages_of(ROOT)}


@pytest.mark.slow
def test_the_site_is_built_and_a_broken_link_is_an_error(tmp_path):
    pytest.importorskip("mkdocs")
    pytest.importorskip("mkdocstrings")
    for folder in ("docs", "scripts", "test", "benchmarks"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("*cache*", "*.json"))
    for path in (*ROOT.glob("*.md"), ROOT / "mkdocs.yml", ROOT / "pyproject.toml"):
        shutil.copy(path, tmp_path)
    (tmp_path / "fairface").symlink_to(ROOT / "fairface")

    def build(*words):
        command = [sys.executable, "scripts/build_docs.py", *words]
        variables = {**os.environ, "PYTHONPATH": str(tmp_path)}
        return subprocess.run(command, cwd=tmp_path, env=variables, capture_output=True, text=True, check=False)

    done = build()
    assert done.returncode == 0, done.stderr
    place = tmp_path / "build" / "docs" / "site"
    assert done.stdout.strip() == str(place / "index.html")
    assert "fairface.scoring.verification.evaluate" in (place / "reference" / "scoring.html").read_text()
    assert "pictures/groups.svg" in (place / "docs" / "fairness.html").read_text()
    assert not re.search(r'(?:src|href)="https?://[^"]*\.(?:js|css|woff2?)', (place / "index.html").read_text())
    with (tmp_path / "docs" / "uda.md").open("a") as file:
        file.write("\n[nowhere](nowhere.md)\n")
    done = build("--no-pictures")
    assert done.returncode == 1
    assert "nowhere.md" in done.stderr
