"""The reference of keys: what each may hold and means, read off the schema; its page; other tools' names for them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from fairface.config.keys import SYNONYMS, keys, nearest
from fairface.config.load import load_config
from fairface.config.reference import as_text, described
from fairface.errors import ConfigError

ROOT = Path(__file__).parents[2]


def test_every_key_has_a_meaning_and_allowed_values() -> None:
    found = {one.key.name: one for one in described()}
    assert list(found) == [name for name, _ in keys()]
    assert [name for name, one in found.items() if not one.meaning or not one.allowed] == []
    lr = found["optimizer.lr"]
    assert (lr.default, lr.allowed, lr.meaning) == ("0.1", "number, between 0 and 1000000", "highest learning rate")
    assert found["augment.jpeg_quality"].allowed == "2 of whole number, between 1 and 100"
    assert found["optimizer.milestones"].default == "[0.5, 0.75, 0.9]"
    assert found["lpd.nose_height"].allowed == "column | file_name | constant"
    assert found["lpd.nose_height"].meaning.endswith("the end of the file's name (0_0.5625.jpg), or the same for all")
    assert found["head.sample_rate"].allowed == "number, between 0 and 1, 0 excluded"
    assert found["backbone.output"].allowed == "(empty) | E | GDC | ECCV"
    assert found["data.resize"].default == "false"
    assert found["sources.<name>.data.path"].default == "as data.path"


def test_a_key_fits_a_terminal() -> None:
    for one in described():
        assert max(map(len, as_text(one).splitlines())) <= 80
    text = as_text(next(one for one in described() if one.key.name == "keep"))
    assert text == "keep = 3\n    whole number, 1 or more\n    checkpoints kept in addition to the best one"


def test_the_page_is_up_to_date(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "scripts/keys_page.py", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    text = (ROOT / "docs" / "keys.md").read_text(encoding="utf-8")
    assert "| `optimizer.lr` | 0.1 |" in text
    assert "| `adaface` | [m 0.4, h 0.333, t_alpha 0.01] |" in text  # two lines of the docstring
    assert "`lpd_mobilefacenet`" in text
    assert "`n95`" in text


def test_names_of_other_tools_are_understood() -> None:
    known = [name for name, _ in keys()]
    assert set(SYNONYMS.values()) <= set(known)
    assert not set(SYNONYMS) & set(known)
    assert nearest("learning_rate", known).startswith("did you mean optimizer.lr?")
    assert nearest("optimizer.learning-rate", known).startswith("did you mean optimizer.lr?")
    assert nearest("backbone.embedding_sizes", known).startswith("did you mean backbone.embedding?")


def test_an_error_says_when_the_command_line_is_to_blame(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text("data: {path: x}\n")
    with pytest.raises(
        ConfigError,
        match=r"unknown key learning_rate; did you mean optimizer\.lr\?.*"
        r"; learning_rate=1 was given on the command line$",
    ):
        load_config(path, ["learning_rate=1"])
    with pytest.raises(ConfigError, match=r"optimizer\.lr.*; optimizer\.lr=fast was given on the command line$"):
        load_config(path, ["keep=4", "optimizer.lr=fast"])
    path.write_text("data: {path: x}\nlearning_rate: 1\n")
    with pytest.raises(ConfigError, match=r"--keys lists all\)$"):
        load_config(path, ["keep=4"])
