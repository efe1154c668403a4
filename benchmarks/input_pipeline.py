"""Images a second from a .rec to uint8 RGB batches: fairface's loader, a bare read + decode loop, MXNet's own iterator.

python benchmarks/input_pipeline.py --images 6000 --repeats 9 --json

All three read the same file of synthetic 112x112 JPEGs (quality 95) in turns, in one run, with the same number of
threads. The bare loop reads with mx.recordio and decodes with OpenCV, a reader a thread, and makes no batches: it is
the ceiling. MXNet's iterator is ImageRecordIter with shuffle and mirror; its first batch is not timed, since its
threads have made it ready before the clock starts.
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
from figures import quotients, ratio_lines, ratios, spread
from numpy.typing import NDArray

from fairface.cli import parser, print_json, progress, run, table
from fairface.config.schema import AugmentConfig
from fairface.data.images import encode_jpeg
from fairface.data.loading.augment import Augmenter
from fairface.data.loading.loader import BatchLoader
from fairface.data.loading.samplers import RandomSampler
from fairface.data.loading.source import Source
from fairface.data.recordio.dataset import RecordDataset
from fairface.data.recordio.files import RecordWriter
from fairface.hardware import physical_cores, usable_cores
from fairface.mx import mx

SIZE = 112
IDENTITIES = 500
TEXTURE = ((7, 36.0), (14, 20.0), (28, 11.0), (56, 5.0))  # (grid, contrast): about 6.3 KB a JPEG, as aligned faces have
GRAIN = 2.0
PEERS = {"bare_loop": "read + imdecode loop", "image_record_iter": "ImageRecordIter"}
TARGETS = {"bare_loop": 0.6, "image_record_iter": 1.2}


@dataclass(frozen=True)
class Task:
    """What all competitors get."""

    rec: Path
    images: int
    batch_size: int
    threads: int


def main(argv: Sequence[str]) -> None:
    options = parser(__doc__.splitlines()[0])
    options.add_argument("--images", type=int, default=6000, help="images in the .rec")
    options.add_argument("--repeats", type=int, default=9, help="timed passes over the data for each competitor")
    options.add_argument("--batch-size", type=int, default=128)
    options.add_argument("--threads", type=int, default=2)
    options.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    arguments = options.parse_args(argv)
    if arguments.repeats < 1 or arguments.threads < 1 or not 0 < 2 * arguments.batch_size <= arguments.images:
        options.error("--repeats and --threads must be 1 or more, and --images two batches or more")
    with tempfile.TemporaryDirectory() as folder:
        rec = Path(folder) / "train.rec"
        written = write_rec(rec, arguments.images)
        task = Task(rec, arguments.images, arguments.batch_size, arguments.threads)
        speeds = measure(task, arguments.repeats)
    result = summary(task, written, speeds)
    if arguments.json:
        print_json(result)
    else:
        show(result)


def write_rec(path: Path, images: int) -> float:
    """Write synthetic textures and return the mean size of a JPEG in bytes."""
    rng = np.random.default_rng(0)
    total = 0
    with RecordWriter(path) as writer:
        for key in progress(range(images), label="write .rec", unit="image"):
            encoded = encode_jpeg(texture(rng))
            total += len(encoded)
            writer.write(key, float(key % IDENTITIES), encoded)
    return total / images


def texture(rng: np.random.Generator) -> NDArray[np.uint8]:
    """A smooth random image with a little grain, uint8 (112, 112, 3)."""
    image = 128 + GRAIN * rng.standard_normal((SIZE, SIZE, 1)).repeat(3, axis=2)
    for grid, contrast in TEXTURE:
        image += contrast * cv2.resize(
            rng.standard_normal((grid, grid, 3)), (SIZE, SIZE), interpolation=cv2.INTER_CUBIC
        )
    return np.clip(image, 0, 255).astype(np.uint8)


def measure(task: Task, repeats: int) -> dict[str, list[float]]:
    """Images a second of each competitor, one pass over the data each in every repetition, after one untimed round."""
    competitors = {"ours": ours(task), "bare_loop": bare_loop(task), "image_record_iter": image_record_iter(task)}
    speeds: dict[str, list[float]] = {name: [] for name in competitors}
    for repetition in progress(range(repeats + 1), label="measure", unit="round"):
        for name, competitor in competitors.items():
            speed = competitor(repetition)
            if repetition:
                speeds[name].append(speed)
    return speeds


def ours(task: Task) -> Callable[[int], float]:
    """BatchLoader: shuffled, mirrored with probability 0.5, batches of uint8 RGB."""
    dataset = RecordDataset(task.rec)
    sampler = RandomSampler(len(dataset), task.batch_size, seed=0)
    source = Source(dataset, task.batch_size, sampler, Augmenter(AugmentConfig(mirror=0.5)))
    loader = BatchLoader([source], SIZE, threads=task.threads)
    steps = task.images // task.batch_size

    def once(repetition: int) -> float:
        start = time.perf_counter()
        done = sum(len(batch) for batch in loader.iterate(repetition * steps, (repetition + 1) * steps))
        return done / (time.perf_counter() - start)

    return once


def bare_loop(task: Task) -> Callable[[int], float]:
    """Read and decode in shuffled order, nothing else; each thread has a reader of its own."""
    index = str(task.rec.with_suffix(".idx"))
    readers = [mx.recordio.MXIndexedRecordIO(index, str(task.rec), "r") for _ in range(task.threads)]

    def work(reader: Any, keys: list[int]) -> None:
        for key in keys:
            _, encoded = mx.recordio.unpack(reader.read_idx(key))
            cv2.imdecode(np.frombuffer(encoded, np.uint8), cv2.IMREAD_COLOR)

    def once(repetition: int) -> float:
        keys = np.random.default_rng(repetition).permutation(task.images)
        parts = [part.tolist() for part in np.array_split(keys, task.threads)]
        with ThreadPoolExecutor(task.threads) as pool:
            start = time.perf_counter()
            list(pool.map(work, readers, parts))
            return task.images / (time.perf_counter() - start)

    return once


def image_record_iter(task: Task) -> Callable[[int], float]:
    """mx.io.ImageRecordIter: float32 NCHW batches, shuffled and mirrored."""
    iterator = mx.io.ImageRecordIter(
        path_imgrec=str(task.rec), path_imgidx=str(task.rec.with_suffix(".idx")), data_shape=(3, SIZE, SIZE),
        batch_size=task.batch_size, shuffle=True, rand_mirror=True, preprocess_threads=task.threads, verbose=False,
    )  # fmt: skip

    def once(repetition: int) -> float:
        iterator.reset()
        iterator.next().data[0].wait_to_read()
        start, done = time.perf_counter(), 0
        for batch in iterator:
            batch.data[0].wait_to_read()
            done += task.batch_size - batch.pad
        return done / (time.perf_counter() - start)

    return once


def summary(task: Task, written: float, speeds: dict[str, list[float]]) -> dict[str, Any]:
    """Speeds and ratios (above 1 = ours is faster), each ratio taken within its repetition."""
    over = {name: quotients(speeds["ours"], speeds[key]) for key, name in PEERS.items()}
    return {
        "benchmark": "input_pipeline", "unit": "images/s", "images": task.images, "jpeg_bytes": round(written),
        "batch_size": task.batch_size, "threads": task.threads, "repeats": len(speeds["ours"]),
        "machine": {"cores": usable_cores(), "physical_cores": physical_cores(), "opencv": cv2.__version__,
                    "mxnet": mx.__version__, "numpy": np.__version__},
        **{name: spread(values) for name, values in speeds.items()},
        **ratios({f"ours / {name}": values for name, values in over.items()}),
        "targets": {f"ours / {name}": TARGETS[key] for key, name in PEERS.items()},
    }  # fmt: skip


def show(result: dict[str, Any]) -> None:
    rows = [
        [title, *(f"{result[name][key]:.0f}" for key in ("median", "min", "max"))]
        for name, title in {"ours": "fairface BatchLoader", **PEERS}.items()
    ]
    print(f"{result['images']} JPEGs of {result['jpeg_bytes']} bytes, batches of {result['batch_size']}, "
          f"{result['threads']} threads, {result['repeats']} repetitions in turns")  # fmt: skip
    print(table(rows, ["images/s", "median", "min", "max"]))
    print(*ratio_lines(result), sep="\n")


if __name__ == "__main__":
    run(main)
