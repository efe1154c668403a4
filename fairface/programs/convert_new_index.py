"""Join a list of labels with the index of TFRecords to an index for training.

Example: python data_process/convert_new_index.py --old labels.txt --tfr_index TFR-MINE/TFR-MINE.index --new mine.index
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from fairface.console import Console
from fairface.data.packing.index_conversion import convert_index
from fairface.programs.catalog import options_of
from fairface.programs.replace import add_overwrite, check_new
from fairface.quantity import agree, quantity


def main(argv: Sequence[str], prog: str = "") -> None:
    options = options_of("convert-index", prog)
    options.add_argument("--old", required=True, help="list with lines `image label`")
    options.add_argument("--tfr_index", required=True, help="index of the TFRecords: image, shard, offset")
    options.add_argument("--new", required=True, help="index to write: TFRecord name, shard, offset, label")
    options.add_argument("--name", help="of the TFRecord; default: that of its index")
    add_overwrite(options)
    args = options.parse_args(argv)
    check_new([Path(args.new)], args.overwrite)
    done = convert_index(args.old, args.tfr_index, args.new, args.name)
    console = Console.of(args)
    console.tell(f"{image} failed" for image in done.unknown)
    console.show(
        {"index": args.new, "images": done.written, "unknown": done.unknown, "unused": done.unused},
        f"{args.new}: {quantity(done.written, 'image')}; {len(done.unknown)} of the list "
        f"{agree(len(done.unknown), 'is', 'are')} not in the TFRecords, {done.unused} of the TFRecords "
        f"{agree(done.unused, 'is', 'are')} not in the list",
    )
