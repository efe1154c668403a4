"""The one command: ``fairface COMMAND …``, or ``python -m fairface COMMAND …``."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Sequence

from fairface import __version__
from fairface.cli import print_any_text
from fairface.programs.catalog import GROUPS, PROGRAMS, find
from fairface.programs.start import start


def usage() -> str:
    """All commands by task, a line each."""
    width = max(len(program.command) for program in PROGRAMS)
    lines = ["usage: fairface COMMAND …", "", "Face recognition: training, scoring, fairness.", ""]
    for title, programs in GROUPS.items():
        lines += [f"{title}:", *(f"  {one.command:{width}}  {one.summary}" for one in programs), ""]
    return "\n".join([*lines, "`fairface COMMAND --help` lists the options of a command."])


def main(argv: Sequence[str] | None = None) -> int:
    """Start the program that the first word names; returns only when no program was started."""
    command, *words = list(sys.argv[1:] if argv is None else argv) or ["--help"]
    print_any_text()
    if command in ("-h", "--help", "help"):
        print(usage())
        return 0
    if command == "--version":
        print(f"fairface {__version__}")
        return 0
    program = find(command)
    if program is None:
        near = difflib.get_close_matches(command, [program.command for program in PROGRAMS], 1)
        guess = f"; did you mean {near[0]}?" if near else ""
        print(f"error: there is no command {command!r}{guess}; fairface --help lists them", file=sys.stderr)
        return 2
    start(program.module, f"fairface {program.command}", words)
    return 0


if __name__ == "__main__":
    sys.exit(main())
