"""The names of all keys: listed with their defaults, and found again when one is misspelt."""

from __future__ import annotations

import dataclasses
import difflib
import typing
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from fairface.config.schema import SourceConfig, TrainConfig

INHERITED = ("data", "sampler", "augment", "head")  # groups whose keys a source takes from the run's
_ALIKE = 0.75  # of 1: how alike two last parts must be for one to be offered in place of the other
_WHOLE_ALIKE = 0.85


@dataclass(frozen=True)
class SameAs:
    """The default of a key that takes over another key's value."""

    key: str

    def __repr__(self) -> str:
        return f"as {self.key}"


def group_of(hint: Any) -> type[Any] | None:
    """The dataclass that a field of this type holds (or may hold: ``Group | None``), else None."""
    if typing.get_origin(hint) is tuple:
        return None
    return next(filter(_is_group, (hint, *typing.get_args(hint))), None)


def item_of(hint: Any) -> type[Any] | None:
    """The dataclass of which a field of this type holds any number (``tuple[Group, ...]``), else None."""
    kind = typing.get_args(hint)[0] if typing.get_origin(hint) is tuple else None
    return kind if _is_group(kind) else None


def _is_group(hint: Any) -> bool:
    return isinstance(hint, type) and dataclasses.is_dataclass(hint)


def keys(kind: type[Any] = TrainConfig, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every key with its default, depth first; keys of a source are listed once, as ``sources.<name>.…``."""
    hints = typing.get_type_hints(kind)
    for field in dataclasses.fields(kind):
        name, group, item = f"{prefix}{field.name}", group_of(hints[field.name]), item_of(hints[field.name])
        if item is not None:
            yield from keys(item, f"{name}.<name>.")
        elif group is not None:
            inherited = kind is SourceConfig and field.name in INHERITED
            for key, default in keys(group, f"{name}."):
                yield key, SameAs(key.removeprefix(prefix)) if inherited else default
        else:
            factory = field.default_factory
            yield name, factory() if factory is not dataclasses.MISSING else field.default


def nearest(name: str, known: Sequence[str]) -> str:
    """A sentence about an unknown key: the known one that was probably meant, or nothing where none is near."""
    best = max(known, key=lambda key: _alike(name, key), default="")
    hint = f"did you mean {best}?" if best and _alike(name, best)[0] >= 1 else "no known key is similar"
    return f"{hint} (train/train.py --keys lists all)"


def _alike(name: str, key: str) -> tuple[float, float]:
    """How near two keys are, where 1 is near enough: their last parts, or all of them when their groups differ too;
    among equals the whole decides."""
    (group, _, last), (key_group, _, key_last) = name.rpartition("."), key.rpartition(".")
    whole = difflib.SequenceMatcher(None, name, key).ratio()
    found = difflib.SequenceMatcher(None, last, key_last).ratio() / _ALIKE
    return (found if group == key_group else max(found, whole / _WHOLE_ALIKE)), whole
