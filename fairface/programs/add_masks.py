"""Put masks on the faces of a folder, with a log from which the same masks can be made again; or draw a contact sheet.

Example: python data_process/add_masks.py aligned --output aligned_masked --styles surgical_blue,n95 --p 0.5
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from fairface.console import Console
from fairface.data.image_kinds import LeftOut
from fairface.data.images import encode_png
from fairface.errors import ConfigError, DataError
from fairface.faces.masks.folder import MaskReport, mask_folder, repeat_log
from fairface.faces.masks.log import MASKED, REFUSED, UNMASKED, UNREADABLE
from fairface.faces.masks.points import PointSource, point_source
from fairface.faces.masks.sheet import contact_sheet
from fairface.faces.photographs import list_photographs, read_photograph
from fairface.files import atomic_write
from fairface.hardware import usable_cores
from fairface.programs.catalog import options_of
from fairface.programs.mask_options import add_mask_options, choice_of
from fairface.quantity import quantity

_FIXED = ("--p", "--styles", "--nose-out", "--chin", "--seed", "--landmarks", "--sheet")


def _options(prog: str) -> argparse.ArgumentParser:
    options = options_of("mask", prog)
    options.add_argument("source", help="folder of images, any depth; without --landmarks aligned crops of any size")
    options.add_argument("--output", help="folder to write to; default: beside each image, as NAME_mask.png")
    options.add_argument("--p", type=float, default=1.0, help="probability that an image gets a mask")
    add_mask_options(options)
    options.add_argument("--landmarks", help="CSV of landmarks of these images, as align.py writes it")
    options.add_argument("--log", help="make the masks of this log again, byte for byte, and none else")
    options.add_argument("--sheet", help="only write this PNG: some of the faces with each style, to judge them by eye")
    options.add_argument("--faces", type=int, default=6, help="faces on the sheet")
    options.add_argument("--jobs", type=int, default=usable_cores(), help="processes")
    options.add_argument("--skip-bad", action="store_true", help="skip unreadable images")
    return options


def main(argv: Sequence[str], prog: str = "") -> None:
    parser = _options(prog)
    args = parser.parse_args(argv)
    console = Console.of(args)
    if args.log:
        _refuse_with_log(parser, args)
    choice, target = choice_of(args), args.output or None
    points = point_source(Path(args.source), Path(args.landmarks) if args.landmarks else None)
    if args.sheet:
        _draw_sheet(args, points, console)
        return
    with console.progress(label="mask", unit="img") as bar:
        if args.log:
            report = repeat_log(args.source, target, args.log, choice.textures, jobs=args.jobs, on_done=bar.update)
        else:
            report = mask_folder(args.source, target, choice, points, p=args.p, seed=args.seed, jobs=args.jobs,
                                 on_done=bar.update)  # fmt: skip
    _tell(report, args, console)


def _refuse_with_log(parser: argparse.ArgumentParser, args: argparse.Namespace) -> None:
    for flag in _FIXED:
        name = flag.removeprefix("--").replace("-", "_")
        if getattr(args, name) != parser.get_default(name):
            raise ConfigError(f"--log says which masks are drawn, so {flag} cannot be given; leave one of them out")


def _draw_sheet(args: argparse.Namespace, points: PointSource, console: Console) -> None:
    names = list_photographs(args.source)[0]
    if args.faces < 1:
        raise ConfigError(f"--faces is {args.faces}; give 1 or more")
    faces = []
    for place in np.unique(np.linspace(0, len(names) - 1, args.faces).astype(int)):
        image = read_photograph(Path(args.source, names[place]), names[place])
        found = points.of(names[place], image.shape)
        if found is None:
            console.tell([f"{names[place]}: no landmarks are known; not on the sheet"])
        else:
            faces.append((image, found))
    sheet = contact_sheet(faces, choice_of(args), args.seed)
    with atomic_write(args.sheet) as file:
        file.write(encode_png(sheet))
    console.show({"sheet": args.sheet, "faces": len(faces)}, f"{args.sheet}: {quantity(len(faces), 'face')}")


def _tell(report: MaskReport, args: argparse.Namespace, console: Console) -> None:
    counts = {name: len(report.of(name)) for name in (MASKED, UNMASKED, REFUSED, UNREADABLE)}
    lines = [
        f"{quantity(len(report.rows), 'image')}: " + ", ".join(f"{count} {name}" for name, count in counts.items())
    ]
    lines += [f"refused: {row.image}: {row.message}" for row in report.of(REFUSED)[:10]]
    lines += [f"unreadable: {row.image}: {row.message}" for row in report.of(UNREADABLE)[:10]]
    lines += LeftOut.of(report.ignored).notes(args.source)
    lines.append(f"log: {report.log}")
    refused = {row.image: row.reason for row in report.of(REFUSED)}
    console.show({**counts, "refused_images": refused, "log": report.log}, "\n".join(lines))
    if report.of(UNREADABLE) and not args.skip_bad:
        first = report.of(UNREADABLE)[0]
        raise DataError(
            f"{os.path.join(args.source, first.image)}: {first.message}; {counts[UNREADABLE]} cannot be read, see "
            f"{report.log}; fix or remove them, or use --skip-bad"
        )
