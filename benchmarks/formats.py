"""How fast each format is read and packed: images a second, beside RecordIO and beside bare decoding and encoding.

python benchmarks/formats.py --images 4000 --repeats 7 --json

Reading: the same 112x112 JPEGs in every format, in shuffled order, read and decoded by the same number of threads, in
turns; RecordIO is the measure. Memory files need no decoding. Packing: PNG photographs of 112x112 pixels, so that each
is decoded and encoded once; the measure is a loop that decodes and encodes them in as many threads and does nothing
else. All files are in the page cache.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from figures import quotients, ratios, spread
from numpy.typing import NDArray

from fairface.cli import parser, print_json, progress, run, table
from fairface.data.formats import OpenOptions
from fairface.data.image_reader import ImageReader
from fairface.data.images import decode, encode_jpeg, encode_png
from fairface.data.opening import open_dataset
from fairface.data.packing.index_conversion import convert_index
from fairface.data.packing.memory import make_memory_set
from fairface.data.packing.plan import Photo, Plan
from fairface.data.packing.recordio import PackOptions, pack_encoded, pack_plan
from fairface.data.packing.tfrecord import pack_tfrecords
from fairface.data.pairsets.bin_set import write_bin
from fairface.data.recordio.notes import AttributeNotes
from fairface.data.view import IndexedDataset
from fairface.hardware import physical_cores, processor_name, usable_cores

SIZE = 112
PER_IDENTITY = 20
TEXTURE = ((7, 36.0), (14, 20.0), (28, 11.0), (56, 5.0))  # (grid, contrast): about 6.3 KB a JPEG, as aligned faces have
GRAIN = 2.0
READING_TARGET, PACKING_TARGET = 0.85, 0.70
RECORDIO, BARE = "rec", "bare decode + encode"


@dataclass(frozen=True)
class Photographs:
    """The photographs that are packed: names below ``folder``, PNG."""

    folder: Path
    names: list[str]

    @property
    def photos(self) -> tuple[Photo, ...]:
        return tuple(Photo(str(self.folder / name), i // PER_IDENTITY) for i, name in enumerate(self.names))


def main(argv: Sequence[str]) -> None:
    options = parser("How fast each format is read and packed, in images a second.")
    options.add_argument("--images", type=int, default=4000)
    options.add_argument("--repeats", type=int, default=7, help="timed passes of each")
    options.add_argument("--threads", type=int, default=2)
    options.add_argument("--folder", help="where to make the files; default: the system's temporary folder")
    options.add_argument("--json", action="store_true", help="print one JSON object instead of tables")
    args = options.parse_args(argv)
    if args.repeats < 1 or args.threads < 1 or args.images < 2 * PER_IDENTITY:
        options.error(f"--repeats and --threads must be 1 or more, and --images {2 * PER_IDENTITY} or more")
    with tempfile.TemporaryDirectory(dir=args.folder) as temporary:
        folder = Path(temporary)
        images = [texture(i) for i in progress(range(args.images), label="draw", unit="image")]
        reading = measure(
            {name: reader(data, args.threads) for name, data in written(folder, images).items()}, args.repeats, "read"
        )
        packing = measure(packers(folder, images, args.threads), args.repeats, "pack")
    result = {
        "benchmark": "formats", "unit": "images/s", "images": args.images, "threads": args.threads,
        "repeats": args.repeats,
        "machine": {"processor": processor_name(), "cores": usable_cores(), "physical_cores": physical_cores(),
                    "opencv": cv2.__version__, "numpy": np.__version__},
        "reading": {name: spread(values) for name, values in reading.items()}, "reading_target": READING_TARGET,
        "packing": {name: spread(values) for name, values in packing.items()}, "packing_target": PACKING_TARGET,
        **ratios({**over(reading, RECORDIO), **over(packing, BARE)}),
    }  # fmt: skip
    if args.json:
        print_json(result)
    else:
        show(result)


def texture(seed: int) -> NDArray[np.uint8]:
    """A smooth random image with a little grain, uint8 (112, 112, 3)."""
    rng = np.random.default_rng(seed)
    image = 128 + GRAIN * rng.standard_normal((SIZE, SIZE, 1)).repeat(3, axis=2)
    for grid, contrast in TEXTURE:
        image += contrast * cv2.resize(
            rng.standard_normal((grid, grid, 3)), (SIZE, SIZE), interpolation=cv2.INTER_CUBIC
        )
    return np.clip(image, 0, 255).astype(np.uint8)


def written(folder: Path, images: Sequence[NDArray[np.uint8]]) -> dict[str, IndexedDataset]:
    """The images as JPEG in every format, opened."""
    jpegs = [encode_jpeg(image) for image in images]
    names = [f"{i // PER_IDENTITY:05d}/{i:07d}.jpg" for i in range(len(jpegs))]
    people = folder / "people"
    for name, jpeg in zip(names, jpegs, strict=True):
        (people / name).parent.mkdir(parents=True, exist_ok=True)
        (people / name).write_bytes(jpeg)
    listed = "".join(f"{name} {name.partition('/')[0]}\n" for name in names)
    (people / "list.txt").write_text(listed)
    photos = tuple(Photo(str(people / name), i // PER_IDENTITY) for i, name in enumerate(names))
    identities = tuple(dict.fromkeys(name.partition("/")[0] for name in names))
    pack_encoded(Plan(photos, identities, AttributeNotes()), jpegs, folder / "rec", SIZE)
    pack_tfrecords(names, photos, folder / "TFR", PackOptions())
    convert_index(people / "list.txt", folder / "TFR" / "TFR.index", folder / "train.index")
    even = len(jpegs) // 2 * 2
    write_bin(folder / "set.bin", jpegs[:even], [True] * (even // 2))
    make_memory_set(folder / "set.bin")
    index = folder / "train.index"
    return {
        RECORDIO: open_dataset(folder / "rec"),
        "tfrecord": open_dataset(index),
        "tfrecord, no checksums": open_dataset(index, options=OpenOptions(checksums=False)),
        "folder": open_dataset(people),
        "list": open_dataset(people / "list.txt"),
        "bin": open_dataset(folder / "set.bin"),
        "memory files": open_dataset(folder / "set"),
    }


def reader(dataset: IndexedDataset, threads: int) -> Callable[[int], float]:
    """Read and decode everything once, in shuffled order."""
    source = ImageReader(dataset, SIZE)

    def work(indices: list[int]) -> None:
        for index in indices:
            np.copyto(np.empty((SIZE, SIZE, 3), np.uint8), source.read(index))  # as a batch takes it

    def once(repetition: int) -> float:
        order = np.random.default_rng(repetition).permutation(len(dataset))
        return timed(work, [part.tolist() for part in np.array_split(order, threads)], len(dataset))

    return once


def packers(folder: Path, images: Sequence[NDArray[np.uint8]], threads: int) -> dict[str, Callable[[int], float]]:
    """face2rec2's and img2tfrecord's work on PNG photographs, and what of it cannot be avoided."""
    source = Photographs(folder / "photographs", [f"{i // PER_IDENTITY}/{i}.png" for i in range(len(images))])
    encoded = [encode_png(image) for image in images]
    for name, data in zip(source.names, encoded, strict=True):
        (source.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (source.folder / name).write_bytes(data)
    photos, options = source.photos, PackOptions(workers=threads)
    plan = Plan(photos, tuple(map(str, range(photos[-1].label + 1))), AttributeNotes())

    def bare(part: list[int]) -> None:
        for i in part:
            encode_jpeg(decode(encoded[i], "photograph"))

    def whole(pack: Callable[[], object]) -> Callable[[int], float]:
        def once(repetition: int) -> float:
            start = time.perf_counter()
            pack()
            return len(images) / (time.perf_counter() - start)

        return once

    parts = [part.tolist() for part in np.array_split(np.arange(len(images)), threads)]
    return {
        BARE: lambda repetition: timed(bare, parts, len(images)),
        "face2rec2": whole(lambda: pack_plan(plan, folder / "packed", options)),
        "img2tfrecord": whole(lambda: pack_tfrecords(source.names, photos, folder / "TFP", options)),
    }


def timed(work: Callable[[list[int]], None], parts: Sequence[list[int]], count: int) -> float:
    """Images a second of ``work`` on the parts, a thread each."""
    with ThreadPoolExecutor(len(parts)) as pool:
        start = time.perf_counter()
        list(pool.map(work, parts))
        return count / (time.perf_counter() - start)


def measure(competitors: dict[str, Callable[[int], float]], repeats: int, label: str) -> dict[str, list[float]]:
    """Images a second, one pass each in every repetition, after one untimed round."""
    speeds: dict[str, list[float]] = {name: [] for name in competitors}
    for repetition in progress(range(repeats + 1), label=label, unit="round"):
        for name, competitor in competitors.items():
            speed = competitor(repetition)
            if repetition:
                speeds[name].append(speed)
    return speeds


def over(speeds: dict[str, list[float]], against: str) -> dict[str, list[float]]:
    """How fast each is beside ``against``, within each repetition."""
    return {f"{name} / {against}": quotients(values, speeds[against]) for name, values in speeds.items()}


def show(result: dict[str, Any]) -> None:
    """Print two tables."""
    for what, against in (("reading", RECORDIO), ("packing", BARE)):
        rows = []
        for name, speed in result[what].items():
            ratio = result["ratio_spread"][f"{name} / {against}"]
            rows.append([name, *(f"{speed[key]:.0f}" for key in ("median", "min", "max")), f"{ratio['median']:.2f}",
                         f"{ratio['min']:.2f}-{ratio['max']:.2f}"])  # fmt: skip
        print(table(rows, [f"{what}, images/s", "median", "min", "max", f"to {against}", "spread"]))
        print(f"target: {result[f'{what}_target']} of {against}\n")


if __name__ == "__main__":
    run(main)
