"""Text of others on a terminal: names of files, people, groups and models are shown, and never obeyed.

A terminal takes control characters for orders: to clear the screen, to write over lines that it shows (a verdict), to
set its title, to send keys. Marks of the direction of writing show characters in another order than they have.
"""

from __future__ import annotations

import re

_CONTROL = "\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069"
_TEXT = re.compile(f"[{_CONTROL}]")
_LINE = re.compile(f"[{_CONTROL}\t\n]")


def printable(text: str) -> str:
    """``text`` with every control character but line breaks and tabs as Python writes it: ``\\x1b``, ``\\u202e``."""
    return _TEXT.sub(_escaped, text)


def printable_line(text: str) -> str:
    """The same for what must stay one line, and one cell of a table."""
    return _LINE.sub(_escaped, text)


def _escaped(match: re.Match[str]) -> str:
    return repr(match.group())[1:-1]
