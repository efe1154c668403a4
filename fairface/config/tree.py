"""Configurations as trees of plain keys and values: read from YAML, changed by overrides, laid over each other."""

from __future__ import annotations

import copy
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from easydict import EasyDict

from fairface.errors import ConfigError
from fairface.parsing import parse_yaml


def read_yaml(path: str | os.PathLike[str]) -> EasyDict:
    """The file's mapping; never runs code from it.

    Raises:
        ConfigError: missing, not readable, or not a mapping.
    """
    try:
        tree = parse_yaml(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(
            f"{path}: cannot be read ({error.strerror}); give the path of a configuration file"
        ) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: is not a YAML file ({' '.join(str(error).split())})") from error
    if tree is None:
        tree = {}
    if not isinstance(tree, dict):
        raise ConfigError(f"{path}: holds a {type(tree).__name__}, not keys and values")
    return EasyDict(tree)


def apply_override(tree: dict[str, Any], override: str) -> None:
    """Set one ``a.b=value`` in the tree. An item of a list is addressed by its ``name`` or its position from 0:
    ``sources.unlabeled.batch_size=64``, ``sources.0.batch_size=64``.

    Raises:
        ConfigError: not of that form, or a list has no such item.
    """
    key, equals, text = override.partition("=")
    parts = key.strip().split(".")
    if not equals or not all(parts):
        raise ConfigError(f"{override!r} is not an override; write key=value, for example optimizer.lr=0.05")
    try:
        value = parse_yaml(text) if text.strip() else ""
    except yaml.YAMLError as error:
        raise ConfigError(f"{override!r}: the value is not valid YAML ({' '.join(str(error).split())})") from error
    node: Any = tree
    for part in parts[:-1]:
        at = item_at(node, part, override) if isinstance(node, list) else part
        if isinstance(node, dict) and node.get(part) is None:
            node[part] = EasyDict()
        node = node[at]
        if not isinstance(node, (dict, list)):
            raise ConfigError(f"{override!r}: {part} is a value, not a group of keys")
    node[item_at(node, parts[-1], override) if isinstance(node, list) else parts[-1]] = value


def item_at(items: Sequence[Any], key: str, where: str) -> int:
    """The position of the item of this ``name``, else of this position in digits.

    Raises:
        ConfigError: there is none; the names are listed.
    """
    names = [item.get("name") if isinstance(item, Mapping) else None for item in items]
    if key in names:
        return names.index(key)
    if key.isdecimal() and int(key) < len(items):
        return int(key)
    known = ", ".join(str(number if name is None else name) for number, name in enumerate(names)) or "none"
    raise ConfigError(f"{where!r}: there is no key {key}; known keys: {known}")


def holds(tree: Any, path: Sequence[str]) -> bool:
    """Whether the tree says something itself at ``path``."""
    for key in path:
        if isinstance(tree, list):
            tree = {item.get("name"): item for item in tree if isinstance(item, Mapping)} | {
                str(number): item for number, item in enumerate(tree)
            }
        if not isinstance(tree, Mapping) or key not in tree:
            return False
        tree = tree[key]
    return True


def merged(shared: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """``shared`` with the keys of ``own`` put over it, group by group; neither is changed.

    A group over a list changes the items that it names (``sources: {unlabeled: {batch_size: 64}}``); a list over a list
    takes its place.

    Raises:
        ConfigError: a group names an item that the list does not have.
    """
    result = copy.deepcopy(dict(shared))
    for key, value in own.items():
        before = result.get(key)
        if isinstance(value, Mapping) and isinstance(before, Mapping):
            result[key] = merged(before, value)
        elif isinstance(value, Mapping) and isinstance(before, list):
            for name, change in value.items():
                at = item_at(before, str(name), f"{key}.{name}")
                before[at] = merged(before[at], change)
        else:
            result[key] = copy.deepcopy(value)
    return result
