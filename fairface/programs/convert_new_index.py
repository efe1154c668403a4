"""Join a list of labels with the index of TFRecords to an index for training.

Example: python data_process/convert_new_index.py --old labels.txt --tfr_index TFR-MINE/TFR-MINE.index --new mine.index
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from fairface.cli import parser
from fairface.data.packing.index_conversion import convert_index


def main(argv: Sequence[str]) -> None:
    options = parser("Join a list of labels with the index of TFRecords to an index for training.")
    options.add_argument("--old", required=True, help="list with lines `image label`")
    options.add_argument("--tfr_index", required=True, help="index beside the TFRecords: image, shard, offset")
    options.add_argument("--new", required=True, help="index to write: TFRecord name, shard, offset, label")
    options.add_argument("--name", help="of the TFRecord; default: that of its index")
    args = options.parse_args(argv)
    done = convert_index(args.old, args.tfr_index, args.new, args.name)
    for image in done.unknown:
        print(f"{image} failed", file=sys.stderr)
    print(
        f"{args.new}: {done.written} images; {len(done.unknown)} of the list are not in the TFRecords, "
        f"{done.unused} of the TFRecords are not in the list"
    )

