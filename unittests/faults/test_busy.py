"""Equal work on a machine with more to do than it has cores for: the same bits, however threads take turns."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).with_name("equal_updates.py")
ROOT = Path(__file__).resolve().parents[2]
PROCESSES, TIMES = 6, 20  # of the 120 endings under MXNet's own rule of nag, 4, 7 and 9 were odd in three tries

pytestmark = pytest.mark.faults


@pytest.mark.parametrize(("name", "width"), [("sgd", 1.0), ("nag", 0.25), ("adam", 0.25)])
def test_equal_updates_end_in_equal_bits(name: str, width: float) -> None:
    """At width 1 convolutions are large enough that sgd updates them one by one."""
    command = [sys.executable, str(PROGRAM), name, str(TIMES), str(width)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    started = [
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(PROCESSES)
    ]
    outputs = [process.communicate(timeout=600) for process in started]
    assert [process.returncode for process in started] == [0] * PROCESSES, outputs
    endings = [line for out, _ in outputs for line in out.split()]
    assert len(endings) == PROCESSES * TIMES
    assert len(set(endings)) == 1, {ending[:8]: endings.count(ending) for ending in endings}
