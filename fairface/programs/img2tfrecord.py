"""Pack photographs into TFRecords with an index, as TFace's tool does; with --pts_list they are aligned first.

Example: python data_process/img2tfrecord.py --img_list images.txt --pts_list points.txt --tfrecords_name TFR-MINE
"""

from __future__ import annotations

import argparse
import functools
from collections.abc import Sequence
from pathlib import Path

from fairface.console import Console
from fairface.data.missing import SKIP, STOP
from fairface.data.packing.names import plan_names
from fairface.data.packing.recordio import PackOptions
from fairface.data.packing.tfrecord import RECORDS_PER_SHARD, pack_tfrecords
from fairface.faces.align import align
from fairface.faces.point_list import read_point_list
from fairface.hardware import usable_cores
from fairface.programs.catalog import options_of
from fairface.programs.replace import add_overwrite, check_new
from fairface.quantity import quantity


def main(argv: Sequence[str], prog: str = "") -> None:
    args = _arguments(argv, prog)
    console = Console.of(args)
    folder = Path(args.tfrecords_name)
    check_new([folder / f"{folder.name}.index"], args.overwrite)
    points = read_point_list(args.pts_list) if args.pts_list else None
    plan = plan_names(args.img_list, args.root, points, args.on_missing)
    console.tell(plan.notes)
    options = PackOptions(args.size, args.quality, args.resize, args.workers, align)
    watch = functools.partial(console.progress, total=len(plan.photos), label="packing", unit="photo")
    shards = pack_tfrecords(plan.names, plan.photos, args.tfrecords_name, options, watch, args.shard_size)
    console.show(
        {"output": args.tfrecords_name, "images": len(plan.photos), "tfrecords": len(shards)},
        f"{args.tfrecords_name}: {quantity(len(plan.photos), 'photograph')} in {quantity(len(shards), 'TFRecord')}",
    )


def _arguments(argv: Sequence[str], prog: str) -> argparse.Namespace:
    options = options_of("pack-tfrecord", prog)
    options.add_argument("--img_list", required=True, help="list of photographs, one path per line")
    options.add_argument(
        "--pts_list",
        help="list of their landmarks (data_process/make_pts_list.py); leave it out for aligned photographs",
    )
    options.add_argument("--tfrecords_name", default="TFR-MS1M", help="folder to write to; its name is the TFRecord's")
    options.add_argument("--root", default=".", help="folder that the paths of the list are below")
    options.add_argument("--size", type=int, default=112, help="side of the images in pixels")
    options.add_argument("--quality", type=int, default=95, help="JPEG quality of images that are re-encoded")
    options.add_argument("--resize", action="store_true", help="resize images of another size instead of stopping")
    options.add_argument("--on_missing", choices=(STOP, SKIP), default=STOP, help="missing photographs")
    options.add_argument("--shard_size", type=int, default=RECORDS_PER_SHARD, help="images per file")
    options.add_argument("--workers", type=int, default=usable_cores(), help="threads")
    add_overwrite(options)
    return options.parse_args(argv)
