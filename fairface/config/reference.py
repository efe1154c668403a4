"""What every key of a configuration means and may hold, read off the schema: its comments, types and limits."""

from __future__ import annotations

import inspect
import io
import textwrap
import tokenize
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from fairface.config.keys import Key, every_key
from fairface.config.limits import Choice, Range, noted_limit

_NO_END = 1 << 20  # an upper limit that only keeps numbers sane
_KINDS = {"str": "text", "int": "whole number", "float": "number", "bool": "true or false"}


@dataclass(frozen=True)
class Described:
    """A key with ``allowed`` values and ``meaning`` in words."""

    key: Key
    allowed: str
    meaning: str

    @property
    def default(self) -> str:
        """As it is written in YAML or on a command line."""
        value = self.key.default
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, tuple):
            return f"[{', '.join(map(str, value))}]"
        return str(value) if value not in ("", {}) else "(empty)"


def described() -> Iterator[Described]:
    """Every key in the order of the schema."""
    read: dict[str, dict[str, str]] = {}
    for key in every_key():
        if key.owner.__name__ not in read:
            read[key.owner.__name__] = meanings(key.owner)
        yield Described(key, _allowed(key), read[key.owner.__name__].get(key.field, ""))


def as_text(one: Described) -> str:
    """For a terminal of 80 columns: key and default, allowed values, meaning."""
    lines = [f"{one.key.name} = {one.default}", *textwrap.wrap(one.allowed, 76), *textwrap.wrap(one.meaning, 76)]
    return "\n    ".join(lines)


def _allowed(key: Key) -> str:
    limit = noted_limit(key.owner, key.field)
    kind = _kind(typing.get_type_hints(key.owner)[key.field])
    if isinstance(limit, Choice):
        return " | ".join(option or "(empty)" for option in limit.options)
    return f"{kind}, {_range(limit)}" if isinstance(limit, Range) else kind


def _range(limit: Range) -> str:
    if limit.high >= _NO_END and not limit.open_low:
        return f"{limit.low:g} or more"
    return str(limit).removeprefix("be ").removeprefix("lie ")


def _kind(hint: Any) -> str:
    if typing.get_origin(hint) is tuple:
        inner = typing.get_args(hint)
        many = "list of" if inner[-1] is Ellipsis else f"{len(inner)} of"
        return f"{many} {_kind(inner[0])}"
    return "table of numbers" if typing.get_origin(hint) is dict else _KINDS.get(getattr(hint, "__name__", ""), "text")


def meanings(owner: type[Any]) -> dict[str, str]:
    """By field of a dataclass of the schema, the comment beside it or in the lines above it."""
    found: dict[str, str] = {}
    waiting: list[str] = []
    field, beside = "", ""
    for token in tokenize.generate_tokens(io.StringIO(inspect.getsource(owner)).readline):
        if token.type == tokenize.COMMENT:
            text = token.string.lstrip("#").strip()
            if token.line.lstrip().startswith("#"):
                waiting.append(text)
            elif not text.startswith("fmt:"):
                beside = text
        elif token.type == tokenize.NAME and not field and token.line.startswith(f"    {token.string}:"):
            field = token.string
        elif token.type == tokenize.NEWLINE:
            if field:
                found[field] = " ".join([*waiting, beside]).strip()
                waiting = []
            field = beside = ""
    return found
