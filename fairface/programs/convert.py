"""Unpack insightface's files: train.rec to a folder of images, .bin verification sets to memory files.

Example: python data_process/convert.py --rec_path faces_emore --make_image_files --make_validation_memfiles
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from pathlib import Path

from fairface.cli import parser, progress, tell
from fairface.data.inspection.extraction import unpack_people
from fairface.data.packing.memory import make_memory_set
from fairface.data.recordio.dataset import RecordDataset, find_rec
from fairface.errors import ConfigError, DataError
from fairface.hardware import usable_cores


def main(argv: Sequence[str]) -> None:
    options = parser("Unpack insightface's files.")
    options.add_argument("-r", "--rec_path", default="./faces_emore", help="folder with train.rec, .bin files, or both")
    options.add_argument("--make_image_files", action="store_true", help="train.rec to imgs/<label>/<record>.jpg")
    options.add_argument("--make_validation_memfiles", action="store_true", help="each .bin to memory files")
    options.add_argument("--swap_color_channel", action="store_true", help="exchange red and blue in what is written")
    options.add_argument("--workers", type=int, default=usable_cores(), help="threads")
    args = options.parse_args(argv)
    folder = Path(args.rec_path)
    if not folder.is_dir():
        raise DataError(f"{folder}: there is no such folder; correct --rec_path")
    if not args.make_image_files and not args.make_validation_memfiles:
        raise ConfigError("nothing to do; give --make_image_files, --make_validation_memfiles or both")
    bins = sorted(folder.glob("*.bin"))
    has_rec = any(folder.glob("*.rec"))
    if not has_rec and not bins:
        raise DataError(f"{folder}: holds neither a .rec nor a .bin file; correct --rec_path")
    if has_rec and args.make_image_files:
        make_images(folder, args.swap_color_channel, args.workers)
    # A folder of .bin files only has nothing else to be made of it, whichever of the two was asked for.
    if args.make_validation_memfiles or not has_rec:
        make_memory_files(bins, args.swap_color_channel)


def make_images(folder: Path, swap: bool, workers: int) -> None:
    """Unpack ``train.rec`` into ``imgs`` beside it."""
    data = RecordDataset(find_rec(folder))
    tell(data.notes)
    watch = functools.partial(progress, total=len(data), label="unpacking", unit="image")
    made = unpack_people(data, folder, swap, workers, watch)
    counts = f"{len(data)} images of {data.num_classes} identities"
    print(f"{folder / 'imgs'}: {counts}" + ("" if made else ", there already"))


def make_memory_files(bins: Sequence[Path], swap: bool) -> None:
    """Make the memory files of all sets; one that cannot be read does not keep the others from being made."""
    problems = []
    for path in bins:

        def watch(images: Iterable[bytes], total: int, label: str = path.stem) -> Iterable[bytes]:
            shown: Iterable[bytes] = progress(images, total=total, label=label, unit="image")
            return shown

        try:
            made = make_memory_set(path, swap, watch)
        except DataError as error:
            problems.append(str(error))
        else:
            print(f"{path.with_suffix('')}: memory files {'made' if made else 'there already'}")
    if not bins:
        print("no .bin file, so no memory files")
    if problems:
        tell(problems[:-1])
        raise DataError(problems[-1])

