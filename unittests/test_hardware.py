"""What Linux tells of its memory, and an MXNet for GPUs on a machine without their driver."""

import subprocess
import sys
from pathlib import Path

import pytest

from fairface.hardware import available_memory, total_memory


def test_memory_that_can_be_taken(tmp_path: Path) -> None:
    table = tmp_path / "meminfo"
    table.write_text("MemTotal:       65843208 kB\nMemFree:  7 kB\nMemAvailable:   51234567 kB\n")
    assert available_memory(table) == 51234567 * 1024
    table.write_text("MemTotal:       65843208 kB\n")  # Linux before 3.14
    assert available_memory(table) is None
    assert available_memory(tmp_path / "none") is None
    assert 0 < (available_memory() or 0) <= total_memory()


@pytest.mark.parametrize(
    ("reason", "error"),
    [("libcuda.so.1: cannot open shared object file", "fairface.errors.DeviceError: the installed MXNet is for NVIDIA's"
      " GPUs and their driver (libcuda.so.1) is not here; containers get it with 'docker run --gpus all'"),
     ("libmxnet.so: file too short", "OSError: libmxnet.so: file too short")],
)  # fmt: skip
def test_mxnet_for_gpus_without_a_driver_says_what_to_do(tmp_path: Path, reason: str, error: str) -> None:
    package = tmp_path / "mxnet" / "__init__.py"
    package.parent.mkdir()
    package.write_text(f"raise OSError({reason!r})\n")
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import fairface.mx"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith(error)
