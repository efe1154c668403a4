"""Identities by name: which number each gets."""

from __future__ import annotations

from collections.abc import Iterable


def order_names(names: Iterable[str]) -> list[str]:
    """The distinct names in the order of their labels 0..N-1: by number where all are whole numbers, else as text."""
    distinct = set(names)
    if all(name.isascii() and name.isdigit() for name in distinct):
        return sorted(distinct, key=lambda name: (int(name), name))
    return sorted(distinct)
