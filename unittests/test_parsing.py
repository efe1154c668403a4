"""JSON and YAML that are small and mean too much: refused in one line, at once."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
import yaml

from fairface.checkpoints import read_manifest
from fairface.config.tree import read_yaml
from fairface.data.cards import load_card
from fairface.errors import CheckpointError, ConfigError, DataError
from fairface.parsing import parse_json, parse_yaml

DEEP = 100_000


def laughs(lists: int) -> str:
    """A list of lists, each of which holds the one before nine times: 9 ** lists values."""
    texts = ["&z0 [x,x,x,x,x,x,x,x,x]"]
    texts += [f"&z{i} [{','.join([f'*z{i - 1}'] * 9)}]" for i in range(1, lists)]
    return f"[{', '.join(texts)}]"


def expanded(value: object) -> int:
    """Values, counted one by one."""
    if isinstance(value, dict):
        return 1 + sum(expanded(key) + expanded(item) for key, item in value.items())
    return 1 + sum(map(expanded, value)) if isinstance(value, list) else 1


def test_json_that_is_nested_too_deeply() -> None:
    with pytest.raises(json.JSONDecodeError, match="nested too deeply"):
        parse_json("[" * DEEP + "]" * DEEP)
    assert parse_json('{"a": [1, "b"]}') == {"a": [1, "b"]}


def test_yaml_that_is_nested_too_deeply() -> None:
    with pytest.raises(yaml.YAMLError, match="nested too deeply"):
        parse_yaml("[" * DEEP + "]" * DEEP)


def test_aliases_that_make_a_billion_values() -> None:
    begun = time.monotonic()
    with pytest.raises(yaml.YAMLError, match="more than 1,000,000 values"):
        parse_yaml(f"a: {laughs(12)}")
    assert time.monotonic() - begun < 5


def test_the_limit_counts_what_is_repeated() -> None:
    assert 5e5 < expanded(parse_yaml(laughs(6))) < 1e6
    with pytest.raises(yaml.YAMLError, match="more than 1,000,000 values"):
        parse_yaml(laughs(7))


@pytest.mark.parametrize("text", ["&a [*a]", "a: &a {b: {c: *a}}"])
def test_a_value_that_holds_itself(text: str) -> None:
    with pytest.raises(yaml.YAMLError, match="holds itself"):
        parse_yaml(text)


@pytest.mark.parametrize(
    "text", ["", "null", "a: 1", "- 1\n- [x, {y: 2.5}]", "a: &a {b: 1}\nc: *a\nd: {<<: *a, e: 2}", "d: 2020-02-03"]
)
def test_other_documents_are_read_as_before(text: str) -> None:
    assert parse_yaml(text) == yaml.safe_load(text)


@pytest.mark.parametrize("text", ["a: [", "d: 2000-13-45", "a: !!python/object/apply:os.getcwd []", "a: 1\n---\nb: 2"])
def test_what_is_no_plain_document(text: str) -> None:
    with pytest.raises(yaml.YAMLError):
        parse_yaml(text)


def test_files_of_others_say_it_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text("[" * DEEP + "]" * DEEP)
    with pytest.raises(CheckpointError, match=r"manifest\.json: is damaged \(is nested too deeply"):
        read_manifest(tmp_path)
    (tmp_path / "c.yaml").write_text(f"method: {laughs(9)}")
    with pytest.raises(ConfigError, match=r"c\.yaml: is not a YAML file \(its aliases make more"):
        read_yaml(tmp_path / "c.yaml")
    with pytest.raises(DataError, match=r"c\.yaml: cannot be read as a card \(its aliases make more"):
        load_card(tmp_path / "c.yaml")
