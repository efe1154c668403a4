"""Join several folders of identities to one, such as references and variants of the same people, by links or copies.

Example: python scripts/compound_multiple_datasets.py -l references/ variants/ -p all_data/train_1/imgs
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

from fairface.cli import parser, progress, run, table, tell
from fairface.data.missing import SKIP, STOP
from fairface.data.packing.compound import compound


def main(argv: Sequence[str]) -> None:
    options = parser("Join several folders of identities to one; people of the same name are the same person.")
    options.add_argument(
        "-l", "--list_datasets", nargs="+", required=True, metavar="FOLDER", help="<folder>[/imgs]/<identity>/<photo>"
    )
    options.add_argument("-p", "--final_path", required=True, help="folder to make")
    options.add_argument("--copy", action="store_true", help="copy the photographs instead of linking to them")
    options.add_argument("--on_missing", choices=(STOP, SKIP), default=STOP, help="links that lead nowhere")
    args = options.parse_args(argv)
    watch = functools.partial(progress, label="compounding", unit="photo")
    done = compound(args.list_datasets, args.final_path, args.copy, args.on_missing, watch)
    tell(done.notes)
    rows = [*done.sources, (args.final_path, done.identities, done.images)]
    print(table(rows, ["folder", "identities", "images"]))
    print(f"{done.shared} identities are in more than one set; {done.made} files were made, the others were there")


if __name__ == "__main__":
    run(main)
