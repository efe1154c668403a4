"""Write images of TFRecords as files; no file overwrites another.

Example: python data_process/decode.py --tfrecords_dir TFR-MINE --output_dir look/ --limit 10
"""

from __future__ import annotations

from collections.abc import Sequence

from fairface.console import Console
from fairface.data.formats import find_index
from fairface.data.inspection.extraction import extract
from fairface.data.missing import SKIP, STOP
from fairface.data.opening import locate
from fairface.data.tfrecord.dataset import IndexTFRDataset
from fairface.programs.catalog import options_of
from fairface.quantity import quantity


def main(argv: Sequence[str], prog: str = "") -> None:
    options = options_of("decode", prog)
    options.add_argument(
        "--tfrecords_dir", required=True, help="folder of TFRecords with their index, or an index file"
    )
    options.add_argument("--output_dir", required=True, help="folder to write to")
    options.add_argument("--limit", type=int, default=10, help="images to write; 0 = all")
    options.add_argument(
        "--root", help="folder that the TFRecords' folders are below, for an index that lies elsewhere"
    )
    options.add_argument("--no-checksums", action="store_true", help="do not compare checksums")
    options.add_argument("--on_missing", choices=(STOP, SKIP), default=STOP, help="missing TFRecords")
    args = options.parse_args(argv)
    if args.limit < 0:
        options.error("--limit must be 0 (all) or more")
    index = find_index(locate(args.tfrecords_dir)[0])
    dataset = IndexTFRDataset(index, args.root, not args.no_checksums, args.on_missing)
    console = Console.of(args)
    console.tell(dataset.notes)
    written = extract(dataset, args.output_dir, args.limit)
    console.show(
        {"output": args.output_dir, "written": [str(path) for path in written], "images": len(dataset)},
        f"{args.output_dir}: {len(written)} of {quantity(len(dataset), 'image')}",
    )
