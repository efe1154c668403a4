"""Merge data sets of any formats (.rec, TFRecords, folders, lists) to one train.rec.

Example: python data_process/merge_sets.py faces_a/ faces_b/ --output datasets/both
Identities of two sets are different unless --join names or a --map joins them.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

from fairface.console import Console
from fairface.data.formats import OpenOptions
from fairface.data.missing import SKIP, STOP
from fairface.data.opening import open_dataset
from fairface.data.packing.merge_identities import JOINS, OFFSET, read_identity_map
from fairface.data.packing.merging import merge
from fairface.data.packing.recordio import PackOptions
from fairface.hardware import usable_cores
from fairface.programs.catalog import options_of
from fairface.programs.replace import add_overwrite, check_new, records_in
from fairface.quantity import quantity


def main(argv: Sequence[str], prog: str = "") -> None:
    options = options_of("merge", prog)
    options.add_argument("sets", nargs="+", metavar="PATH_OR_CARD", help="data sets")
    options.add_argument("--output", required=True, help="folder to write to")
    options.add_argument("--root", default="", help="folder that the paths of lists and indexes are below")
    options.add_argument("--join", choices=JOINS, default=OFFSET, help="join identities: none, or those of equal names")
    options.add_argument("--map", help="CSV source,label,identity; an empty identity leaves a label out")
    options.add_argument("--size", type=int, default=112, help="side of the images in pixels")
    options.add_argument("--quality", type=int, default=95, help="JPEG quality of images that are re-encoded")
    options.add_argument("--resize", action="store_true", help="resize images of another size instead of stopping")
    options.add_argument("--on_missing", choices=(STOP, SKIP), default=STOP, help="missing files")
    options.add_argument("--workers", type=int, default=usable_cores(), help="threads")
    add_overwrite(options)
    args = options.parse_args(argv)
    console = Console.of(args)
    check_new(records_in(args.output), args.overwrite)
    sets = [open_dataset(name, options=OpenOptions(args.root, on_missing=args.on_missing)) for name in args.sets]
    for data in sets:
        console.tell(data.notes)
    identity_map = read_identity_map(args.map) if args.map else {}
    pack = PackOptions(args.size, args.quality, args.resize, args.workers)
    watch = functools.partial(console.progress, total=sum(map(len, sets)), label="merging", unit="image")
    done = merge(sets, args.output, pack, args.join, identity_map, watch)
    counts = {"images": done.images, "identities": done.identities, "shared": done.shared, "left_out": done.left_out}
    console.show(
        {"output": args.output, **counts},
        f"{args.output}: {quantity(done.images, 'image')} of {quantity(done.identities, 'identity')}, {done.shared} "
        f"of them in several sets; {quantity(done.left_out, 'image')} left out (unlabeled, or by the map)",
    )
