"""JSON and YAML from files that anybody may have written.

Python's parser of JSON and PyYAML's fail with an error of their own where a text is nested too deeply. YAML lets a text
stand for itself many times over (anchors and aliases): ten lines can make a billion values, which nothing here needs.
"""

from __future__ import annotations

import json
from typing import Any

import yaml

_MOST_VALUES = 1_000_000  # of a YAML document, those counted that an alias repeats
_TOO_DEEP = "is nested too deeply"


def parse_json(text: str | bytes) -> Any:
    """The JSON in ``text``.

    Raises:
        json.JSONDecodeError: it is none, or is nested too deeply.
        UnicodeDecodeError: bytes that are no text.
    """
    try:
        return json.loads(text)
    except RecursionError as error:
        raise json.JSONDecodeError(_TOO_DEEP, "", 0) from error


def parse_yaml(text: str) -> Any:
    """The plain values of one YAML document in ``text``; nothing in it is run.

    Raises:
        yaml.YAMLError: it is none, is nested too deeply, holds itself, or grows to more than a million values.
    """
    loader = yaml.SafeLoader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return None
        _count(node, {})
        return loader.construct_document(node)  # type: ignore[no-untyped-call]
    except RecursionError as error:
        raise yaml.YAMLError(_TOO_DEEP) from error
    except ValueError as error:  # such as the date 2000-13-45
        raise yaml.YAMLError(str(error)) from error
    finally:
        loader.dispose()  # type: ignore[no-untyped-call]


def _count(node: yaml.Node, known: dict[int, int]) -> int:
    """Values below ``node`` when every alias is written out; ``known``: those of nodes that were met, by identity."""
    if id(node) in known:
        if not known[id(node)]:
            raise yaml.YAMLError("a value holds itself")
        return known[id(node)]
    known[id(node)] = 0  # not known yet: it is being counted
    count = 1
    for child in node.value if isinstance(node, yaml.CollectionNode) else ():
        for value in child if isinstance(child, tuple) else (child,):
            count += _count(value, known)
    if count > _MOST_VALUES:
        raise yaml.YAMLError(f"its aliases make more than {_MOST_VALUES:,} values of it")
    known[id(node)] = count
    return count
