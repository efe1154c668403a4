"""What the programs that train share: --resume, --overwrite, --dry-run with --json, and words in any order."""

from __future__ import annotations

import re
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path

SETTING = re.compile(r"[\w.]+=")


def add_run_options(options: ArgumentParser, shown: str) -> None:
    """Add the options; a dry run shows ``shown``."""
    options.add_argument("words", nargs="*", metavar="key=value", help="any key of the configuration")
    options.add_argument("--resume", action="store_true", help="continue from the last checkpoint; finished steps stay")
    options.add_argument("--overwrite", action="store_true", help="replace runs of the same names")
    options.add_argument("--dry-run", action="store_true", help=f"print {shown}; stop")
    options.add_argument("--json", action="store_true", help="with --dry-run: print one JSON object")


def add_worker_options(options: ArgumentParser) -> None:
    """Add the options of several processes (:mod:`fairface.workers`)."""
    group = options.add_argument_group("several processes (docs/workers.md)")
    group.add_argument("--workers", type=int, help="processes that train together, here or on the machines of --hosts")
    group.add_argument(
        "--hosts", type=Path, metavar="FILE",
        help="machines, one a line: NAME [slots=WORKERS]; this one first, the others are reached by ssh",
    )  # fmt: skip
    group.add_argument(
        "--restarts", type=int, default=0, help="with --workers: start again so often after a process was lost"
    )
    group.add_argument(
        "--peer-timeout", type=float, default=60.0, metavar="SECONDS",
        help="with --workers: a process that is silent for so long counts as dead",
    )  # fmt: skip
    group.add_argument("--port", type=int, default=0, help="with --workers: where processes meet; 0 = any that is free")


def parse_run(options: ArgumentParser, argv: Sequence[str], names: Sequence[str]) -> Namespace:
    """Parse ``argv``: options, settings (``key=value``, then in ``overrides``) and the words ``names`` stand anywhere.

    The first word that is no setting becomes the first of ``names``, and so on; those that are not given are ``None``.
    """
    args = options.parse_intermixed_args(argv)
    plain = [word for word in args.words if not SETTING.match(word)]
    args.overrides = [word for word in args.words if SETTING.match(word)]
    for position, name in enumerate(names):
        setattr(args, name, plain[position] if position < len(plain) else None)
    if len(plain) > len(names):
        options.error(f"{plain[len(names)]!r} is one word too many; settings are written key=value")
    if args.resume and args.overwrite:
        options.error("--resume continues a run and --overwrite replaces it: give one of the two")
    workers = getattr(args, "workers", None)
    too_few = (workers is not None and workers < 1) or getattr(args, "restarts", 0) < 0
    if too_few or not 0 < getattr(args, "peer_timeout", 1.0) < 1e6:
        options.error("--workers is 1 or more, --restarts 0 or more, --peer-timeout above 0")
    if not 0 <= getattr(args, "port", 0) < 65536:
        options.error("--port is 0 to 65535")
    if args.json and not args.dry_run:
        options.error("--json goes with --dry-run")
    return args
