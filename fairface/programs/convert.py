"""Unpack insightface's files: train.rec to a folder of images, .bin verification sets to memory files.

Example: python data_process/convert.py --rec_path faces_emore --make_image_files --make_validation_memfiles
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from fairface.console import Console
from fairface.data.inspection.extraction import unpack_identities
from fairface.data.packing.memory import make_memory_set
from fairface.data.recordio.dataset import RecordDataset, find_rec
from fairface.errors import ConfigError, DataError
from fairface.hardware import usable_cores
from fairface.printable import printable
from fairface.programs.catalog import options_of
from fairface.quantity import quantity


def main(argv: Sequence[str], prog: str = "") -> None:
    options = options_of("unpack", prog)
    options.add_argument("-r", "--rec_path", default="./faces_emore", help="folder with train.rec, .bin files, or both")
    options.add_argument("--make_image_files", action="store_true", help="train.rec to imgs/<label>/<record>.jpg")
    options.add_argument("--make_validation_memfiles", action="store_true", help="each .bin to memory files")
    options.add_argument("--swap_color_channel", action="store_true", help="exchange red and blue in the output")
    options.add_argument("--workers", type=int, default=usable_cores(), help="threads")
    args = options.parse_args(argv)
    folder = Path(args.rec_path)
    if not folder.is_dir():
        raise DataError(f"{folder}: there is no such folder; correct --rec_path")
    wants_images = args.make_image_files
    if not wants_images and not args.make_validation_memfiles:
        raise ConfigError("nothing to do; give --make_image_files, --make_validation_memfiles or both")
    bins = sorted(folder.glob("*.bin"))
    has_rec = any(folder.glob("*.rec"))
    if not has_rec and not bins:
        raise DataError(f"{folder}: holds neither a .rec nor a .bin file; correct --rec_path")
    console = Console.of(args)
    images = make_images(folder, args.swap_color_channel, args.workers, console) if has_rec and wants_images else None
    # A folder of .bin files only has nothing else to be made of it, whichever of the two was asked for.
    wants_sets = args.make_validation_memfiles or not has_rec
    sets, problems = make_memory_files(bins, args.swap_color_channel, console) if wants_sets else ([], [])
    lines = [images_line(images)] if images else []
    lines += [f"{one['set']}: memory files {'made' if one['made'] else 'exist already'}" for one in sets]
    if wants_sets and not bins:
        lines.append("no .bin file, so no memory files")
    if console.json or lines:
        console.show({"images": images, "sets": sets, "problems": problems}, "\n".join(lines))
    for problem in problems[:-1]:
        print(f"error: {printable(problem)}", file=sys.stderr)
    if problems:
        raise DataError(problems[-1])


def make_images(folder: Path, swap: bool, workers: int, console: Console) -> dict[str, Any]:
    """Unpack ``train.rec`` into ``imgs`` beside it; returns what is there now."""
    data = RecordDataset(find_rec(folder))
    console.tell(data.notes)
    watch = functools.partial(console.progress, total=len(data), label="unpacking", unit="image")
    made = unpack_identities(data, folder, swap, workers, watch)
    return {"output": str(folder / "imgs"), "images": len(data), "identities": data.num_classes, "made": made}


def images_line(found: dict[str, Any]) -> str:
    """:func:`make_images` in words."""
    counts = f"{found['output']}: {quantity(found['images'], 'image')} of {quantity(found['identities'], 'identity')}"
    return counts if found["made"] else f"{counts}, exist already"


def make_memory_files(bins: Sequence[Path], swap: bool, console: Console) -> tuple[list[dict[str, Any]], list[str]]:
    """Make the memory files of all sets: the sets, and what is wrong with those that cannot be read, which do not keep
    the others from being made."""
    sets, problems = [], []
    for path in bins:

        def watch(images: Iterable[bytes], total: int, label: str = path.stem) -> Iterable[bytes]:
            shown: Iterable[bytes] = console.progress(images, total=total, label=label, unit="image")
            return shown

        try:
            sets.append({"set": str(path.with_suffix("")), "made": bool(make_memory_set(path, swap, watch))})
        except DataError as error:
            problems.append(str(error))
    return sets, problems
