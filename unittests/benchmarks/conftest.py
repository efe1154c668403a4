"""The benchmarks with settings as small as they go, each run once; figures are not judged here."""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from unittests.interop.dlib.dlib_writer import TinyNet

ROOT = Path(__file__).parents[2]
SIDES = "--net tiny --batch 2 --embedding 8 --image-size 32 --pairs 2 --steps 1"
SMALL = {
    "align": "--photographs 6 --large 1 --large-size 200 300 --repeats 2",
    "dlib_net": "--batch 3 --pairs 2 --steps 1 --threads 1 --model tiny.dat",
    "embed": SIDES,
    "train_step": SIDES,
    "classifier": "--classes 300 --batch 4 --embedding 8 --rounds 2 --steps 1 --threads 1 "
    "--sides dense,sharded,sampled-mapped",
    "fairness_bootstrap": "--comparisons 4000 --subjects 60 --many-subjects 500 --rounds 5 --repeats 2",
    "formats": "--images 40 --repeats 2 --threads 2",
    "input_pipeline": "--images 64 --batch-size 16 --repeats 2",
    "masks": "--images 20 --repeats 2 --records 40 --batch-size 4 --blocks 2 --steps 1",
    "onnx_engines": "--net tiny --batch 2 --embedding 8 --image-size 32 --pairs 2 --steps 1 --calibration-images 32",
    "open_records": "--records 3000 --repeats 2",
    "orl_seeds": "--seeds 0,1,2",
    "report": "--comparisons 600 --subjects 40 --groups 2 --rounds 5 --repeats 2",
    "retrieval": "--queries 60 --gallery 80 --identities 9 --dimensions 16 --repeats 2",
    "scoring": "--images 1200 --gallery 40 --probes 160 --pairs 2500 --genuine 160 --dimensions 16 "
    "--verification-pairs 200 --repeats 2",
    "scoring_all_pairs": "--images 240 --sorted-images 200 --dimensions 16 --rounds 5 --repeats 2",
    "soak": "--steps 20 --batch-size 4 --every 5",
    "train_from_disk": "--images 40 --batch-size 4 --blocks 2 --steps 1 --memory-batch 4 --memory-steps 4",
    "workers": "--net fresnet_tiny --batch-size 8 --images 16 --embedding 8 --turns 2 --steps 4",
    "virface": "--net fresnet_tiny --labeled 4 --unlabeled 3 --classes 9 --embedding 8 --image-size 32 --rounds 2",
}


def runs_of_seeds(folder: Path) -> None:
    """Runs that orl_seeds.py finds done: training takes minutes. AUC and TAR of seed s are 0.9 and 0.6 + s / 10."""
    for seed in range(3):
        run = folder / f"seed_{seed}"
        run.mkdir(parents=True)
        baseline = {"auc": 0.9, "tar": {"0.01": 0.5}}
        metrics = {"auc": 0.9, "eer": 0.1, "tar": {"0.01": 0.6 + seed / 10}, "baseline": baseline}
        (run / "metrics.json").write_text(json.dumps(metrics))
        (run / "seconds.txt").write_text("1.0\n")


@pytest.fixture(scope="session")
def result_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], dict[str, Any]]:
    """The JSON of a benchmark by its name."""

    @functools.cache
    def result(name: str) -> dict[str, Any]:
        folder = tmp_path_factory.mktemp(name)
        more = ["--sides", "ours,ours bf16"] if SMALL[name] == SIDES else []
        if name == "orl_seeds":
            runs_of_seeds(folder / "runs")
            more = ["--output", str(folder / "runs")]
        if name == "dlib_net":
            (folder / "tiny.dat").write_bytes(TinyNet().content())
            more = ["--sides", "ours,ours one by one"]
        command = [sys.executable, str(ROOT / "benchmarks" / f"{name}.py"), *SMALL[name].split(), *more, "--json"]
        # One thread: beside other programs two of oneDNN's wait for each other.
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(folder), "OMP_NUM_THREADS": "1"}
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, cwd=folder)
        assert done.returncode == 0, done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    return result


@pytest.fixture
def benchmarks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets a test import the modules of benchmarks/."""
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    for path in (ROOT / "benchmarks").glob("*.py"):
        monkeypatch.delitem(sys.modules, path.stem, raising=False)
