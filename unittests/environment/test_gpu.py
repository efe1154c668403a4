"""Finding and trying a GPU, with a pretended nvidia-smi, driver and trial: no GPU is needed."""

from __future__ import annotations

import sys
import time

import pytest

from fairface.environment.gpu import Gpu, find_gpu, try_gpu


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
        (Gpu("H100", "535.1", "9.0"), "up to 8.6"),
        (Gpu("K80", "418.39", "3.7"), "driver 450 or newer"),
        (Gpu("V100", "470.1", "7.0"), ""),
        (Gpu("A40", "470.1", "8.6"), ""),
        (Gpu("?"), ""),
    ],
)
def test_hint(gpu, words):
    assert (words in gpu.hint()) if words else gpu.hint() == ""


def trial(code, root, seconds=30.0):
    return try_gpu([sys.executable, "-c", code], root, seconds)


def test_trial_that_works_sees_this_checkout(root):
    assert trial("import fairface, os; assert fairface.__file__.startswith(os.environ['PYTHONPATH'])", root) == ""


def test_trial_that_fails_gives_its_last_line(root):
    code = "raise OSError('libcudnn.so.8: cannot open shared object file')"
    assert trial(code, root) == "OSError: libcudnn.so.8: cannot open shared object file"


def test_trial_that_crashes(root):
    assert trial("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", root) == "the trial was ended by SIGSEGV"


def test_trial_that_only_fails(root):
    assert trial("raise SystemExit(3)", root) == "the trial ended with exit code 3"


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
