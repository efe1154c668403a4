"""Make a masked verification set (.bin) of any pair list or .bin: masks on one side of each pair or on both.

Example: python data_process/mask_bin.py lfw.bin --output lfw_masked.bin --side b --seed 1
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path

from fairface.console import Console
from fairface.data.pairsets.bin_set import write_bin
from fairface.faces.landmarks import read_landmarks
from fairface.faces.masks.log import MASKED, REFUSED, write_log
from fairface.faces.masks.pairs import SIDES, PairMasks, mask_pairs
from fairface.faces.masks.points import PointSource
from fairface.files import refuse_inputs
from fairface.hardware import usable_cores
from fairface.programs.catalog import options_of
from fairface.programs.mask_options import add_mask_options, choice_of
from fairface.programs.replace import add_overwrite, check_new
from fairface.protocols.verification_set import open_verification_set
from fairface.quantity import quantity


def main(argv: Sequence[str], prog: str = "") -> None:
    options = options_of("mask-pairs", prog)
    options.add_argument("pairs", help="a .bin set, a pair list (docs/data.md has a table) or a labeled data set")
    options.add_argument("--root", help="folder of the images of a list; default: the list's own")
    options.add_argument("--output", required=True, help="the .bin file to write; a .masks.jsonl beside it is the log")
    options.add_argument("--side", choices=SIDES, default="b", help="of each pair, the side that wears a mask")
    add_mask_options(options)
    options.add_argument("--landmarks", help="CSV of landmarks of the images of a list; default: aligned crops")
    options.add_argument("--size", type=int, default=112, help="side of the images in pixels")
    options.add_argument("--resize", action="store_true", help="resize images of another size instead of stopping")
    options.add_argument("--workers", type=int, default=usable_cores(), help="threads")
    add_overwrite(options)
    args = options.parse_args(argv)
    console = Console.of(args)
    refuse_inputs([args.output], [args.pairs, args.landmarks or ""])
    check_new([Path(args.output)], args.overwrite)
    points = PointSource(read_landmarks(args.landmarks) if args.landmarks else None)
    how = PairMasks(args.side, choice_of(args), points, args.seed, args.size, args.resize)
    opened = open_verification_set(args.pairs, args.root)
    pairs = opened.comparisons
    names = pairs.names or tuple(opened.images.record_name(i) for i in range(len(opened.images)))
    watch = functools.partial(console.progress, total=2 * len(pairs), label="mask", unit="img")
    images, rows = mask_pairs(opened.images, names, pairs.a, pairs.b, how, args.workers, watch)
    write_bin(args.output, images, pairs.same)
    log = str(Path(args.output).with_suffix(".masks.jsonl"))
    write_log(log, rows, how.choice.textures)
    masked, refused = (sum(row.outcome == outcome for row in rows) for outcome in (MASKED, REFUSED))
    lines = [
        f"{args.output}: {quantity(len(pairs), 'pair')}, {quantity(masked, 'image')} with a mask, {refused} refused"
    ]
    told = [row for row in rows if row.outcome == REFUSED][:10]
    lines += [f"refused, kept without a mask: {row.image}: {row.message}" for row in told]
    counts = {"pairs": len(pairs), "masked": masked, "refused": refused}
    console.show({"output": args.output, **counts, "log": log}, "\n".join([*lines, f"log: {log}"]))
