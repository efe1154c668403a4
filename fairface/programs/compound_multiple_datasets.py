"""Join several folders of identities to one, such as references and variants of the same people, by links or copies.

Example: python scripts/compound_multiple_datasets.py -l references/ variants/ -p all_data/train_1/imgs
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

from fairface.cli import table
from fairface.console import Console
from fairface.data.missing import SKIP, STOP
from fairface.data.packing.compound import compound
from fairface.programs.catalog import options_of
from fairface.quantity import quantity


def main(argv: Sequence[str], prog: str = "") -> None:
    options = options_of("compound", prog)
    options.add_argument(
        "-l", "--list_datasets", nargs="+", required=True, metavar="FOLDER", help="<folder>[/imgs]/<identity>/<photo>"
    )
    options.add_argument("-p", "--final_path", required=True, help="folder to make")
    options.add_argument("--copy", action="store_true", help="copy the photographs instead of linking to them")
    options.add_argument("--on_missing", choices=(STOP, SKIP), default=STOP, help="broken links")
    args = options.parse_args(argv)
    console = Console.of(args)
    watch = functools.partial(console.progress, label="compounding", unit="photo")
    done = compound(args.list_datasets, args.final_path, args.copy, args.on_missing, watch)
    console.tell(done.notes)
    rows = [*done.sources, (args.final_path, done.identities, done.images)]
    columns = ["folder", "identities", "images"]
    console.show(
        {"output": args.final_path, "sets": [dict(zip(columns, row, strict=True)) for row in done.sources],
         "identities": done.identities, "images": done.images, "shared": done.shared, "made": done.made},
        f"{table(rows, columns)}\n"
        f"{quantity(done.shared, 'identity is', 'identities are')} in more than one set; "
        f"{quantity(done.made, 'file was', 'files were')} made, the others existed already",
    )  # fmt: skip
