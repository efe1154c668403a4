"""Finding and trying a GPU, with a pretended nvidia-smi, driver and trial: no GPU is needed."""

from __future__ import annotations

import sys
import time

import pytest

from fairface.environment.gpu import TRIAL, Gpu, find_gpu, try_gpu
from fairface.hardware import compute_capabilities


def loads(name):
    assert name == "libcuda.so.1"


def fails(name):
    raise OSError(name)


@pytest.fixture
def no_proc(tmp_path):
    return tmp_path / "absent"


@pytest.fixture
def nvidia_smi(tmp_path, monkeypatch):
    folder = tmp_path / "tools"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")

    def write(script):
        tool = folder / "nvidia-smi"
        tool.write_text(f"#!/bin/sh\n{script}\n")
        tool.chmod(0o755)

    return write


def test_no_driver_no_gpu(monkeypatch, no_proc, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_gpu(loads, no_proc) is None


def test_gpu_as_nvidia_smi_describes_it(nvidia_smi, no_proc):
    nvidia_smi("echo 'Tesla V100-SXM2-16GB, 470.57.02, 7.0'; echo 'Tesla K80, 470.57.02, 3.7'")
    gpu = find_gpu(loads, no_proc)
    assert gpu == Gpu("Tesla V100-SXM2-16GB", "470.57.02", "7.0")
    assert str(gpu) == "Tesla V100-SXM2-16GB, driver 470.57.02, compute capability 7.0"


def test_old_driver_that_does_not_know_compute_cap(nvidia_smi, no_proc):
    nvidia_smi('case "$*" in *compute_cap*) echo "not a valid field"; exit 2;; *) echo "Tesla K80, 460.1";; esac')
    assert find_gpu(loads, no_proc) == Gpu("Tesla K80", "460.1", "unknown")


@pytest.mark.parametrize("script", ["echo 'No devices were found'; exit 6", "exit 0", "kill -9 $$"])
def test_tool_without_gpu(nvidia_smi, no_proc, script):
    nvidia_smi(script)
    assert find_gpu(loads, no_proc) is None


def test_driver_library_that_does_not_load(nvidia_smi, no_proc):
    nvidia_smi("echo 'Tesla V100, 470.1, 7.0'")
    assert find_gpu(fails, no_proc) is None


def test_driver_without_its_tool(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    proc = tmp_path / "version"
    proc.write_text("NVRM version: NVIDIA UNIX x86_64 Kernel Module  470.57.02  Tue Jul 13 16:14:05 UTC 2021\n")
    assert find_gpu(loads, proc) == Gpu("NVIDIA GPU", "470.57.02")


@pytest.mark.parametrize(
    ("gpu", "words"),
    [
        (Gpu("K80", "418.39", "3.7"), "driver 450 or newer"),
        (Gpu("V100", "470.1", "7.0"), ""),
        (Gpu("L40", "535.1", "8.9"), ""),
        (Gpu("?"), ""),
    ],
)
def test_hint(gpu, words):
    assert (words in gpu.hint()) if words else gpu.hint() == ""


# Published compute capabilities: https://developer.nvidia.com/cuda-gpus
@pytest.mark.parametrize("capability", ["5.0", "5.2", "6.1", "7.0", "7.5", "8.0", "8.6", "8.9", "unknown"])
def test_gpus_with_code(capability):
    assert Gpu("?", "535.1", capability).unusable() == ""


@pytest.mark.parametrize("capability", ["3.5", "3.7", "9.0", "10.0", "12.0"])
def test_gpus_without_code(capability):
    assert "5.0 to 8.9" in Gpu("?", "535.1", capability).unusable()


class Driver:
    """libcuda.so.1 with GPUs of these compute capabilities."""

    def __init__(self, capabilities, failure=0):
        self.capabilities = capabilities
        self.failure = failure

    def __call__(self, name):
        assert name == "libcuda.so.1"
        return self

    def cuInit(self, flags):
        assert flags == 0
        return self.failure

    def cuDeviceGetCount(self, count):
        count._obj.value = len(self.capabilities)
        return 0

    def cuDeviceGet(self, device, number):
        device._obj.value = 100 + number  # a handle, not the number
        return 0

    def cuDeviceGetAttribute(self, value, attribute, device):
        value._obj.value = self.capabilities[device.value - 100][{75: 0, 76: 1}[attribute]]
        return 0


def test_the_driver_is_asked_for_capabilities():
    assert compute_capabilities(Driver([(8, 9), (9, 0), (12, 0)])) == [(8, 9), (9, 0), (12, 0)]
    assert compute_capabilities(Driver([])) == []
    assert compute_capabilities(Driver([(8, 0)], failure=100)) == []
    assert compute_capabilities(fails) == []
    assert compute_capabilities(lambda name: object()) == []


def test_the_driver_tells_what_the_tool_does_not(monkeypatch, tmp_path, nvidia_smi, no_proc):
    nvidia_smi('case "$*" in *compute_cap*) exit 2;; *) echo "H100, 470.1"; echo "H100, 470.1";; esac')
    assert find_gpu(Driver([(9, 0), (9, 0)]), no_proc) == Gpu("H100", "470.1", "9.0")
    assert find_gpu(Driver([(9, 0), (8, 0)]), no_proc) == Gpu("H100", "470.1", "unknown")
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    proc = tmp_path / "version"
    proc.write_text("NVRM version: NVIDIA UNIX x86_64 Kernel Module  570.1\n")
    assert find_gpu(Driver([(12, 0)]), proc) == Gpu("NVIDIA GPU", "570.1", "12.0")


def test_the_first_gpu_with_code_counts(nvidia_smi, no_proc):
    nvidia_smi("echo 'H100, 535.1, 9.0'; echo 'A100, 535.1, 8.0'; echo 'T4, 535.1, 7.5'")
    assert find_gpu(loads, no_proc) == Gpu("A100", "535.1", "8.0")
    nvidia_smi("echo 'H100, 535.1, 9.0'; echo 'K80, 535.1, 3.7'")
    assert find_gpu(loads, no_proc) == Gpu("H100", "535.1", "9.0")


def trial(code, root, seconds=30.0):
    return try_gpu([sys.executable, "-c", code], root, seconds)


def test_trial_that_works_sees_this_checkout(root):
    assert trial("import fairface, os; assert fairface.__file__.startswith(os.environ['PYTHONPATH'])", root) == ""


def test_trial_that_fails_gives_its_last_line(root):
    code = "raise OSError('libcudnn.so.8: cannot open shared object file')"
    assert trial(code, root) == "OSError: libcudnn.so.8: cannot open shared object file"


def test_trial_that_crashes(root):
    code = "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)"
    assert trial(code, root) == "the test process was ended by SIGSEGV"


def test_the_trial_itself_where_no_gpu_is_to_be_seen(root, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert trial(TRIAL, root) == "MXNet sees no GPU that it can use"


def test_trial_that_only_fails(root):
    assert trial("raise SystemExit(3)", root) == "the test process ended with exit code 3"


def test_trial_that_hangs_is_ended_with_its_children(root, tmp_path):
    pid = tmp_path / "pid"
    code = f"import subprocess as s; p = s.Popen(['sleep', '60']); open({str(pid)!r}, 'w').write(str(p.pid)); p.wait()"
    start = time.monotonic()
    assert "did not end within 2 s" in trial(code, root, 2.0)
    assert time.monotonic() - start < 10
    child = pid.read_text()
    # The signal was sent; on a busy machine the kernel may take a moment to deliver it.
    while state_of(child) not in ("gone", "Z", "X"):
        assert time.monotonic() - start < 20
        time.sleep(0.05)


def state_of(pid: str) -> str:
    """The process's state letter, or "gone"."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().split()[2]
    except FileNotFoundError:
        return "gone"
