"""A YAML file and ``key=value`` overrides to a :class:`~fairface.config.schema.TrainConfig`, checked on the way."""

from __future__ import annotations

import dataclasses
import os
import re
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from fairface.config.check import check
from fairface.config.keys import INHERITED
from fairface.config.schema import TrainConfig
from fairface.config.tree import apply_override, merged, read_yaml
from fairface.config.typed import build
from fairface.errors import ConfigError


def load_config(path: str | os.PathLike[str], overrides: Sequence[str] = ()) -> TrainConfig:
    """Read ``path`` and apply overrides such as ``optimizer.lr=0.05`` (values are YAML).

    Raises:
        ConfigError: the file is missing or no YAML mapping, a key is unknown (a near one is named), a value has the
            wrong type or is out of range.
    """
    tree = read_yaml(path)
    for override in overrides:
        apply_override(tree, override)
    if any(str(key).isupper() for key in tree):
        raise ConfigError(f"{path}: has UFace's upper-case keys; run it with train/uda.py")
    if isinstance(tree.get("steps"), list):
        raise ConfigError(f"{path}: describes several steps; run it with train/finetune.py, or ./fairface_finetune.sh")
    try:
        return from_tree(tree, os.fspath(path))
    except ConfigError as error:
        given = _given(str(error), overrides)
        raise ConfigError(f"{error}; {given} was given on the command line" if given else str(error)) from error


def _given(message: str, overrides: Sequence[str]) -> str:
    """The override that an error speaks of, so that nobody looks for it in the file; empty where it is none."""
    for override in overrides:
        key = override.partition("=")[0].strip()
        if re.search(rf"(?<![\w.]){re.escape(key)}(?![\w.])", message):
            return override
    return ""


def from_tree(tree: Mapping[str, Any], where: str) -> TrainConfig:
    """The checked configuration of a tree of keys. Sources take what they leave out from the run's groups, and a run
    with sources that has no ``batch_size`` takes their sum.

    Raises:
        ConfigError: an unknown key, a value of the wrong type or out of range; errors begin with ``where``.
    """
    config = build(TrainConfig, with_inherited(tree), where)
    if config.sources and tree.get("batch_size") is None:
        config = dataclasses.replace(config, batch_size=sum(source.batch_size for source in config.sources))
    check(config)
    return config


def as_dict(config: Any) -> dict[str, Any]:
    """The configuration as plain lists and dictionaries, for YAML and JSON."""
    return {key: _plain(value) for key, value in dataclasses.asdict(config).items()}


def dump(config: Any) -> str:
    """The whole configuration as YAML, in the order of the schema."""
    return yaml.safe_dump(as_dict(config), sort_keys=False, default_flow_style=None, allow_unicode=True)


def with_inherited(tree: Mapping[str, Any]) -> dict[str, Any]:
    """The tree, each of its sources with the run's keys under its own; what is no source stays, to be refused later."""
    result = dict(tree)
    sources = tree.get("sources")
    if isinstance(sources, (list, tuple)) and sources:
        if result.get("batch_size") is None:
            result.pop("batch_size", None)
        result["sources"] = [_inherit(tree, item) if isinstance(item, Mapping) else item for item in sources]
    return result


def _inherit(tree: Mapping[str, Any], source: Mapping[str, Any]) -> dict[str, Any]:
    groups = [group for group in INHERITED if group != "head" or source.get("head") is not None]
    shared = {group: tree[group] for group in groups if isinstance(tree.get(group), Mapping)}
    return merged(shared, {key: value for key, value in source.items() if value is not None})


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, (tuple, list)) else value
