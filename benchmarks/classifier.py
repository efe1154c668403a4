"""A classifier's step (forward, backward, update) against the number of identities: whole, split, sampled, in PyTorch.

python benchmarks/classifier.py --classes 10000,100000,1000000 --rounds 7 --torch-python .venv-torch/bin/python --json

No backbone: embeddings are given, and get their gradients. Every side is a process of its own and starts from the same
centres; the first losses of those that use all classes must agree. Where the sides of a size do not fit into memory
together, each is started anew for its turn, and what does not fit alone is left out and named.

Memory: `state` is weights, gradients and momentum by their sizes, without what lies in mapped files; `held` is what the
process has for itself between steps; `peak` also counts pages of mapped files, which the system may take back.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from classifier_plot import plot
from figures import available_memory, quotients, ratio_lines, ratios, spread
from sides import Kind, Side, require

from fairface.cli import parser, print_json, progress, run, table
from fairface.errors import FairfaceError
from fairface.hardware import physical_cores, processor_name

OURS, THEIRS = "classifier_mxnet.py", "classifier_torch.py"
DENSE, SHARDED, SAMPLED, MAPPED, TORCH = "dense", "sharded", "sampled", "sampled-mapped", "torch"
EXACT = (DENSE, SHARDED, TORCH)  # sides that use all classes in a step
AGREE = 1e-4  # relative difference of their first losses
COPIES = 6  # of the centres, in a dense step: weights, gradients, momentum; at unit length with gradients; one to spare
MATRICES = 10  # of B x C values in a dense step


def kinds_of(args: argparse.Namespace) -> dict[str, Kind]:
    """The sides that ``--sides`` names."""
    sampled = {"kind": "sharded", "rate": args.rate}
    known = {
        DENSE: Kind(OURS, {"kind": "dense"}),
        SHARDED: Kind(OURS, {"kind": "sharded", "devices": 2}),
        SAMPLED: Kind(OURS, sampled),
        MAPPED: Kind(OURS, {**sampled, "scratch": args.scratch}),
        TORCH: Kind(THEIRS, {}, "torch"),
    }
    names = [name.strip() for name in args.sides.split(",")]
    if names[0] != DENSE or not set(names) <= set(known):
        raise FairfaceError(f"--sides {args.sides}: give dense first, then any of {', '.join(known)}")
    return {name: known[name] for name in names}


def need_of(name: str, job: Mapping[str, Any], rate: float) -> float:
    """About what a side takes at most, in bytes."""
    centres, logits = job["classes"] * job["embedding"] * 4, job["batch"] * job["classes"] * 4
    if name in (SAMPLED, MAPPED):
        return 2 * centres + rate * (COPIES * centres + MATRICES * logits)
    return COPIES * centres + MATRICES * logits


class Readings:
    """A side's figures of all rounds, whether its process stayed or not."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.cpu_seconds: list[float] = []
        self.peak_bytes = self.held_bytes = 0
        self.about: dict[str, Any] = {}

    def take(self, side: Side, steps: int, batch: int) -> None:
        """Let it work, and note."""
        side.measure(steps, batch)
        self.seconds.append(batch / side.rates[-1])
        self.cpu_seconds.append(side.cpu_seconds[-1])
        self.peak_bytes = max(self.peak_bytes, side.peak_bytes)
        self.held_bytes = side.held_bytes
        self.about = side.about

    def figures(self) -> dict[str, Any]:
        """JSON-ready."""
        return {"seconds": spread(self.seconds), "cpu_seconds": spread(self.cpu_seconds),
                "peak_gb": self.peak_bytes / 1e9, "held_gb": self.held_bytes / 1e9,
                "state_gb": self.about["state_bytes"] / 1e9, "first_loss": self.about["first_loss"]}  # fmt: skip


def measure(kinds: Mapping[str, Kind], args: argparse.Namespace, job: Mapping[str, Any]) -> dict[str, Readings]:
    """All sides of one size, in turns; every second round goes the other way about."""
    readings = {name: Readings() for name in kinds}
    stay = sum(need_of(name, job, args.rate) for name in kinds) < available_memory()
    alive: dict[str, Side] = {}
    try:
        for number in progress(range(args.rounds), label=f"{job['classes']} identities"):
            for name in list(kinds)[:: 1 if number % 2 == 0 else -1]:
                if name not in alive:
                    alive[name] = Side(name, kinds[name], args.torch_python, job)
                readings[name].take(alive[name], args.steps, job["batch"])
                if not stay:
                    alive.pop(name).stop()
    finally:
        for side in alive.values():
            side.stop()
    check_losses(readings, job)
    return readings


def check_losses(readings: Mapping[str, Readings], job: Mapping[str, Any]) -> None:
    """Raise :class:`FairfaceError` where two sides that use all classes do not compute the same loss."""
    losses = {name: found.about["first_loss"] for name, found in readings.items() if name in EXACT}
    if losses and max(losses.values()) - min(losses.values()) > AGREE * max(losses.values()):
        raise FairfaceError(f"{job['classes']} identities: the sides' first losses differ: {losses}")


def compared(readings: Mapping[str, Readings], classes: int) -> dict[str, Sequence[float]]:
    """Quotients of one size: seconds and CPU seconds turn by turn, memory for weights, gradients and momentum."""
    found: dict[str, Sequence[float]] = {}
    dense = readings[DENSE]
    for name in (SHARDED, SAMPLED, MAPPED):
        if name in readings:
            key = f"dense / {name}, {classes}"
            found[key] = quotients(dense.seconds, readings[name].seconds)
            found[f"{key}, CPU"] = quotients(dense.cpu_seconds, readings[name].cpu_seconds)
            found[f"{key}, memory"] = [dense.about["state_bytes"] / readings[name].about["state_bytes"]]
    if TORCH in readings:
        found[f"torch / dense, {classes}"] = quotients(readings[TORCH].seconds, dense.seconds)
        found[f"torch / dense, {classes}, CPU"] = quotients(readings[TORCH].cpu_seconds, dense.cpu_seconds)
    return found


def main(argv: Sequence[str]) -> None:
    options = parser(__doc__.splitlines()[0])
    options.add_argument("--classes", default="10000,100000", help="numbers of identities")
    options.add_argument("--batch", type=int, default=128, help="embeddings in a step")
    options.add_argument("--embedding", type=int, default=512)
    options.add_argument("--rate", type=float, default=0.1, help="share of the identities that a sampled step takes")
    options.add_argument("--rounds", type=int, default=7, help="turns; every side works once in each")
    options.add_argument("--steps", type=int, default=2, help="steps in a turn, whose median counts")
    options.add_argument("--threads", type=int, default=physical_cores())
    options.add_argument("--sides", default=",".join((DENSE, SHARDED, SAMPLED, MAPPED)), help="torch is another")
    options.add_argument("--scratch", default="/var/tmp", help="folder for the centres of the side sampled-mapped")
    options.add_argument("--torch-python", default=sys.executable, help="Python with PyTorch")
    options.add_argument("--plot", type=Path, metavar="FILE", help="also draw seconds and memory (.svg, .png)")
    options.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    args = options.parse_args(argv)
    kinds = kinds_of(args)
    require(args.torch_python, kinds)
    readings: dict[str, Sequence[float]] = {}
    sizes, left_out = {}, []
    for classes in (int(text) for text in args.classes.split(",")):
        job = {"classes": classes, **{key: getattr(args, key) for key in ("batch", "embedding", "threads")}}
        fitting = {name: kind for name, kind in kinds.items() if need_of(name, job, args.rate) < available_memory()}
        left_out += [f"{name}, {classes}" for name in kinds if name not in fitting]
        found = measure(fitting, args, job)
        readings.update(compared(found, classes) if DENSE in found else {})
        sizes[str(classes)] = {name: figures.figures() for name, figures in found.items()}
    result = {
        "benchmark": "classifier", "unit": "seconds a step", "machine": processor_name(), "cores": physical_cores(),
        **{key: getattr(args, key) for key in ("batch", "embedding", "rate", "threads")},
        "sizes": sizes, "left_out": left_out, **ratios(readings),
    }  # fmt: skip
    if args.plot:
        plot(result, args.plot)
    if args.json:
        print_json(result)
    else:
        show(result)


def show(result: Mapping[str, Any]) -> None:
    """The result for people."""
    rows = [
        [classes, name, f"{median_of(figures, 'seconds'):.4f}", f"{median_of(figures, 'cpu_seconds'):.4f}",
         *(f"{figures[key]:.3f}" for key in ("state_gb", "held_gb", "peak_gb"))]
        for classes, sides in result["sizes"].items() for name, figures in sides.items()
    ]  # fmt: skip
    print(table(rows, ["identities", "step", "seconds", "CPU s", "state GB", "held GB", "peak GB"]))
    print(*ratio_lines(result), sep="\n")
    print(*[f"left out, needs more memory: {name}" for name in result["left_out"]], sep="\n")


def median_of(figures: Mapping[str, Any], name: str) -> float:
    return float(figures[name]["median"])


if __name__ == "__main__":
    run(main)
