"""A training step of VirFace beside a plain one on the same number of images: what virtual classes and instances cost.

python benchmarks/virface.py --net fresnet18 --labeled 16 --unlabeled 16 --rounds 9 --json

All methods train the same net with the same head in one process, in turns, so that drift meets them alike:
`plain` classifies all images, `virclass` has the unlabeled ones as virtual classes, `virface` also has the generator.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from statistics import median
from typing import Any

import numpy as np
from figures import quotients, ratio_lines, ratios, spread

from fairface.backbones import build_backbone
from fairface.cli import parser, print_json, progress, run, table
from fairface.config.schema import BackboneConfig, HeadConfig, OptimizerConfig, VirFaceConfig
from fairface.data.array import ArrayDataset
from fairface.data.loading.loader import BatchLoader
from fairface.data.loading.samplers import RandomSampler
from fairface.data.loading.source import Source
from fairface.data.unlabeled import without_labels
from fairface.hardware import physical_cores, processor_name
from fairface.heads import build_head
from fairface.methods.classify import Classify
from fairface.methods.generator import Generator
from fairface.methods.virface import VIRCLASS, VIRFACE, VirFace
from fairface.mx import autograd, mx, nd
from fairface.parallel import World, shard
from fairface.training.optimizer import Optimizer
from fairface.training.start import initialize
from fairface.training.updates import Updates

PLAIN = "plain"
LIMIT = 1.15  # a step of virclass may take so many times a plain one
WARM_UP = 2
WORLD = World((mx.cpu(),))


def main(argv: Sequence[str]) -> None:
    options = parser(__doc__.splitlines()[0])
    options.add_argument("--net", default="fresnet18", help="name of a backbone")
    options.add_argument("--labeled", type=int, default=16, help="labeled images in a step")
    options.add_argument("--unlabeled", type=int, default=16, help="unlabeled images; labeled ones in a plain step")
    options.add_argument("--classes", type=int, default=10572)
    options.add_argument("--embedding", type=int, default=512)
    options.add_argument("--image-size", type=int, default=112)
    options.add_argument("--rounds", type=int, default=9, help="turns; every method takes its steps once in each")
    options.add_argument("--steps", type=int, default=2, help="steps in a turn, whose median counts")
    options.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    args = options.parse_args(argv)
    sides = {name: Side(name, args) for name in (PLAIN, VIRCLASS, VIRFACE)}
    for number in progress(range(args.rounds), label="rounds"):
        for side in list(sides.values())[:: 1 if number % 2 == 0 else -1]:
            side.measure(args.steps)
    plain = sides[PLAIN].seconds
    readings: dict[str, Sequence[float]] = {}
    for name in (VIRCLASS, VIRFACE):
        readings[f"{PLAIN} / {name}"] = quotients(plain, sides[name].seconds)
        readings[f"{PLAIN} / {name}, CPU"] = quotients(sides[PLAIN].cpu_seconds, sides[name].cpu_seconds)
    result = {
        "benchmark": "virface", "unit": "seconds a step", "machine": processor_name(), "cores": physical_cores(),
        **{key: getattr(args, key) for key in ("net", "labeled", "unlabeled", "classes", "embedding", "image_size")},
        **{name: spread(side.seconds) for name, side in sides.items()},
        **ratios(readings), "ratio_target": {f"{PLAIN} / {VIRCLASS}": 1 / LIMIT},
    }  # fmt: skip
    if args.json:
        print_json(result)
        return
    images = args.labeled + args.unlabeled
    rows = [[name, f"{result[name]['median']:.3f}", f"{images / result[name]['median']:.1f}"] for name in sides]
    print(table(rows, ["step", "seconds", "images/s"]))
    print(*ratio_lines(result), sep="\n")


class Side:
    """A method with its parameters, its optimizer and one batch."""

    def __init__(self, name: str, args: Any) -> None:
        self.method = _method(name, args)
        initialize(self.method, WORLD.contexts, seed=0, image_size=args.image_size)
        stage = "all" if name == PLAIN else name
        optimizer = Optimizer(self.method.parameter_groups(stage), OptimizerConfig(), WORLD.contexts, "local")
        self.updates = Updates(optimizer, (), clip_norm=0.0, world=WORLD)
        loader = BatchLoader(self.method.sources(), args.image_size, threads=1, prefetch=0)
        self.shards = shard(loader.batch(0), WORLD)
        self.seconds: list[float] = []
        self.cpu_seconds: list[float] = []
        for _ in range(WARM_UP):
            self.step()

    def step(self) -> float:
        """One update; seconds until all of it is done."""
        start = time.perf_counter()
        with autograd.record():
            report = self.method.losses(self.shards, WORLD)
            total = sum(arrays[0] for arrays in report.losses.values())
        autograd.backward([total])
        self.updates.step(0.01)
        nd.waitall()
        return time.perf_counter() - start

    def measure(self, steps: int) -> None:
        """Note the median of ``steps`` steps, and the processor's seconds a step."""
        begun = time.process_time()
        self.seconds.append(median(self.step() for _ in range(steps)))
        self.cpu_seconds.append((time.process_time() - begun) / steps)


def _method(name: str, args: Any) -> Classify:
    """The method with drawn images: ``plain`` has a label for each."""
    rng = np.random.default_rng(0)
    counts = [args.labeled + args.unlabeled] if name == PLAIN else [args.labeled, args.unlabeled]
    sources = []
    for number, count in enumerate(counts):
        images = rng.integers(0, 256, (count, args.image_size, args.image_size, 3), dtype=np.uint8)
        labels = rng.integers(0, args.classes, count)
        dataset = ArrayDataset(images, labels, num_classes=args.classes)
        sampler = RandomSampler(count, count, seed=0, stream=number)
        sources.append(Source(without_labels(dataset) if number else dataset, count, sampler, name=f"source{number}"))
    parts: dict[str, Any] = {
        "backbone": build_backbone(BackboneConfig(name=args.net, embedding=args.embedding), args.image_size),
        "head": build_head(HeadConfig(name="arcface_linear", s=32.0), args.embedding, args.classes),
        "sources": sources,
    }
    if name == PLAIN:
        return Classify(**parts)
    return VirFace(name, VirFaceConfig(), Generator(args.embedding) if name == VIRFACE else None, **parts)


if __name__ == "__main__":
    run(main)
