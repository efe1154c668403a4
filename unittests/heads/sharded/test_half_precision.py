"""Half precision, in a process of its own: it is switched on for good."""

import json
import subprocess
import sys

import pytest

PROGRAM = """
import json
from fairface.precision import enable
enable("bf16", on_gpu=False, prelu="auto")
from unittests.heads.sharded.test_half_precision import losses_and_types
print(json.dumps(losses_and_types()))
"""


def losses_and_types():
    import numpy as np

    from fairface.config.schema import HeadConfig
    from unittests.heads.sharded.helpers import passed, sharded

    rng = np.random.default_rng(0)
    weight, label = rng.normal(size=(9, 8)), np.append(rng.integers(0, 9, 7), -1)
    head, updater = sharded(HeadConfig(name="curricularface", s=8.0), weight, 2, "float32")
    found = passed(head, updater, weight[label] + rng.normal(size=(8, 8)), label, [0.3])
    updater.update(0.1, 1.0)
    arrays = (found.losses, found.dx, found.dweight, head.arrays()["weight"].asnumpy())
    return [found.losses.tolist(), sorted({str(array.dtype) for array in arrays})]


@pytest.mark.slow
def test_classes_are_multiplied_in_float32(root):
    """The net computes in bfloat16, the split head as without it."""
    command = [sys.executable, "-c", PROGRAM]
    done = subprocess.run(command, capture_output=True, text=True, cwd=root, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == losses_and_types()
    assert losses_and_types()[1] == ["float32"]
