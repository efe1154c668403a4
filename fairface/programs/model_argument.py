"""The model of a program that works on one: as its first word, or after ``--model`` as the scorers take it."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from fairface.errors import ConfigError


def add_model(options: argparse.ArgumentParser, text: str) -> None:
    """Add both spellings, before any other word of the program; ``text`` says what a model may be."""
    options.add_argument("model", metavar="MODEL", nargs="?", default="", help=text)
    options.add_argument("--model", dest="named_model", default="", metavar="MODEL", help="the same, as in test/")


def parse(
    options: argparse.ArgumentParser, argv: Sequence[str], then: str = "", required: bool = True
) -> argparse.Namespace:
    """The arguments, with ``model`` from whichever spelling was used.

    Args:
        options: a parser that :func:`add_model` was called on.
        argv: the words.
        then: what the program takes after the model, if anything, as its help spells it.
        required: whether there must be a model; without one ``model`` is empty.

    Raises:
        ConfigError: no model, or two.
    """
    # Words are dealt out only when all options are known: argparse alone would take MODEL for what comes after it.
    args = options.parse_intermixed_args(argv)
    given = [name for name in (args.model, args.named_model) if name]
    if len(given) > 1:
        raise ConfigError(f"{' and '.join(given)} given; give one, such as --model orl_demo")
    if required and not given:
        raise ConfigError(f"no model given; give one, such as --model orl_demo{then and f', and {then}'}")
    args.model = given[0] if given else ""
    return args
