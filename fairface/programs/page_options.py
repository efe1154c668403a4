"""What programs that score share to write a page: its options, what they rule out, and the files."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from fairface.errors import ConfigError
from fairface.evaluation.shown_faces import check_faces
from fairface.files import refuse_inputs
from fairface.report.page.card import Provenance
from fairface.report.page.document import write_page
from fairface.report.page.export import TABLES, write_figures, write_tables
from fairface.report.page.panel import Page
from fairface.report.page.svg import check_drawing

_SUFFIXES = (".html", ".htm")
PAGE: dict[str, dict[str, Any]] = {
    "--report": {"default": "", "metavar": "FILE.html", "help": "write all of it as one web page"},
    "--figures": {"default": "", "metavar": "FOLDER", "help": "write the figures of the page as PDF and PNG"},
    "--tables": {"default": "", "metavar": "FOLDER", "help": "write the tables of the page as CSV and LaTeX"},
}  # fmt: skip
FACES: dict[str, dict[str, Any]] = {
    "--report-faces": {"default": "", "metavar": "FOLDER", "help": "with --report: show the worst errors as faces, "
                       "from the images in this folder"},
}  # fmt: skip


def is_page(path: str) -> bool:
    """Whether a report of this name is a web page."""
    return Path(path).suffix.lower() in _SUFFIXES


def wants_page(args: Namespace) -> bool:
    """Whether anything is asked for that a page is made for."""
    return is_page(args.report or "") or bool(args.figures or args.tables)


def check_page(args: Namespace, inputs: Iterable[str], pages_only: bool = True) -> None:
    """Refuse, before anything is computed, what could not be written.

    Args:
        args: with the options of :data:`PAGE` and, where the program has faces to show, of :data:`FACES`.
        inputs: what is read; it is never overwritten.
        pages_only: whether a report of another kind is an error.

    Raises:
        ConfigError: another kind of report, faces without a page, or tables in a folder with an input of their kind.
        MissingPackageError: matplotlib is not installed.
        DataError: the report is one of the inputs, or the folder of faces is not there.
    """
    if pages_only and args.report and not is_page(args.report):
        raise ConfigError(f"--report {args.report}: the report is a web page; choose a name that ends with .html")
    faces = getattr(args, "report_faces", "")
    if faces:
        if not is_page(args.report or ""):
            raise ConfigError("--report-faces needs --report FILE.html, which shows them")
        check_faces(faces)
    read = [name for name in inputs if name]
    refuse_inputs([args.report or ""], read)
    tables = Path(args.tables).resolve() if args.tables else None
    replaced = [name for name in read if Path(name).suffix in TABLES and Path(name).resolve().parent == tables]
    if replaced:
        raise ConfigError(
            f"--tables {args.tables}: holds {replaced[0]}, which a table could replace; name another folder"
        )
    for name in (args.figures, args.tables):
        if name and Path(name).exists() and not Path(name).is_dir():
            raise ConfigError(f"{name}: is no folder; name one for the figures or tables")
    drawn = args.report if is_page(args.report or "") else args.figures
    if drawn:
        check_drawing(drawn)


def write_outputs(args: Namespace, page: Page) -> None:
    """The page, its figures and its tables, as far as they are asked for.

    Raises:
        DataError: a file cannot be written.
    """
    if args.figures:
        write_figures(args.figures, page)
    if args.tables:
        write_tables(args.tables, page)
    if is_page(args.report or ""):
        write_page(args.report, page)


def provenance(prog: str, script: str, argv: Iterable[str], sources: Mapping[str, Any]) -> Provenance:
    """The command as it can be typed again, and what it read.

    Args:
        prog: ``fairface NAME`` where the program was started so.
        script: the program's file in a clone.
        argv: its arguments.
        sources: what was read, by what it is; empty ones are left out.
    """
    told = {name: ", ".join(value) if isinstance(value, list) else str(value) for name, value in sources.items()}
    program = prog if " " in prog else f"python {script}"
    return Provenance.of(program, list(argv), {name: value for name, value in told.items() if value})
