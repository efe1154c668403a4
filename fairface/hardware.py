"""What this machine has: cores, memory, NVIDIA's libraries. Imports nothing but Python's own library."""

from __future__ import annotations

import ctypes
import importlib.util
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

Capability = tuple[int, int]  # major, minor

OLDEST_CAPABILITY: Capability = (5, 0)  # GTX 900
TOO_NEW_CAPABILITY: Capability = (9, 0)  # H100
DRIVER = "libcuda.so.1"  # comes with NVIDIA's driver, never from PyPI
_MAJOR, _MINOR = 75, 76  # CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR and _MINOR
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


def available_memory(table: Path = Path("/proc/meminfo")) -> int | None:
    """Bytes of main memory that can be taken without swapping (``MemAvailable``); None where Linux does not tell."""
    try:
        lines = table.read_text().splitlines()
    except OSError:
        return None
    told = [line.split()[1] for line in lines if line.startswith("MemAvailable:")]
    return int(told[0]) * 1024 if told else None


def compute_capabilities(load: Callable[[str], Any] = ctypes.CDLL) -> list[Capability]:
    """Compute capability of every NVIDIA GPU that this process may use, in CUDA's order; empty without a driver.

    Asks the driver itself (https://docs.nvidia.com/cuda/cuda-driver-api/), which knows ``CUDA_VISIBLE_DEVICES``.
    """
    number = ctypes.c_int()
    try:
        driver = load(DRIVER)
        if driver.cuInit(0) or driver.cuDeviceGetCount(ctypes.byref(number)):
            return []
        return [_capability(driver, device) for device in range(number.value)]
    except (OSError, AttributeError):  # no driver, or a library that is not the driver's
        return []


def _capability(driver: Any, number: int) -> Capability:
    device, major, minor = ctypes.c_int(), ctypes.c_int(), ctypes.c_int()
    driver.cuDeviceGet(ctypes.byref(device), number)
    driver.cuDeviceGetAttribute(ctypes.byref(major), _MAJOR, device)
    driver.cuDeviceGetAttribute(ctypes.byref(minor), _MINOR, device)
    return major.value, minor.value


def without_gpu_code(capability: Capability) -> str:
    """Why mxnet-cu112 cannot run on a GPU of this compute capability; empty where it can.

    It holds machine code for 5.0, 6.0, 7.0, 8.0 and 8.6 and no PTX: code of a major version runs on its later minors,
    and there is nothing to compile for another major version from.
    """
    if OLDEST_CAPABILITY <= capability < TOO_NEW_CAPABILITY:
        return ""
    return "MXNet's last CUDA package has code for compute capability 5.0 to 8.9 only"


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


def usable_gpus() -> list[int]:
    """Numbers of the GPUs that MXNet has code for."""
    return [number for number, found in enumerate(compute_capabilities()) if not without_gpu_code(found)]
