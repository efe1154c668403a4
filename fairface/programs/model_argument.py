"""The model of a program that works on one: as its first word, or after ``--model`` as the scorers take it."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from fairface.errors import ConfigError


def add_model(options: argparse.ArgumentParser, text: str) -> None:
    """Add both spellings; ``text`` says what a model may be."""
    options.add_argument("model", metavar="MODEL", nargs="?", default="", help=text)
    options.add_argument("--model", dest="named_model", default="", metavar="MODEL", help="the same, as in test/")


def parse(options: argparse.ArgumentParser, argv: Sequence[str]) -> argparse.Namespace:
    """The arguments, with ``model`` from whichever spelling was used.

    Raises:
        ConfigError: no model, or two.
    """
    args = options.parse_args(argv)
    given = [name for name in (args.model, args.named_model) if name]
    if len(given) != 1:
        raise ConfigError(f"{' and '.join(given) or 'no model'} given; give one, such as --model orl_demo")
    args.model = given[0]
    return args
