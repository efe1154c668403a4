"""Pack photographs into train.rec, train.idx and property, insightface's layout of training data.

Example: python data_process/face2rec2.py photos/ --output datasets/mine
The input is a folder (identity/photo), an insightface list (.lst) or a CSV (columns image, identity, attributes …).
"""

from __future__ import annotations

import argparse
import functools
from collections.abc import Sequence
from pathlib import Path

from fairface.console import Console
from fairface.data.packing.csv_list import plan_csv
from fairface.data.packing.lst import plan_lst
from fairface.data.packing.plan import Plan, plan_folder
from fairface.data.packing.recordio import PackOptions, pack_plan
from fairface.errors import ConfigError
from fairface.faces.align import align
from fairface.hardware import usable_cores
from fairface.programs.catalog import options_of
from fairface.programs.replace import add_overwrite, check_new, records_in
from fairface.quantity import quantity


def main(argv: Sequence[str], prog: str = "") -> None:
    args = _arguments(argv, prog)
    console = Console.of(args)
    check_new(records_in(args.output), args.overwrite)
    plan = _plan(args)
    console.tell(plan.notes)
    options = PackOptions(args.size, args.quality, args.resize, args.workers, align)
    watch = functools.partial(console.progress, total=len(plan.photos), label="packing", unit="photo")
    pack_plan(plan, args.output, options, watch)
    text = f"{args.output}: {quantity(len(plan.photos), 'photograph')} of {quantity(len(plan.identities), 'identity')}"
    counts = {"images": len(plan.photos), "identities": len(plan.identities), "left_out": list(plan.skipped)}
    console.show({"output": args.output, **counts}, text)


def _arguments(argv: Sequence[str], prog: str) -> argparse.Namespace:
    arguments = options_of("pack", prog)
    arguments.add_argument("input", help="folder of identities, .lst or .csv")
    arguments.add_argument("--output", required=True, help="folder to write to")
    arguments.add_argument("--root", help="folder that the paths of a list are below; default: the list's own")
    arguments.add_argument(
        "--attributes",
        help="CSV columns to keep, such as sex,glasses; sex:f/m fixes that f is 0 "
        "and m is 1; default: all columns, coded in sorted order",
    )
    arguments.add_argument("--size", type=int, default=112, help="side of the images in pixels")
    arguments.add_argument("--quality", type=int, default=95, help="JPEG quality of images that are re-encoded")
    arguments.add_argument("--resize", action="store_true", help="resize images of another size instead of stopping")
    arguments.add_argument("--workers", type=int, default=usable_cores(), help="threads")
    add_overwrite(arguments)
    return arguments.parse_args(argv)


def _plan(args: argparse.Namespace) -> Plan:
    path = Path(args.input)
    if args.attributes is not None and path.suffix.lower() != ".csv":
        raise ConfigError(f"--attributes names columns of a CSV, but {path} is not one; leave it out")
    if path.suffix.lower() == ".csv":
        if args.attributes is None:
            return plan_csv(path, args.root)
        columns = dict(column.partition(":")[::2] for column in args.attributes.split(","))
        values = {name: given.split("/") for name, given in columns.items() if given}
        return plan_csv(path, args.root, list(columns), values)
    return plan_lst(path, args.root) if path.suffix.lower() == ".lst" else plan_folder(path)
