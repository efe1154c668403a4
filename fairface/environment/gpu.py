"""Is there an NVIDIA GPU, and does mxnet-cu112 work on it?"""

from __future__ import annotations

import ctypes
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from fairface.hardware import DRIVER, compute_capabilities, without_gpu_code

PROC_DRIVER = Path("/proc/driver/nvidia/version")
TRIAL_SECONDS = 60.0
# CUDA 11.2: https://docs.nvidia.com/cuda/archive/11.2.0/cuda-toolkit-release-notes/
OLDEST_DRIVER = 450
# One convolution goes through the driver, the CUDA runtime and cuDNN.
TRIAL = """
from fairface.mx import nd
from fairface.parallel import contexts_of
gpu, = contexts_of()
if gpu.device_type != "gpu":
    raise SystemExit("MXNet sees no GPU that it can use")
image, weight = nd.ones((1, 3, 8, 8), ctx=gpu), nd.ones((2, 3, 3, 3), ctx=gpu)
out = nd.Convolution(image, weight, no_bias=True, kernel=(3, 3), num_filter=2).asnumpy()
raise SystemExit(0 if (out == 27).all() else "a convolution gave wrong numbers")
"""


@dataclass(frozen=True)
class Gpu:
    """A GPU as its driver describes it; ``unknown`` where it does not."""

    name: str
    driver: str = "unknown"
    capability: str = "unknown"

    def __str__(self) -> str:
        return f"{self.name}, driver {self.driver}, compute capability {self.capability}"

    def hint(self) -> str:
        """What is known to be wrong with this driver for CUDA 11.2; empty when nothing is."""
        major = re.match(r"\d+", self.driver)
        if major and int(major[0]) < OLDEST_DRIVER:
            return f"CUDA 11 needs driver {OLDEST_DRIVER} or newer"
        return ""

    def unusable(self) -> str:
        """Why mxnet-cu112 cannot run on this GPU, whatever the driver; empty where it may."""
        known = re.fullmatch(r"(\d+)\.(\d+)", self.capability)
        return without_gpu_code((int(known[1]), int(known[2]))) if known else ""


def find_gpu(load: Callable[[str], Any] = ctypes.CDLL, proc: Path = PROC_DRIVER) -> Gpu | None:
    """The first NVIDIA GPU that mxnet-cu112 has code for, else the first; ``None`` where no driver is loaded."""
    tool = shutil.which("nvidia-smi")
    if tool is None and not proc.exists():
        return None
    try:
        load(DRIVER)
    except OSError:
        return None
    if tool is None:
        version = re.search(r"\b(\d+\.\d+(\.\d+)?)\b", proc.read_text(encoding="utf-8", errors="replace"))
        found = [Gpu("NVIDIA GPU", version[1] if version else "unknown")]
    else:
        # Drivers before 510 do not know the field compute_cap.
        found = _query(tool, "name,driver_version,compute_cap") or _query(tool, "name,driver_version")
    if any(gpu.capability == "unknown" for gpu in found):
        asked = [f"{major}.{minor}" for major, minor in compute_capabilities(load)]
        # The driver may count in another order than the tool: several GPUs are told apart only where all are alike.
        if len(set(asked)) == 1:
            found = [replace(gpu, capability=asked[0]) for gpu in found]
    return next((gpu for gpu in found if not gpu.unusable()), found[0] if found else None)


def _query(tool: str, fields: str) -> list[Gpu]:
    command = [tool, f"--query-gpu={fields}", "--format=csv,noheader"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return []
    if done.returncode != 0:
        return []
    lines = [line for line in done.stdout.splitlines() if line.strip()]
    return [Gpu(*(part.strip() for part in line.split(",")[:3])) for line in lines]


def try_gpu(command: Sequence[str], root: Path, seconds: float = TRIAL_SECONDS) -> str:
    """Run the trial in a process of its own, which may crash or hang. Returns the cause of a failure, or ``""``."""
    environment = {**os.environ, "PYTHONPATH": str(root)}
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        _, errors = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        return f"import and one convolution did not end within {seconds:g} s"
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
    if process.returncode == 0:
        return ""
    if process.returncode < 0:
        return f"the test process was ended by {signal.Signals(-process.returncode).name}"
    lines = [line.strip() for line in errors.splitlines() if line.strip()]
    return lines[-1] if lines else f"the test process ended with exit code {process.returncode}"
