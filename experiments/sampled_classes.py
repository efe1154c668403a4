"""Does a net learn as well from a sample of the classes as from all of them? Drawn people, the same seeds in all arms.

python experiments/sampled_classes.py --out results/sampled_classes

A person is a smooth random pattern; every image shows it moved, under other light and with noise. One net
(fresnet_tiny) with a CosFace head learns 2,000 people; arms differ in how many classes a step takes: all, 0.3 or 0.1 of
them. Scored on all pairs of 200 other people. One JSON file per arm and seed; those that are done are skipped.
``summary.json`` holds the differences to all classes seed by seed, and how far the seeds of all classes are apart.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from fairface.backbones import build_backbone
from fairface.cli import parser, print_json, progress, run, table
from fairface.config.schema import BackboneConfig, HeadConfig, OptimizerConfig
from fairface.data.array import ArrayDataset
from fairface.data.loading.draws import Purpose, device_seed
from fairface.data.loading.loader import BatchLoader
from fairface.data.loading.samplers import RandomSampler
from fairface.data.loading.source import Source
from fairface.files import atomic_write
from fairface.heads import build_head, build_sharded_head
from fairface.heads.sharded import MomentumRule
from fairface.methods.base import StepOutcome
from fairface.methods.classify import Classify
from fairface.mx import autograd, mx, nd
from fairface.parallel import World, shard, to_input
from fairface.scoring import verification
from fairface.training.optimizer import Optimizer
from fairface.training.schedule import learning_rate
from fairface.training.start import initialize
from fairface.training.updates import Updates

SIZE, COARSE, MOVED = 32, 5, 3  # pixels of an image and of a pattern; pixels that an image is moved by at most
WORLD = World((mx.cpu(),))
OPTIMIZER = OptimizerConfig(lr=0.1, schedule="cosine", warmup=0.05)
MEASURES = ("auc", "eer", "tar")


def people(count: int, images: int, seed: int) -> ArrayDataset:
    """``images`` pictures of each of ``count`` drawn people."""
    rng = np.random.default_rng(seed)
    large = SIZE + 2 * MOVED
    pixels = np.empty((count * images, SIZE, SIZE, 3), np.uint8)
    for person in range(count):
        pattern = _smooth(rng, COARSE, large)
        for image in range(images):
            top, left = rng.integers(0, 2 * MOVED + 1, 2)
            shown = pattern[top : top + SIZE, left : left + SIZE] + 0.9 * _smooth(rng, 2, SIZE)
            shown = 128 + 40 * (shown + rng.normal(0, 0.5, shown.shape))
            pixels[person * images + image] = np.clip(shown, 0, 255)
    return ArrayDataset(pixels, np.repeat(np.arange(count), images), num_classes=count)


def _smooth(rng: np.random.Generator, cells: int, size: int) -> NDArray[np.float64]:
    coarse = rng.normal(size=(cells, cells, 3))
    return np.asarray(cv2.resize(coarse, (size, size), interpolation=cv2.INTER_CUBIC), np.float64)


def trained(rate: float, seed: int, args: argparse.Namespace) -> tuple[Classify, list[float]]:
    """The method after its last step, and the loss of every step."""
    dataset = people(args.people, args.images, seed)
    head = HeadConfig(name="cosface", s=32.0, m3=0.2, sharded=rate < 1, sample_rate=rate)
    size = (args.embedding, args.people)
    source = Source(dataset, args.batch, RandomSampler(len(dataset), args.batch, seed))
    method = Classify(
        build_backbone(BackboneConfig(name="fresnet_tiny", embedding=args.embedding, width=0.5), SIZE),
        build_sharded_head(head, *size, seed) if head.sharded else build_head(head, *size), [source],
        head_rule=MomentumRule(OPTIMIZER.momentum, OPTIMIZER.weight_decay),
    )  # fmt: skip
    initialize(method, WORLD.contexts, seed, SIZE)
    optimizer = Optimizer(method.parameter_groups("all"), OPTIMIZER, WORLD.contexts, "local")
    updates = Updates(optimizer, method.updaters("all"), clip_norm=0.0, world=WORLD)
    losses = []
    for step, batch in enumerate(BatchLoader([source], SIZE, seed=seed, threads=1).iterate(0, args.steps)):
        mx.random.seed(device_seed(seed, step, Purpose.STEP))
        lr = learning_rate(OPTIMIZER, step, args.steps)
        with autograd.record():
            loss = method.losses(shard(batch, WORLD), WORLD).losses["loss"][0]
        loss.backward()
        method.after_step(StepOutcome(step, lr, 1.0, updates.step(lr)))
        losses.append(float(loss.asscalar()))
    return method, losses


def scored(method: Classify, dataset: ArrayDataset) -> dict[str, float]:
    """AUC, EER and TAR at FMR 0.001 of all pairs of images."""
    parts = np.array_split(dataset.images, max(1, len(dataset) // 100))
    found = [nd.L2Normalization(method.inference()(to_input(part, mx.cpu()))).asnumpy() for part in parts]
    embeddings = np.concatenate(found)
    first, second = np.triu_indices(len(embeddings), k=1)
    scores = (embeddings @ embeddings.T)[first, second]
    result = verification.evaluate(scores, dataset.labels[first] == dataset.labels[second], fmr=[1e-3])
    return {"auc": float(result.auc), "eer": float(result.eer), "tar": float(result.tar["0.001"])}


def arm(rate: float, seed: int, args: argparse.Namespace) -> dict[str, Any]:
    """Train and score one arm, or read what it gave before."""
    path = args.out / f"rate{rate:g}_seed{seed}.json"
    if path.is_file():
        before: dict[str, Any] = json.loads(path.read_text())
        return before
    start = time.process_time()
    method, losses = trained(rate, seed, args)
    seconds = time.process_time() - start
    result = {"rate": rate, "seed": seed, **scored(method, people(args.test_people, args.images, seed + 1_000_000)),
              "first_loss": mean(losses[:20]), "last_loss": mean(losses[-20:]), "cpu_seconds": seconds}  # fmt: skip
    with atomic_write(path, "w", encoding="utf-8") as file:
        json.dump(result, file, indent=1)
    return result


def summary(arms: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Per measure: the mean at each rate, differences to all classes seed by seed, the spread of all classes."""
    by_arm = {(a["rate"], a["seed"]): a for a in arms}
    rates, seeds = sorted({a["rate"] for a in arms}, reverse=True), sorted({a["seed"] for a in arms})
    result: dict[str, Any] = {"seeds": seeds, "rates": rates}
    for measure in MEASURES:
        whole = [by_arm[1.0, seed][measure] for seed in seeds]
        of_rate = {rate: [by_arm[rate, seed][measure] for seed in seeds] for rate in rates}
        result[measure] = {
            "means": {f"{rate:g}": mean(values) for rate, values in of_rate.items()},
            "differences": {f"{rate:g}": [value - other for value, other in zip(values, whole, strict=True)]
                            for rate, values in of_rate.items() if rate < 1},
            "deviation_over_seeds": stdev(whole) if len(whole) > 1 else None,
        }  # fmt: skip
    return result


def main(argv: Sequence[str]) -> None:
    options = parser(__doc__.splitlines()[0])
    options.add_argument("--out", type=Path, required=True, metavar="DIR", help="results")
    options.add_argument("--seeds", default="0,1,2", help="comma-separated")
    options.add_argument("--rates", default="1,0.3,0.1", help="shares of the classes in a step, 1 first")
    for name, usual in (("people", 2000), ("test-people", 200), ("images", 6), ("steps", 1500), ("batch", 64),
                        ("embedding", 64)):  # fmt: skip
        options.add_argument(f"--{name}", type=int, default=usual)
    options.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    args = options.parse_args(argv)
    args.out.mkdir(parents=True, exist_ok=True)
    rates = sorted({1.0, *(float(rate) for rate in args.rates.split(","))}, reverse=True)
    wanted = [(rate, int(seed)) for seed in args.seeds.split(",") for rate in rates]
    result = summary([arm(rate, seed, args) for rate, seed in progress(wanted, label="arms", unit="arm")])
    with atomic_write(args.out / "summary.json", "w", encoding="utf-8") as file:
        json.dump(result, file, indent=1)
    if args.json:
        print_json(result)
        return
    rows = [[m, *(f"{result[m]['means'][f'{rate:g}']:.4f}" for rate in rates),
             *(" ".join(f"{d:+.4f}" for d in values) for values in result[m]["differences"].values())]
            for m in MEASURES]  # fmt: skip
    print(table(rows, ["measure", *(f"{rate:g}" for rate in rates), *(f"{r:g} - 1, by seed" for r in rates if r < 1)]))


if __name__ == "__main__":
    run(main)
