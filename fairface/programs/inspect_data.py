"""Tell what a data set of any format holds and what is wrong with it; --check decodes every image.

Example: python data_process/inspect_data.py datasets/mine --check --output look/
Ends with 1 when there are problems.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fairface.cli import parser, print_json, progress, table, tell
from fairface.data.formats import OpenOptions
from fairface.data.image_reader import ImageReader
from fairface.data.inspection.dataset import Inspection, inspect
from fairface.data.inspection.sums import compare_sums, write_sums
from fairface.errors import ConfigError, DataError
from fairface.files import atomic_write
from fairface.hardware import usable_cores
from fairface.report.histogram import plot_images_per_class
from fairface.report.sheet import contact_sheet, save_png

SHOWN_PROBLEMS = 20
SHEET_IMAGES = 64


def main(argv: Sequence[str]) -> int:
    args = _arguments(argv)
    if args.quick and (args.check or args.write_sums or args.check_sums):
        raise ConfigError("--quick reads no image; leave it out for --check, --write-sums and --check-sums")
    options = OpenOptions(args.root, zero_is_unlabeled=args.zero_is_unlabeled)
    bars: list[Any] = []

    def on_start(count: int) -> Callable[[int], object]:
        bars.append(progress(total=count, label="decoding" if args.check else "reading", unit="image"))
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
        write_pictures(found, Path(args.output), problems)
    if args.json:
        print_json(result)
    else:
        show(result)
    return 1 if problems else 0


def _arguments(argv: Sequence[str]) -> argparse.Namespace:
    options = parser("Tell what a data set of any format holds and what is wrong with it.")
    options.add_argument("path", metavar="PATH_OR_CARD", help=".rec, TFRecord index, folder, list, .bin, memory files")
    options.add_argument("--check", action="store_true", help="decode every image")
    options.add_argument("--quick", action="store_true", help="labels and attributes only; read no image")
    options.add_argument("--output", metavar="FOLDER", help="write histogram.png, samples.png and problems.txt there")
    options.add_argument("--root", default="", help="folder that the paths of a list or index are below")
    options.add_argument("--zero-is-unlabeled", action="store_true", help="label 0 is no person but unlabeled")
    options.add_argument("--write-sums", metavar="FILE.npz", help="keep content hashes, to be compared later")
    options.add_argument("--check-sums", metavar="FILE.npz", help="compare with hashes that were kept")
    options.add_argument("--jobs", type=int, default=usable_cores(), help="processes")
    options.add_argument("--json", action="store_true", help="print one JSON object")
    return options.parse_args(argv)


def write_pictures(found: Inspection, folder: Path, problems: Sequence[str]) -> None:
    """Histogram, samples and the list of all problems."""
    if len(found.per_class):
        plot_images_per_class(folder / "histogram.png", found.per_class, f"{found.dataset.title}: images per identity")
    size = 112
    reader = ImageReader(found.dataset, size, may_resize=True)
    images, captions = [], []
    order = np.argsort(found.dataset.labels, kind="stable")
    for index in order[np.unique(np.linspace(0, len(order) - 1, SHEET_IMAGES).astype(int))].tolist():
        try:
            images.append(reader.read(index))
        except DataError:  # it is among the problems when the images are checked
            continue
        captions.append(f"{index}: {found.dataset.labels[index]}")
    if images:
        save_png(folder / "samples.png", contact_sheet(np.stack(images), captions=captions))
    with atomic_write(folder / "problems.txt", "w", encoding="utf-8") as file:
        file.writelines(f"{problem}\n" for problem in problems)


def show(result: dict[str, Any]) -> None:
    """Print the findings for people; notes go to standard error."""
    tell(result["notes"])
    per_class = result["images_per_class"]
    rows: list[tuple[str, object]] = [
        ("data", result["path"]),
        ("format", result["format"]),
        ("images", result["images"]),
        ("unlabeled", result["unlabeled"]),
        ("identities", f"{result['classes_with_images']} of {result['classes']} have images"),
        ("with one image only", result["classes_with_one_image"]),
    ]
    if per_class:
        rows.append(("images per identity", " ".join(f"{name} {value:g}" for name, value in per_class.items())))
    rows += [(f"attribute {name}", _counts(values)) for name, values in result["attributes"].items()]
    if "sizes" in result:
        duplicates = result["duplicates"]
        rows += [
            ("megabytes", f"{result['bytes'] / 1e6:.1f}"),
            ("pixels", _counts(result["sizes"])),
            ("files", _counts(result["kinds"])),
            (
                "duplicates",
                f"{duplicates['surplus_images']} images are there already, in {duplicates['groups']} groups",
            ),
        ]
    print(table(rows, ["what", "found"]))
    problems = result["problems"]
    print(f"{len(problems)} problems")
    for problem in problems[:SHOWN_PROBLEMS]:
        print(f"- {problem}")
    if len(problems) > SHOWN_PROBLEMS:
        print(f"… and {len(problems) - SHOWN_PROBLEMS} more: --output FOLDER writes all to problems.txt")


def _counts(values: dict[str, int]) -> str:
    return ", ".join(f"{name}: {count}" for name, count in list(values.items())[:SHOWN_PROBLEMS])

