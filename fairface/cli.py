"""What the programs share: one way to fail, one way to show progress, one way to print a result."""

from __future__ import annotations

import argparse
import errno
import io
import json
import math
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from types import MappingProxyType
from typing import Any, NoReturn, TypeVar

from fairface.errors import SETTINGS, FairfaceError
from fairface.extras import missing_package
from fairface.printable import printable
from fairface.tables import aligned, output_width

T = TypeVar("T")


class OneLineParser(argparse.ArgumentParser):
    """A parser that answers wrong words with one line and exit code 2, without its usage."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"error: {message}; {self.prog} --help lists the options\n")


def parser(description: str, **kwargs: Any) -> argparse.ArgumentParser:
    """An argument parser with the option that everything that is started has, ``--debug``."""
    result = OneLineParser(
        description=description,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
        allow_abbrev=False,  # "--overwrit" must not overwrite
        **kwargs,
    )
    result.add_argument("--debug", action="store_true", help="show the whole traceback of an error")
    return result


def program_parser(description: str, prog: str, gives_json: bool = True) -> argparse.ArgumentParser:
    """:func:`parser` with what every program of :mod:`fairface.programs` has: ``--quiet`` and, where it gives a result,
    ``--json`` (:class:`fairface.console.Console` keeps what they promise)."""
    result = parser(description, prog=prog)
    result.add_argument("--quiet", action="store_true", help="no progress and no notes on standard error")
    if gives_json:
        result.add_argument("--json", action="store_true", help="print one JSON object instead of text")
    return result


def add_groups(arguments: argparse.ArgumentParser, groups: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> None:
    """Add options from a table: title of a group to its flags, each with the settings of ``add_argument``."""
    for title, flags in groups.items():
        group = arguments.add_argument_group(title)
        for flag, settings in flags.items():
            group.add_argument(flag, **settings)


def run(
    main: Callable[[Sequence[str]], int | None], argv: Sequence[str] | None = None,
    options: Mapping[str, str] = MappingProxyType({}),
) -> None:  # fmt: skip
    """Call ``main(argv)`` and leave the process: 0 or its return value, 2 after an error, 130 after Ctrl-C.

    A :class:`FairfaceError`, an ``OSError`` or a package that is not installed is one line on standard error;
    ``--debug`` adds the traceback. Standard streams that are closed, broken or full change nothing but the exit code.
    ``options`` are the program's own names of the settings that an error may offer.
    """
    open_closed_streams()
    print_any_text()
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        code = main(arguments) or 0
    except BrokenPipeError:
        code = 128 + signal.SIGPIPE
    except (FairfaceError, OSError, ModuleNotFoundError) as error:
        if not isinstance(error, (FairfaceError, OSError)) and missing_package(error.name or "") is None:
            raise  # a fault of ours
        if "--debug" in arguments:
            _complain(traceback.format_exc().rstrip())
        _complain(f"error: {describe(error, options)}")
        code = 2
    except KeyboardInterrupt:
        _complain("stopped")
        code = 130
    sys.exit(_emptied(code))


def print_any_text() -> None:
    """Characters that the terminal's encoding lacks are printed as ``?``; JSON and files are not touched by it."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def open_closed_streams() -> None:
    """Lead standard streams that were closed (``>&-``) to nowhere.

    Else the next file that is opened takes their number, and what a library prints ends up in it.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free: this one
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115 - for the process's life


def _complain(text: str) -> None:
    with suppress(OSError):  # nobody reads it
        print(printable(text), file=sys.stderr)


def _emptied(code: int) -> int:
    """Write out what the standard streams still hold; the exit code, which tells where that failed."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError as error:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())  # Python tries once more when it ends
            if isinstance(error, BrokenPipeError):
                code = code or 128 + signal.SIGPIPE
            elif not code:
                _complain(f"error: {describe(error)}")
                code = 2
    return code


def describe(error: BaseException, options: Mapping[str, str] = MappingProxyType({})) -> str:
    """The error as one line: our own message with what this program's ``options`` could do about it, the operating
    system's with its file, a missing package's with the command that installs it."""
    if isinstance(error, ModuleNotFoundError) and (lacking := missing_package(error.name or "")):
        return lacking
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}; check that the path exists and may be used"
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EIO):
        return f"standard output or a file: cannot be written ({error.strerror}); free space, or write elsewhere"
    text = " ".join(str(error).split()) or type(error).__name__
    offered = error.settings if isinstance(error, FairfaceError) else ()
    return ", or ".join([text, *(f"{SETTINGS[name]} ({options[name]})" for name in offered if name in options)])


def tell(notes: Iterable[str]) -> None:
    """Print remarks for the user on standard error, a line each: standard output is for results."""
    for note in notes:
        print(printable(note), file=sys.stderr)


def progress(
    items: Iterable[T] | None = None, *, total: int | None = None, label: str = "", unit: str = "it",
    quiet: bool = False,
) -> Any:  # fmt: skip
    """A progress bar with rate and ETA on standard error (tqdm); none when ``quiet`` or where that is no terminal.

    Iterate over it when ``items`` is given, else call ``update(n)`` on it and use it as a context manager.
    """
    from tqdm import tqdm

    hidden = True if quiet else None  # None: tqdm looks whether standard error is a terminal
    return tqdm(items, total=total, desc=label, unit=unit, disable=hidden, dynamic_ncols=True, leave=False)


def table(rows: Sequence[Sequence[object]], header: Sequence[str]) -> str:
    """Rows as aligned plain text for people, in blocks where the terminal is narrower (:mod:`fairface.tables`)."""
    return aligned(rows, header, output_width())


def print_json(result: Any) -> None:
    """Print one JSON object; values that are not finite become null, since JSON knows no NaN."""
    print(json.dumps(finite(result), indent=2, sort_keys=False))


def finite(value: Any) -> Any:
    """The value with every NaN and infinity replaced by ``None`` and numpy scalars by Python's."""
    if isinstance(value, dict):
        return {str(key): finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(item) for item in value]
    if hasattr(value, "tolist"):
        return finite(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
