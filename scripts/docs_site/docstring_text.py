"""Our docstrings as griffe's Google style understands them."""

from __future__ import annotations

import re

_ROLE = re.compile(r":(?:func|class|mod|data|meth|attr):`~?([\w.]+)`")
# Names that share a description, and the description with the lines on which it goes on.
_SEVERAL = re.compile(r"^ {4}(\w+(?:, \w+)+)(: .*(?:\n {5,}.*)*)", re.MULTILINE)
_EXAMPLE = ">>>"


def readable(text: str) -> str:
    """A docstring, cleaned of its indentation, for the site.

    Roles of Sphinx become code; names that share a description get it each; and examples, which stand at the end,
    become the section that they are.
    """
    text = _ROLE.sub(r"`\1`", text)
    text = _SEVERAL.sub(lambda of: "\n".join(f"    {name}{of[2]}" for name in of[1].split(", ")), text)
    lines = text.splitlines()
    first = next((number for number, line in enumerate(lines) if line.startswith(_EXAMPLE)), None)
    if first is None:
        return text
    return "\n".join([*lines[:first], "Examples:", *(f"    {line}" if line else "" for line in lines[first:])])
