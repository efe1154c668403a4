"""Starting a program; with nothing but Python's own library, so that what is missing can be told."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence

from fairface.cli import run
from fairface.programs.catalog import find

OLDEST = (3, 10)


def start(module: str, prog: str = "", argv: Sequence[str] | None = None) -> None:
    """Run the program ``fairface.programs.<module>`` and leave the process; ``prog`` is what its usage calls it.

    A package that is not installed, numpy or MXNet, costs one line and exit code 2.
    """

    if sys.version_info < OLDEST:
        version = ".".join(map(str, sys.version_info[:2]))
        print(f"error: Python {version} is too old; use 3.10 to 3.12, or `make setup` for one", file=sys.stderr)
        sys.exit(2)

    def main(arguments: Sequence[str]) -> int | None:
        code: int | None = importlib.import_module(f"fairface.programs.{module}").main(arguments, prog)
        return code

    program = find(module)
    run(main, sys.argv[1:] if argv is None else argv, program.settings if program else {})
