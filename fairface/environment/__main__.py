"""Print the path of a Python that has everything; make ``.venv`` first where there is none.

Called by ``scripts/environment.sh``; the words after ``--`` are those of the training program, read for ``gpus=``,
``devices=`` and ``--dry-run`` only.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import fairface
from fairface.cli import parser, run
from fairface.environment import SetupError
from fairface.environment.gpu import TRIAL, Gpu, find_gpu, try_gpu
from fairface.environment.pip import say
from fairface.environment.requirements import missing, project_requirements
from fairface.environment.system import check_libraries, check_platform
from fairface.environment.venv import Venv
from fairface.errors import DeviceError
from fairface.hardware import DRIVER

ON_THE_CPU = "leave gpus= and devices= out to train on the CPU"
EXTRAS = {"run": ["cpu", "demo"], "dev": ["cpu", "demo", "dev"], "docs": ["cpu", "demo", "docs"]}


@dataclass(frozen=True)
class Wish:
    """What the user said about devices."""

    gpu: bool = False  # GPUs were named: without them there is nothing to do
    cpu: bool = False  # only CPUs were named


def wish_from(words: Sequence[str], device: str = "") -> Wish:
    """Read ``gpus=0,1``, ``devices=cpu0`` and the variable ``FAIRFACE_DEVICE`` (cpu | cu112); the last one counts."""
    wish = {"cpu": Wish(cpu=True), "cu112": Wish(gpu=True)}.get(device, Wish())
    for word in words:
        key, _, value = word.partition("=")
        if key == "gpus":
            wish = Wish(gpu=True) if value else Wish()
        elif key == "devices":
            wish = Wish(gpu="gpu" in value, cpu="cpu" in value and "gpu" not in value)
    return Wish(cpu=wish.cpu) if "--dry-run" in words else wish


def ready(venv: Venv, wish: Wish) -> bool:
    """Whether ``.venv`` can be used as it is; a GPU that has appeared since is a reason to build again."""
    stamp = venv.stamp()
    if stamp is None:
        return False
    if stamp.device == "cu112" or wish.cpu:
        return True
    return not wish.gpu and (bool(stamp.gpu_failure) or find_gpu() is None)


def build(venv: Venv, wish: Wish) -> None:
    """Make or fix ``.venv``; with a GPU try mxnet-cu112 first.

    Raises:
        DeviceError: GPUs were asked for, but there is none or MXNet does not work on it.
        SetupError: pip or the making of the environment failed.
    """
    check_platform()
    gpu = None if wish.cpu else find_gpu()
    if wish.gpu and gpu is None:
        raise DeviceError(
            f"a GPU was asked for, but no NVIDIA driver was found (nvidia-smi, {DRIVER}); "
            "install the driver or leave gpus= and devices= out to train on the CPU"
        )
    failure = gpu.unusable() if gpu else ""
    if failure and wish.gpu:
        raise DeviceError(f"{gpu}: {failure}; {ON_THE_CPU}")
    start = time.monotonic()
    options = venv.open()
    failure = failure or (_try(venv, gpu, options) if gpu else "")
    if failure and wish.gpu:
        raise DeviceError(f"{gpu}: {failure}; {ON_THE_CPU}")
    if failure:
        say(f"{gpu}: {failure}; the CPU is used")
    device = "cu112" if gpu and not failure else "cpu"
    if device == "cpu":
        venv.install("cpu", options)
    venv.write_stamp(device, failure)
    say(f"ready for {'the GPU' if device == 'cu112' else 'the CPU'} ({time.monotonic() - start:.0f} s)")


def _try(venv: Venv, gpu: Gpu, options: list[str]) -> str:
    say(f"found {gpu}")
    try:
        venv.install("cu112", options)
    except SetupError as error:
        return str(error)
    cause = try_gpu([venv.python, "-c", TRIAL], venv.root)
    return f"{cause} ({gpu.hint()})" if cause and gpu.hint() else cause


def _stop(number: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


def main(argv: Sequence[str]) -> int:
    arguments = parser(__doc__.splitlines()[0], prog="scripts/environment.sh")
    arguments.add_argument("--need", choices=sorted(EXTRAS), default="run",
                           help="run: train and score; dev: test too; docs: build the site")  # fmt: skip
    arguments.add_argument("words", nargs="*", help="arguments of the training program, after --")
    options = arguments.parse_args(argv)
    signal.signal(signal.SIGTERM, _stop)
    check_libraries()
    root = Path(fairface.__file__).resolve().parents[1]
    venv = Venv(root)
    if Path(sys.prefix) != venv.path:
        lacking = missing(project_requirements(root / "pyproject.toml", EXTRAS[options.need]))
        if not lacking:
            print(sys.executable)
            return 0
        if sys.prefix != sys.base_prefix or os.environ.get("CONDA_PREFIX"):
            say(f"the active environment lacks {lacking[0]}{' and more' if lacking[1:] else ''}: .venv is used")
    wish = wish_from(options.words, os.environ.get("FAIRFACE_DEVICE", ""))
    if not ready(venv, wish):
        with venv.locked():
            if not ready(venv, wish):
                build(venv, wish)
    print(venv.python)
    return 0


if __name__ == "__main__":
    run(main)
