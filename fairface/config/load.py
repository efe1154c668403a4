"""A YAML file and ``key=value`` overrides to a :class:`~fairface.config.schema.TrainConfig`, checked on the way."""

from __future__ import annotations

import dataclasses
import difflib
import math
import os
import typing
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import yaml
from easydict import EasyDict

from fairface.config.check import check
from fairface.config.schema import TrainConfig
from fairface.errors import ConfigError

C = TypeVar("C")


def load_config(path: str | os.PathLike[str], overrides: Sequence[str] = ()) -> TrainConfig:
    """Read ``path`` and apply overrides such as ``optimizer.lr=0.05`` (values are YAML).

    Raises:
        ConfigError: the file is missing or no YAML mapping, a key is unknown (the nearest known one is named), a value
            has the wrong type or is out of range.
    """
    tree = read_yaml(path)
    for override in overrides:
        apply_override(tree, override)
    if isinstance(tree.get("steps"), list):
        raise ConfigError(f"{path}: describes several steps; run it with train/finetune.py, or ./fairface_finetune.sh")
    config = build(TrainConfig, tree, where=os.fspath(path))
    check(config)
    return config


def read_yaml(path: str | os.PathLike[str]) -> EasyDict:
    """The file's mapping; never runs code from it.

    Raises:
        ConfigError: missing, not readable, or not a mapping.
    """
    try:
        tree = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(
            f"{path}: cannot be read ({error.strerror}); give the path of a configuration file"
        ) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: is no YAML file ({' '.join(str(error).split())})") from error
    if tree is None:
        tree = {}
    if not isinstance(tree, dict):
        raise ConfigError(f"{path}: holds a {type(tree).__name__}, not keys and values")
    return EasyDict(tree)


def apply_override(tree: EasyDict, override: str) -> None:
    """Set one ``a.b=value`` in the tree.

    Raises:
        ConfigError: not of that form.
    """
    key, equals, text = override.partition("=")
    parts = key.strip().split(".")
    if not equals or not all(parts):
        raise ConfigError(f"{override!r} is no override; write key=value, for example optimizer.lr=0.05")
    try:
        value = yaml.safe_load(text) if text.strip() else ""
    except yaml.YAMLError as error:
        raise ConfigError(f"{override!r}: the value is no YAML ({' '.join(str(error).split())})") from error
    node = tree
    for part in parts[:-1]:
        child = node.get(part)
        if child is None:
            child = node[part] = EasyDict()
        if not isinstance(child, dict):
            raise ConfigError(f"{override!r}: {part} is a value, not a group of keys")
        node = child
    node[parts[-1]] = value


def build(kind: type[C], tree: Mapping[str, Any], where: str, prefix: str = "") -> C:
    """Make the dataclass ``kind`` from a mapping, converting and checking every value's type.

    Raises:
        ConfigError: an unknown key or a value of the wrong type.
    """
    if not isinstance(tree, Mapping):
        raise ConfigError(f"{where}: {prefix.rstrip('.')} must be a group of keys, not {tree!r}")
    hints = typing.get_type_hints(kind)
    values: dict[str, Any] = {}
    for key, value in tree.items():
        name = f"{prefix}{key}"
        if key not in hints:
            raise ConfigError(f"{where}: unknown key {name}; {_nearest(name)}")
        hint = hints[key]
        if dataclasses.is_dataclass(hint) and isinstance(hint, type):
            values[key] = build(hint, value if value is not None else {}, where, f"{name}.")
        else:
            values[key] = _convert(value, hint, f"{where}: {name}")
    return kind(**values)


def keys(kind: type[Any] = TrainConfig, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every key with its default, depth first."""
    hints = typing.get_type_hints(kind)
    for field in dataclasses.fields(kind):
        hint = hints[field.name]
        if dataclasses.is_dataclass(hint) and isinstance(hint, type):
            yield from keys(hint, f"{prefix}{field.name}.")
        else:
            factory = field.default_factory
            default = factory() if factory is not dataclasses.MISSING else field.default
            yield f"{prefix}{field.name}", default


def as_dict(config: Any) -> dict[str, Any]:
    """The configuration as plain lists and dictionaries, for YAML and JSON."""
    return {key: _plain(value) for key, value in dataclasses.asdict(config).items()}


def dump(config: Any) -> str:
    """The whole configuration as YAML, in the order of the schema."""
    return yaml.safe_dump(as_dict(config), sort_keys=False, default_flow_style=None, allow_unicode=True)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return list(value) if isinstance(value, (tuple, list)) else value


def _nearest(name: str) -> str:
    known = [key for key, _ in keys()]
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.4)
    if not close:
        last = name.rsplit(".", 1)[-1]
        close = [key for key in known if key.rsplit(".", 1)[-1] == last][:1]
    hint = f"did you mean {close[0]}?" if close else "it is none of the known ones"
    return f"{hint} (train/train.py --keys lists all)"


def _convert(value: Any, hint: Any, where: str) -> Any:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is tuple:
        items = _sequence(value)
        kinds = [arguments[0]] * len(items) if arguments[-1] is Ellipsis else list(arguments)
        if len(kinds) != len(items):
            raise ConfigError(f"{where} wants {len(kinds)} values, not {value!r}")
        return tuple(_convert(item, kind, where) for item, kind in zip(items, kinds, strict=True))
    if origin is dict:
        if not isinstance(value, Mapping):
            raise ConfigError(f"{where} wants keys and values, not {value!r}")
        return {str(key): _convert(item, arguments[1], where) for key, item in value.items()}
    return _scalar(value, hint, where)


def _sequence(value: Any) -> list[Any]:
    if value is None or value == "":
        return []
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _scalar(value: Any, hint: Any, where: str) -> Any:
    if hint is str and (value is None or (isinstance(value, (str, int, float)) and not isinstance(value, bool))):
        return "" if value is None else str(value)
    if hint is str and isinstance(value, (list, tuple)):
        return ",".join(str(item) for item in value)
    if hint is bool and isinstance(value, bool):
        return value
    if hint in (int, float) and not isinstance(value, bool):
        try:
            number = float(value)
        except (TypeError, ValueError):
            number = math.nan
        if hint is float and not math.isnan(number):
            return number
        if hint is int and number.is_integer():
            return int(number)
    names = {str: "text", bool: "true or false", int: "a whole number", float: "a number"}
    raise ConfigError(f"{where} wants {names.get(hint, hint)}, not {value!r}")
