"""Which values a field of a configuration may hold: told once, beside the field, and checked here.

``within`` and ``choice`` take the place of :func:`dataclasses.field`; :func:`check_fields` reads what they noted.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from fairface.errors import ConfigError

_LIMIT = "limit"
UNBOUNDED = math.inf


@dataclass(frozen=True)
class Range:
    """From ``low`` to ``high``, both included unless ``open_low`` or ``open_high`` says otherwise."""

    low: float
    high: float = UNBOUNDED
    open_low: bool = False
    open_high: bool = False

    def admits(self, value: Any) -> bool:
        """Whether the number lies in the range; NaN never does."""
        above = self.low < value if self.open_low else self.low <= value
        return bool(above and (value < self.high if self.open_high else value <= self.high))

    def __str__(self) -> str:
        if self.high == UNBOUNDED:
            return f"be above {self.low:g}" if self.open_low else f"be {self.low:g} or more"
        ends = {(True, True): ", both excluded", (True, False): f", {self.low:g} excluded",
                (False, True): f", {self.high:g} excluded"}  # fmt: skip
        return f"lie between {self.low:.10g} and {self.high:.10g}{ends.get((self.open_low, self.open_high), '')}"


@dataclass(frozen=True)
class Choice:
    """One of ``options``."""

    options: tuple[str, ...]

    def admits(self, value: Any) -> bool:
        """Whether the value is one of the options."""
        return value in self.options

    def __str__(self) -> str:
        return f"be one of: {', '.join(option or '(empty)' for option in self.options)}"


def within(default: Any, low: float, high: float = UNBOUNDED, open_low: bool = False, open_high: bool = False) -> Any:
    """A field whose value, or each of whose values, lies between ``low`` and ``high``."""
    return field(default=default, metadata={_LIMIT: Range(low, high, open_low, open_high)})


def choice(default: str, *others: str) -> Any:
    """A field that holds ``default`` or one of ``others``."""
    return field(default=default, metadata={_LIMIT: Choice((default, *others))})


def limit_of(kind: type[Any], name: str) -> Range | Choice:
    """What the field ``name`` of a dataclass, made by :func:`within` or :func:`choice`, may hold."""
    found: Range | Choice = next(item.metadata[_LIMIT] for item in dataclasses.fields(kind) if item.name == name)
    return found


def noted_limit(kind: type[Any], name: str) -> Range | Choice | None:
    """As :func:`limit_of`; None for a field without a limit."""
    return next((item.metadata.get(_LIMIT) for item in dataclasses.fields(kind) if item.name == name), None)


def options_of(kind: type[Any], name: str) -> tuple[str, ...]:
    """The values that a field made by :func:`choice` may hold."""
    limit = limit_of(kind, name)
    assert isinstance(limit, Choice)
    return limit.options


def check_fields(config: Any, prefix: str = "") -> None:
    """Check every field of a dataclass and of the dataclasses in it.

    Raises:
        ConfigError: the first value that is not allowed: its key (after ``prefix``), and what is allowed.
    """
    for item in dataclasses.fields(config):
        value, key = getattr(config, item.name), f"{prefix}{item.name}"
        if dataclasses.is_dataclass(value):
            check_fields(value, f"{key}.")
            continue
        limit = item.metadata.get(_LIMIT)
        if limit is not None:
            check_value(value, limit, key)


def check_value(value: Any, limit: Range | Choice, key: str) -> None:
    """Check one value, or each of a tuple.

    Raises:
        ConfigError: it is not allowed.
    """
    values: Sequence[Any] = value if isinstance(value, tuple) else (value,)
    if not all(map(limit.admits, values)):
        shown = list(value) if isinstance(value, tuple) else value
        raise ConfigError(f"{key} is {shown!r}; {'each' if isinstance(value, tuple) else 'it'} must {limit}")
