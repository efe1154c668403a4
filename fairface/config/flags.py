"""The flags of a published training program, each with the keys of ours that it sets.

A program such as ``train/adaface.py`` is a table of :class:`Flag` by name and the call that ``train/train.py`` makes.
"""

from __future__ import annotations

import re
from argparse import SUPPRESS, ArgumentParser, Namespace
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from fairface.errors import ConfigError, DataError

Flags = Mapping[str, "Flag"]
Keys = Mapping[str, Any]  # key (``optimizer.lr``) to value
SWITCH: Mapping[str, Any] = {"action": "store_true", "default": False}


@dataclass(frozen=True)
class Flag:
    """One flag.

    Attributes:
        help: what it means; the keys are added.
        keys: the keys that it may set; none where it only shapes what others set.
        settings: further arguments of ``add_argument``. Without a default the flag is unset unless it is given.
        of: from all flags to the keys that this one sets; without it the flag's value is that of its one key.
        ignored: why it does nothing; said when it is given.
        refused: why it cannot be honoured, and what to do instead; an error when it is given with another value than
            ``harmless``.
    """

    help: str
    keys: tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    of: Callable[[Namespace], Keys] | None = None
    ignored: str = ""
    refused: str = ""
    harmless: Any = None


def add_flags(options: ArgumentParser, flags: Flags) -> None:
    """Add every flag to the parser."""
    for name, flag in flags.items():
        sets = f" [{', '.join(flag.keys)}]" if flag.keys else ""
        options.add_argument(name, help=f"{flag.help}{sets}", **{"default": SUPPRESS, **flag.settings})


def given(args: Namespace, name: str) -> Any:
    """The value of the flag ``name``; None where it has no default and was not given."""
    return getattr(args, name.lstrip("-"), None)


def check_refused(flags: Flags, args: Namespace) -> None:
    """Raise :class:`ConfigError` for the first flag that was given and cannot be honoured."""
    for name, flag in flags.items():
        if flag.refused and given(args, name) not in (None, False, flag.harmless):
            raise ConfigError(f"{name}: {flag.refused}")


def ignored(flags: Flags, args: Namespace) -> list[str]:
    """A line for each flag that was given and does nothing."""
    return [f"{name}: {flag.ignored}" for name, flag in flags.items() if flag.ignored and given(args, name) is not None]


def tree_of(flags: Flags, args: Namespace) -> dict[str, Any]:
    """The tree of keys that the flags make.

    Raises:
        FairfaceError: whatever a flag's ``of`` refuses.
    """
    tree: dict[str, Any] = {}
    for name, flag in flags.items():
        value = given(args, name)
        keys = flag.of(args) if flag.of else {key: value for key in flag.keys if value is not None}
        for key, part in keys.items():
            *groups, last = key.split(".")
            node = tree
            for group in groups:
                node = node.setdefault(group, {})
            node[last] = part
    return tree


@contextmanager
def told_by_flags(flags: Flags) -> Iterator[None]:
    """Errors from within that speak of keys speak of the flags that set them."""
    try:
        yield
    except (ConfigError, DataError) as error:
        raise type(error)(in_flags(str(error), flags), settings=error.settings) from error


def in_flags(message: str, flags: Flags) -> str:
    """``message`` with each key replaced by its flag; a key of one word only where it begins the message, since it may
    be a plain word elsewhere."""
    for name, flag in flags.items():
        for key in flag.keys:
            where = r"(?<![\w.])" if "." in key else r"^"
            message = re.sub(rf"{where}{re.escape(key)}(?![\w.]*=|[\w]|\.\w)", name, message)
    return message
