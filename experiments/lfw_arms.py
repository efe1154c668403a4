"""What experiments on LFW that train several nets share: where things are, a training that is started or goes on, and
arms that are worked through."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from fairness import CONFIGS, ROOT, call

from fairface.comparisons import Comparisons
from fairface.protocols.plain_csv import read_plain_csv

A = TypeVar("A")
R = TypeVar("R")


@dataclass(frozen=True)
class Work:
    """Where data, results and runs are; ``model`` is the published model, empty where there is none."""

    lfw: Path
    out: Path
    model: str = ""

    @property
    def models(self) -> Path:
        """The runs."""
        return self.out / "models"

    def pairs(self, split: str) -> Path:
        """The list of who is compared with whom in ``split``."""
        return self.lfw / "aligned" / split / f"{split}_pairs.csv"

    def comparisons(self, split: str) -> Comparisons:
        """Who is compared with whom in ``split``."""
        return read_plain_csv(self.pairs(split))


class OfTrial:
    """An arm's name and people; ``trial`` is empty where it is judged on the test people."""

    way: str
    seed: int
    trial: str

    @property
    def name(self) -> str:
        """``virclass_0``, ``trial_dropout``."""
        return f"trial_{self.trial}" if self.trial else f"{self.way}_{self.seed}"

    @property
    def split(self) -> str:
        """The people whom the arm is scored on."""
        return "validation" if self.trial else "test"


def places(args: Namespace) -> tuple[Path, Path, str]:
    """``--lfw``, ``--out``, which is made, and ``--model`` where there is that option.

    They are absolute: programs are called from the project's folder.
    """
    model = getattr(args, "model", "")
    args.out.mkdir(parents=True, exist_ok=True)
    return args.lfw.resolve(), args.out.resolve(), str(Path(model).resolve()) if model else ""


def seeds_of(args: Namespace) -> list[int]:
    """``--seeds``."""
    return [int(seed) for seed in args.seeds.split(",")]


def run_training(config: str, name: str, seed: int, settings: Sequence[str], work: Work) -> str:
    """Train the run ``name`` with a file of experiments/configs, or go on with it; returns its folder."""
    again = "--resume" if (work.models / name / "manifest.json").is_file() else "--overwrite"
    words = [str(ROOT / "train" / "train.py"), str(CONFIGS / config), f"name={name}", f"output={work.models}"]
    call([*words, f"seed={seed}", *settings, again], name)
    return str(work.models / name)


def work_through(make: Callable[[A], R], arms: Sequence[A], jobs: int) -> list[R]:
    """Every arm's result, ``jobs`` at a time. All are tried before the first error is raised."""
    with ThreadPoolExecutor(max(jobs, 1)) as pool:
        return list(pool.map(make, arms))
