"""Counts in sentences: "1 pair", "2 pairs"."""

from __future__ import annotations

_SIBILANTS = ("s", "x", "z", "ch", "sh")
_VOWELS = "aeiou"


def quantity(count: int, one: str, many: str | None = None, *, form: str = "") -> str:
    """``count`` and what is counted, in the singular only where ``count`` is 1: "1 pair", "2 pairs", "0 pairs".

    Args:
        one: the singular; of several words the last is inflected, "impostor comparison".
        many: the plural where it is not ``one`` with a regular ending, "people"; or where a verb follows and is
            inflected too, "file was left out" and "files were left out".
        form: how the number is written. Text has plain digits, 4500; a web page has thousands apart, ``","`` for 4,500.
    """
    return f"{count:{form}} {agree(count, one, _plural(one) if many is None else many)}"


def agree(count: float, one: str, many: str) -> str:
    """``one`` where ``count`` is 1, else ``many``: the verb of a sentence, "is" or "are"."""
    return one if count == 1 else many


def _plural(one: str) -> str:
    """The regular plural: "pairs", "identities", "classes"."""
    if one.endswith("y") and one[-2:-1] not in _VOWELS:
        return f"{one[:-1]}ies"
    return f"{one}es" if one.endswith(_SIBILANTS) else f"{one}s"
