"""What a program says while it works and when it is done, as ``--quiet`` and ``--json`` want it."""

from __future__ import annotations

import logging
from argparse import Namespace
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from fairface import cli
from fairface.printable import printable


@dataclass(frozen=True)
class Console:
    """Results go to standard output, all else to standard error.

    Attributes:
        quiet: no progress and no information; errors are still told, and the result is still printed.
        json: the result is one JSON object, and nothing else is on standard output.
    """

    quiet: bool = False
    json: bool = False

    @classmethod
    def of(cls, options: Namespace) -> Console:
        """As the options of :func:`fairface.cli.program_parser` say; the log's warnings are part of what is told."""
        logging.getLogger("fairface").setLevel(logging.ERROR if options.quiet else logging.NOTSET)
        return cls(options.quiet, getattr(options, "json", False))

    def tell(self, notes: Iterable[str]) -> None:
        """Remarks for the user, a line each."""
        cli.tell([] if self.quiet else notes)

    def progress(
        self, items: Iterable[cli.T] | None = None, *, total: int | None = None, label: str = "", unit: str = "it"
    ) -> Any:
        """:func:`fairface.cli.progress`, hidden when quiet."""
        return cli.progress(items, total=total, label=label, unit=unit, quiet=self.quiet)

    def show(self, result: Mapping[str, Any], text: str) -> None:
        """Print the result: ``result`` as JSON, or ``text`` for people."""
        if self.json:
            cli.print_json(dict(result))
        else:
            print(printable(text))
