"""What a configuration may set for a head: margins that it has, options in their range."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass

from fairface.config.limits import Range, check_value
from fairface.config.schema import HeadConfig
from fairface.errors import ConfigError

_NEUTRAL = {"m1": 1.0, "m2": 0.0, "m3": 0.0}


@dataclass(frozen=True)
class Option:
    """An entry of ``head.options``: its default, lowest and highest value (both allowed)."""

    default: float
    low: float
    high: float


def options_of(config: HeadConfig, known: Mapping[str, Option]) -> dict[str, float]:
    """Every option of ``known``, as configured or by default.

    Raises:
        ConfigError: an option that this head does not have, or a value out of range.
    """
    for name in config.options:
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {close[0]}?" if close else f"it has {', '.join(known) or 'none'}: leave it out"
            raise ConfigError(f"head.options: {config.name} has no option {name!r}; {hint}")
    values = {name: config.options.get(name, option.default) for name, option in known.items()}
    for name, option in known.items():
        check_value(values[name], Range(option.low, option.high), f"head.options.{name}")
    return values


def margins_of(config: HeadConfig, own: Mapping[str, float]) -> dict[str, float]:
    """m1, m2 and m3: the configured ones where the head has them (``own``: its defaults), else neutral.

    A margin left at its neutral value (1, 0, 0) is the head's own.

    Raises:
        ConfigError: a margin that this head does not have.
    """
    margins = {}
    for name, neutral in _NEUTRAL.items():
        given = getattr(config, name)
        if name not in own and given != neutral:
            has = " and ".join(own) or "no margins m1, m2, m3"
            raise ConfigError(f"head.{name} is {given:g}, but {config.name} has no {name} (it has {has}); leave it out")
        margins[name] = given if given != neutral else own.get(name, neutral)
    return margins
