"""Where the time of a step goes, from what oneDNN says about every primitive that it runs.

What oneDNN does not run (the optimizer's update, single operators, waiting) is the rest of the step.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from sides import HERE, Kind

from fairface.cli import table
from fairface.errors import FairfaceError

COMPUTE = ("convolution", "matrix product")
_GROUPS = {
    "convolution": "convolution", "inner_product": "matrix product", "matmul": "matrix product",
    "batch_normalization": "BatchNorm", "eltwise": "PReLU and activations", "sum": "sums", "reorder": "layout changes",
}  # fmt: skip
STEPS = 3


def profile(name: str, kind: Kind, job: Mapping[str, Any]) -> dict[str, Any]:
    """Shares of a step by group, over :data:`STEPS` steps after the warm-up.

    ``outside`` is the share outside convolutions and matrix products, ``step_over_convolutions`` how many times as long
    as its convolutions the step takes.

    Raises:
        FairfaceError: the process ended, or said nothing about its primitives.
    """
    environment = {
        **os.environ, "OMP_NUM_THREADS": str(job["threads"]), "PYTHONPATH": str(HERE.parent), "DNNL_VERBOSE": "1",
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, str(HERE / kind.script), json.dumps({**job, **kind.extra})], env=environment, text=True,
        input=json.dumps({"steps": STEPS}) + "\n", stdout=subprocess.PIPE, check=False,
    )  # fmt: skip
    if done.returncode:
        raise FairfaceError(f"{name}: its process ended with code {done.returncode} (the cause stands above)")
    lines = done.stdout.splitlines()
    answers = [number for number, line in enumerate(lines) if line.startswith("{")]
    seconds = sum(json.loads(lines[answers[1]])["seconds"])
    groups: dict[str, float] = defaultdict(float)
    for line in lines[answers[0] : answers[1]]:
        if line.startswith("dnnl_verbose,exec"):
            group, spent = _primitive(line)
            groups[group] += spent
    if not groups["convolution"]:
        raise FairfaceError(f"{name}: oneDNN names no convolution; this MXNet runs without it")
    groups["outside oneDNN"] = max(0.0, seconds - sum(groups.values()))
    total = sum(groups.values())
    return {
        "side": name, "seconds_per_step": seconds / STEPS,
        "shares": {group: spent / total for group, spent in sorted(groups.items(), key=lambda item: -item[1])},
        "outside": 1 - sum(groups[group] for group in COMPUTE) / total,
        "step_over_convolutions": total / groups["convolution"],
    }  # fmt: skip


def _primitive(line: str) -> tuple[str, float]:
    """Group and seconds of a line ``dnnl_verbose,exec,cpu,<kind>,...,<shape>,<milliseconds>``."""
    fields = line.split(",")
    kind, shape = fields[3], fields[-2]
    # The 1x1 depthwise convolution is half of PReLU; real ones have larger kernels.
    prelu = kind == "convolution" and shape.startswith("g") and "kh1" in shape
    return _GROUPS["eltwise"] if prelu else _GROUPS.get(kind, kind), float(fields[-1]) / 1000


def show_profile(profiles: Sequence[Mapping[str, Any]]) -> None:
    """The shares for people."""
    for result in profiles:
        print(f"{result['side']}: {result['seconds_per_step']:.2f} s a step")
        print(table([[group, f"{share:.1%}"] for group, share in result["shares"].items()], ["part", "share"]))
        print(f"outside convolutions and matrix products {result['outside']:.1%}; "
              f"the step takes {result['step_over_convolutions']:.2f} times its convolutions")  # fmt: skip
