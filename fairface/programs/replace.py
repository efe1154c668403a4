"""Programs that write data replace what is there only when told to."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterable
from pathlib import Path

from fairface.errors import DataError

RECORDS = ("train.rec", "train.idx")


def add_overwrite(options: ArgumentParser) -> None:
    """``--overwrite``."""
    options.add_argument("--overwrite", action="store_true", help="replace what is there already")


def check_new(paths: Iterable[Path], overwrite: bool) -> None:
    """Refuse to replace the first of ``paths`` that exists.

    Raises:
        DataError: there is one and ``overwrite`` is false.
    """
    there = next((path for path in paths if path.exists()), None)
    if there is not None and not overwrite:
        raise DataError(f"{there}: is there already; write to another place, or give --overwrite to replace it")


def records_in(folder: str) -> list[Path]:
    """The files of a set of records in ``folder``."""
    return [Path(folder, name) for name in RECORDS]
