"""Make an insightface verification set (.bin) from a list of pairs and the photographs that it names.

Example: python data_process/make_bin.py pairs.csv --root photos/ --output datasets/mine/mine.bin
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from fairface.console import Console
from fairface.data.packing.bin import pack_bin
from fairface.data.packing.recordio import PackOptions
from fairface.hardware import usable_cores
from fairface.programs.catalog import options_of
from fairface.programs.replace import add_overwrite, check_new
from fairface.protocols.image_files import find_images
from fairface.protocols.opening import images_folder, open_comparisons
from fairface.quantity import quantity


def main(argv: Sequence[str], prog: str = "") -> None:
    arguments = options_of("pack-pairs", prog)
    arguments.add_argument("pairs", help="pair list (docs/data.md has a table) or RFW's folder")
    arguments.add_argument("--root", help="folder of the photographs; default: the list's own")
    arguments.add_argument("--output", required=True, help="the .bin file to write")
    arguments.add_argument("--size", type=int, default=112, help="side of the images in pixels")
    arguments.add_argument("--quality", type=int, default=95, help="JPEG quality of images that are re-encoded")
    arguments.add_argument("--resize", action="store_true", help="resize images of another size instead of stopping")
    arguments.add_argument("--workers", type=int, default=usable_cores(), help="threads")
    add_overwrite(arguments)
    args = arguments.parse_args(argv)
    console = Console.of(args)
    check_new([Path(args.output)], args.overwrite)
    pairs = open_comparisons(args.pairs).comparisons
    root = args.root or images_folder(args.pairs)
    files = find_images(root, pairs.names)
    found = [name if file is None else file for name, file in zip(pairs.names, files, strict=True)]
    names = [found[i] for i in np.stack([pairs.a, pairs.b], axis=1).ravel()]
    options = PackOptions(args.size, args.quality, args.resize, args.workers)
    watch = functools.partial(console.progress, total=len(set(names)), label="packing", unit="photo")
    pack_bin(args.output, root, names, pairs.same, options, watch)
    console.show(
        {"output": args.output, "pairs": len(pairs), "genuine": pairs.genuine, "impostor": pairs.impostor},
        f"{args.output}: {quantity(len(pairs), 'pair')}, {pairs.genuine} of them of the same identity",
    )
