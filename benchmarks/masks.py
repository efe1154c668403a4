"""Speed of masks: images a second of one core, and of training with masks drawn while it goes on.

python benchmarks/masks.py --json

Masks are drawn on 112 x 112 crops in turns with two ways that are in use (benchmarks/mask_peers.py), in one thread, by
its processor time. Then fresnet_tiny trains in turns from disk with half the images masked by two threads, and from
memory without masks.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from figures import quotients, ratio_lines, ratios, spread
from input_pipeline import SIZE, texture, write_rec
from mask_peers import Image, Points, TriangleWarp, polygon
from train_from_disk import in_turns, make_trainer

from fairface.cli import parser, print_json, progress, run, table
from fairface.config.schema import AugmentConfig
from fairface.faces.align import template
from fairface.faces.masks import MaskChoice, draw_mask
from fairface.hardware import processor_name, usable_cores

TARGET_SPEED, TARGET_RATIO = 400, 0.9
TRIANGLES, POLYGON = "triangle warp", "polygon"
TRAINING = "masked from disk / from memory"
THREADS = 2  # of the loader
SHAKE = 1.5  # pixels by which landmarks differ from the template's: heads turn a little

Draw = Callable[[Image, Points, int], Image]


def main(argv: Sequence[str]) -> None:
    options = parser(__doc__.splitlines()[0])
    options.add_argument("--images", type=int, default=600, help="images in a turn of drawing")
    options.add_argument("--repeats", type=int, default=9, help="turns of drawing")
    options.add_argument("--records", type=int, default=4000, help="images to train on")
    options.add_argument("--batch-size", type=int, default=64)
    options.add_argument("--blocks", type=int, default=9, help="turns of training")
    options.add_argument("--steps", type=int, default=10, help="steps in a turn")
    options.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    arguments = options.parse_args(argv)
    if min(arguments.images, arguments.repeats, arguments.blocks, arguments.steps) < 1:
        options.error("--images, --repeats, --blocks and --steps must be 1 or more")
    drawn = measure_drawing(arguments.images, arguments.repeats)
    with tempfile.TemporaryDirectory() as folder:
        write_rec(Path(folder) / "train.rec", arguments.records)
        trained = measure_training(Path(folder), arguments.batch_size, arguments.blocks, arguments.steps)
    result = summary(drawn, trained) | {"images": arguments.images, "batch_size": arguments.batch_size,
                                        "blocks": arguments.blocks, "steps": arguments.steps}  # fmt: skip
    if arguments.json:
        print_json(result)
    else:
        show(result)


def measure_drawing(images: int, repeats: int) -> dict[str, list[float]]:
    """Images a second of processor time of each way, a pass over the images each in every turn, after an untimed one.

    The untimed turn draws the templates that ours keeps.
    """
    rng = np.random.default_rng(0)
    crops = [texture(rng) for _ in range(min(images, 64))]
    heads = [template(SIZE) + rng.normal(0, SHAKE, (5, 2)) for _ in crops]
    choice, warp = MaskChoice(), TriangleWarp(SIZE)
    ways: Mapping[str, Draw] = {
        "ours": lambda image, points, seed: draw_mask(image, points, choice, seed).image,
        TRIANGLES: lambda image, points, seed: warp(image, points),
        POLYGON: lambda image, points, seed: polygon(image, points),
    }
    speeds: dict[str, list[float]] = {name: [] for name in ways}
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    for turn in progress(range(repeats + 1), label="draw", unit="turn"):
        for name, draw in ways.items():
            start = time.process_time()
            for i in range(images):
                draw(crops[i % len(crops)], heads[i % len(heads)], i)
            if turn:
                speeds[name].append(images / (time.process_time() - start))
    cv2.setNumThreads(threads)
    return speeds


def measure_training(folder: Path, batch_size: int, blocks: int, steps: int) -> dict[str, list[float]]:
    """Images a second of training from disk with half the images masked, and from memory without masks."""
    masked = AugmentConfig(mirror=0.5, mask=0.5)
    disk = make_trainer(folder, "masked", batch_size, in_memory=False, augment=masked, threads=THREADS)
    memory = make_trainer(folder, "memory", batch_size, in_memory=True, threads=THREADS)
    return in_turns(disk, {"masked": disk.loader, "memory": memory.loader}, batch_size, blocks, steps)


def summary(drawn: dict[str, list[float]], trained: dict[str, list[float]]) -> dict[str, Any]:
    """Speeds with their spread, and ratios: above 1 means that ours is faster."""
    readings = {f"ours / {name}": quotients(drawn["ours"], drawn[name]) for name in (TRIANGLES, POLYGON)}
    readings[TRAINING] = quotients(trained["masked"], trained["memory"])
    return {
        "benchmark": "masks", "unit": "images/s", "drawing": {name: spread(values) for name, values in drawn.items()},
        "training": {name: spread(values) for name, values in trained.items()}, **ratios(readings),
        "targets": {"ours": TARGET_SPEED, TRAINING: TARGET_RATIO},
        "machine": {"processor": processor_name(), "cores": usable_cores(), "opencv": cv2.__version__,
                    "numpy": np.__version__},
    }  # fmt: skip


def show(result: dict[str, Any]) -> None:
    for name, title in (("drawing", "images a second of one core"), ("training", "images a second of training")):
        rows = [[way, *(f"{found[key]:.1f}" for key in ("median", "min", "max"))]
                for way, found in result[name].items()]  # fmt: skip
        print(table(rows, [title, "median", "min", "max"]))
    print(*ratio_lines(result), sep="\n")
    print(*(f"asked for: {name} {value}" for name, value in result["targets"].items()), sep="\n")


if __name__ == "__main__":
    run(main)
