"""What this machine has: cores, memory, NVIDIA's libraries. Imports nothing but Python's own library."""

from __future__ import annotations

import ctypes
import importlib.util
import os
from pathlib import Path

CUDA_PACKAGES = (
    "cuda_nvrtc", "cuda_runtime", "nvtx", "cublas", "cufft", "curand", "cusparse", "cusolver", "cudnn", "nccl",
)  # fmt: skip


def usable_cores() -> int:
    """Logical cores that this process may use."""
    return len(os.sched_getaffinity(0))


def physical_cores() -> int:
    """Physical cores among those that this process may use (hyper-threads counted once)."""
    cores = set()
    for cpu in os.sched_getaffinity(0):
        folder = Path(f"/sys/devices/system/cpu/cpu{cpu}/topology")
        try:
            cores.add(((folder / "physical_package_id").read_text().strip(), (folder / "core_id").read_text().strip()))
        except OSError:
            return usable_cores()
    return max(1, len(cores))


def processor_name() -> str:
    """The processor's name as Linux gives it, ``unknown`` where it does not."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return "unknown"
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")


def total_memory() -> int:
    """Bytes of main memory."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def load_cuda_libraries() -> list[str]:
    """Load CUDA 11's libraries from the ``nvidia-*-cu11`` packages, in the order in which they need each other.

    Does nothing where the packages are not installed. Returns the names of the loaded files.
    """
    spec = importlib.util.find_spec("nvidia")
    if spec is None or spec.submodule_search_locations is None:
        return []
    loaded = []
    for root in spec.submodule_search_locations:
        for package in CUDA_PACKAGES:
            for library in sorted((Path(root) / package / "lib").glob("lib*.so*")):
                try:
                    ctypes.CDLL(str(library), mode=ctypes.RTLD_GLOBAL)
                except OSError:
                    continue
                loaded.append(library.name)
    return loaded
