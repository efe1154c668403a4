"""From a tree of plain values to frozen dataclasses, every value converted to its field's type or refused."""

from __future__ import annotations

import math
import typing
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from fairface.config.keys import group_of, item_of, keys, nearest
from fairface.errors import ConfigError
from fairface.quantity import quantity

C = TypeVar("C")


def build(
    kind: type[C], tree: Mapping[str, Any], where: str, prefix: str = "", known: Sequence[str] | None = None
) -> C:
    """Make the dataclass ``kind`` from a mapping, converting and checking every value's type.

    Args:
        kind: the dataclass.
        tree: field name to value; groups are mappings.
        where: what errors begin with, such as the file's path.
        prefix: what the keys begin with, such as ``fairness.``.
        known: the keys that are offered in place of an unknown one; default: those of ``kind``.

    Raises:
        ConfigError: an unknown key or a value of the wrong type.
    """
    if not isinstance(tree, Mapping):
        raise ConfigError(f"{where}: {prefix.rstrip('.')} must be a group of keys, not {tree!r}")
    known = [key for key, _ in keys(kind, prefix)] if known is None else known
    hints = typing.get_type_hints(kind)
    values: dict[str, Any] = {}
    for key, value in tree.items():
        name = f"{prefix}{key}"
        if key not in hints:
            name = _whole_name(name, value)
            raise ConfigError(f"{where}: unknown key {name}; {nearest(name, known)}")
        group, item = group_of(hints[key]), item_of(hints[key])
        if item is not None:
            values[key] = _items(item, value, where, name)
        elif group is None:
            values[key] = _convert(value, hints[key], f"{where}: {name}")
        elif value is not None or hints[key] is group:  # else it is a group that may be left out, and is
            values[key] = build(group, value if value is not None else {}, where, f"{name}.", known)
    return kind(**values)


def _whole_name(name: str, value: Any) -> str:
    """With the first key below it, where an unknown key is a group: ``optim`` of ``optim: {lr: 1}`` is ``optim.lr``."""
    while isinstance(value, Mapping) and value:
        key, value = next(iter(value.items()))
        name = f"{name}.{key}"
    return name


def _items(kind: type[C], value: Any, where: str, name: str) -> tuple[C, ...]:
    if value in (None, ""):
        return ()
    if not isinstance(value, (list, tuple)) or not all(isinstance(item, Mapping) for item in value):
        raise ConfigError(f"{where}: {name} must be a list of groups of keys, not {value!r}")
    titles = [item.get("name") or number for number, item in enumerate(value)]
    return tuple(build(kind, item, where, f"{name}.{title}.") for title, item in zip(titles, value, strict=True))


def _convert(value: Any, hint: Any, where: str) -> Any:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is tuple:
        items = _sequence(value)
        kinds = [arguments[0]] * len(items) if arguments[-1] is Ellipsis else list(arguments)
        if len(kinds) != len(items):
            raise ConfigError(f"{where} must be {quantity(len(kinds), 'value')}, not {value!r}")
        return tuple(_convert(item, kind, where) for item, kind in zip(items, kinds, strict=True))
    if origin is dict:
        if not isinstance(value, Mapping):
            raise ConfigError(f"{where} must be keys and values, not {value!r}")
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
    raise ConfigError(f"{where} must be {names.get(hint, hint)}, not {value!r}")
