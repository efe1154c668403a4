"""The options of the programs that draw masks."""

from __future__ import annotations

import argparse

from fairface.faces.masks.parameters import MaskChoice
from fairface.faces.masks.styles import STYLES
from fairface.faces.masks.textures import Textures, read_textures


def add_mask_options(options: argparse.ArgumentParser) -> None:
    """What is drawn: styles, textures, how masks are worn, the seed."""
    usual = MaskChoice()
    options.add_argument("--styles", default="", metavar="A,B", help=f"of {', '.join(STYLES)}; default: all")
    options.add_argument("--textures", default="", metavar="FOLDER", help="PNG files with transparency, drawn as masks")
    options.add_argument("--nose-out", type=float, default=usual.nose_out, help="share of masks worn below the nose")
    options.add_argument("--chin", type=float, default=usual.chin, help="share of masks worn below the mouth")
    options.add_argument("--seed", type=int, default=0, help="the same seed gives the same masks")


def choice_of(args: argparse.Namespace) -> MaskChoice:
    """What masks are drawn from.

    Raises:
        ConfigError: a style that does not exist, or shares that are none.
        DataError: textures that cannot be used.
    """
    styles = tuple(name.strip() for name in args.styles.split(",") if name.strip())
    textures = read_textures(args.textures) if args.textures else Textures()
    return MaskChoice(styles, args.nose_out, args.chin, textures)
