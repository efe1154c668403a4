"""What embed.py and train_step.py share: their options, what the sides are told, and the result."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from figures import quotients, ratio_lines, ratios
from sides import Kind, Side

from fairface.cli import parser, table
from fairface.errors import FairfaceError
from fairface.hardware import physical_cores, processor_name, total_memory

# Short names, and those of fairface.backbones.
NETS = {"r18": "fresnet18", "r50": "fresnet50", "mobilefacenet": "mobilefacenet", "tiny": "fresnet_tiny"}
NETS |= {name: name for name in NETS.values()}


def options(description: str, kinds: Mapping[str, Kind], batch: int) -> argparse.ArgumentParser:
    """What every comparison can be told; ``batch`` is the usual one."""
    result = parser(description)
    result.add_argument("--net", default="r50", choices=NETS)
    result.add_argument("--batch", type=int, default=batch, help="images in a step")
    result.add_argument("--embedding", type=int, default=512)
    result.add_argument("--image-size", type=int, default=112)
    result.add_argument("--pairs", type=int, default=9, help="rounds; every side is measured once in each")
    result.add_argument("--steps", type=int, default=2, help="steps of a side in a round; their median counts")
    result.add_argument("--threads", type=int, default=physical_cores())
    result.add_argument("--sides", default=",".join(kinds), help="which to run, ours first")
    result.add_argument("--torch-python", default=sys.executable, help="Python with what the other sides need")
    result.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    return result


def job_of(args: argparse.Namespace, *more: str) -> dict[str, Any]:
    """What all sides are told: the common options and those that ``more`` names."""
    job = {key: getattr(args, key) for key in ("batch", "embedding", "image_size", "threads", *more)}
    return {**job, "net": NETS[args.net]}


def chosen(text: str, kinds: Mapping[str, Kind]) -> dict[str, Kind]:
    """The sides that ``--sides`` names; an unknown one, or none of ours, raises :class:`FairfaceError`."""
    names = [name.strip() for name in text.split(",")]
    if not names[0].startswith("ours") or not set(names) <= set(kinds):
        raise FairfaceError(f"--sides {text}: give ours first, then any of {', '.join(kinds)}")
    return {name: kinds[name] for name in names}


def summary(
    sides: Sequence[Side], job: Mapping[str, Any], pairs: Sequence[tuple[str, Sequence[str]]]
) -> dict[str, Any]:
    """Rates and memory of all sides, and the ratios of ``pairs``: a side over the fastest of some others.

    A ratio of speeds is ours / other, one of memory other / ours; a process has one peak, so memory has one reading.
    """
    readings: dict[str, Sequence[float]] = {}
    for name, others in pairs:
        for side in (side for side in sides if side.name == name):
            for other in fastest(sides, others):
                readings[f"{side.name} / {other.name}"] = quotients(side.rates, other.rates)
                readings[f"{side.name} / {other.name}, memory"] = [other.peak_bytes / side.peak_bytes]
    machine = {"processor": processor_name(), "cores": physical_cores(), "memory_gb": total_memory() / 1e9}
    return {"job": dict(job), "machine": machine, "sides": [figures_of(side) for side in sides], **ratios(readings)}


def figures_of(side: Side) -> dict[str, Any]:
    return {
        "side": side.name, "images_per_second": median(side.rates), "rates": side.rates,
        "cpu_seconds_per_step": median(side.cpu_seconds), "peak_gb": side.peak_bytes / 1e9, **side.about,
    }  # fmt: skip


def fastest(sides: Sequence[Side], names: Sequence[str]) -> list[Side]:
    """The fastest of those ``names`` that were measured, as a list of one or none."""
    return sorted((s for s in sides if s.name in names), key=lambda s: -median(s.rates))[:1]


def show(result: Mapping[str, Any]) -> None:
    """The summary for people."""
    rows = [
        [r["side"], f"{r['images_per_second']:.2f}", f"{r['cpu_seconds_per_step']:.2f}", f"{r['peak_gb']:.2f}"]
        for r in result["sides"]
    ]
    print(table(rows, ["side", "images/s", "CPU s/step", "peak GB"]))
    print(*ratio_lines(result), sep="\n")
