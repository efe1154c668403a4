"""Show the contents and the problems of a data set of any format; --check decodes every image.

Example: python data_process/inspect_data.py datasets/mine --check --output look/
Ends with 1 when there are problems.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from fairface.console import Console
from fairface.data.formats import OpenOptions
from fairface.data.inspection.dataset import inspect
from fairface.data.inspection.sums import compare_sums, write_sums
from fairface.errors import ConfigError
from fairface.hardware import usable_cores
from fairface.programs.catalog import options_of
from fairface.report.inspection import inspection_text, write_inspection


def main(argv: Sequence[str], prog: str = "") -> int:
    args = _arguments(argv, prog)
    console = Console.of(args)
    if args.quick and (args.check or args.write_sums or args.check_sums):
        raise ConfigError("--quick reads no image; leave it out for --check, --write-sums and --check-sums")
    options = OpenOptions(args.root, zero_is_unlabeled=args.zero_is_unlabeled)
    bars: list[Any] = []

    def on_start(count: int) -> Callable[[int], object]:
        bars.append(console.progress(total=count, label="decoding" if args.check else "reading", unit="image"))
        update: Callable[[int], object] = bars[0].update
        return update

    try:
        found = inspect(args.path, options, not args.quick, args.check, args.jobs, on_start)
    finally:
        for bar in bars:
            bar.close()
    problems = list(found.problems)
    if found.records is not None and args.check_sums:
        problems += compare_sums(args.check_sums, found.dataset, found.records.hashes)
    if found.records is not None and args.write_sums:
        write_sums(args.write_sums, found.records.hashes, found.dataset.labels)
    result = {**found.to_dict(), "problems": problems}
    if args.output:
        write_inspection(Path(args.output), found, problems)
    if not console.json:
        console.tell(result["notes"])
    console.show(result, inspection_text(result))
    return 1 if problems else 0


def _arguments(argv: Sequence[str], prog: str) -> argparse.Namespace:
    options = options_of("inspect", prog)
    options.add_argument("path", metavar="PATH_OR_CARD", help=".rec, TFRecord index, folder, list, .bin, memory files")
    options.add_argument("--check", action="store_true", help="decode every image")
    options.add_argument("--quick", action="store_true", help="labels and attributes only; read no image")
    options.add_argument("--output", metavar="FOLDER", help="write histogram.png, samples.png and problems.txt there")
    options.add_argument("--root", default="", help="folder that the paths of a list or index are below")
    options.add_argument("--zero-is-unlabeled", action="store_true", help="label 0 means unlabeled")
    options.add_argument("--write-sums", metavar="FILE.npz", help="store content hashes, to compare with later")
    options.add_argument("--check-sums", metavar="FILE.npz", help="compare with stored hashes")
    options.add_argument("--jobs", type=int, default=usable_cores(), help="processes")
    return options.parse_args(argv)
