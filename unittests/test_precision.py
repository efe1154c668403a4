"""Half precision: what is refused, and that bfloat16 learns and saves float32 (in a process of its own)."""

import subprocess
import sys
from pathlib import Path

import pytest

from fairface.errors import DeviceError
from fairface.precision import enable

RUN = """
import sys
from pathlib import Path
from fairface.checkpoints import resolve
from fairface.parameters import load_arrays
from fairface.training.run import train
from unittests.training.helpers import make_people, tiny_config

folder = Path(sys.argv[1])
people = make_people(folder / "people")
config = tiny_config(folder, people, "precision=bf16", "steps=30", "log.every=10")
assert train(config, quiet=True) == 0
files = resolve(str(folder / "models" / "tiny") + "@last")
assert {array.dtype.__name__ for array in load_arrays(str(files.params)).values()} == {"float32"}
assert "amp_cast" not in files.symbol.read_text()
try:
    train(tiny_config(folder, people, "name=other"), quiet=True)
except Exception as error:
    print("refused:", error)
lines = [line for line in (folder / "models" / "tiny" / "log.jsonl").read_text().splitlines() if '"train"' in line]
print(lines[0]); print(lines[-1])
"""


@pytest.mark.parametrize(
    ("precision", "on_gpu", "prelu", "said"),
    [("fp16", False, "auto", "needs a GPU"), ("bf16", True, "auto", "for CPUs"), ("fp16", True, "onednn", "prelu")],
)
def test_what_a_device_cannot_do_is_refused(precision: str, on_gpu: bool, prelu: str, said: str) -> None:
    with pytest.raises(DeviceError, match=said):
        enable(precision, on_gpu, prelu)


def test_full_precision_changes_nothing() -> None:
    enable("fp32", False, "auto")


def test_bfloat16_learns_and_saves_float32(tmp_path: Path) -> None:
    import json

    done = subprocess.run(
        [sys.executable, "-c", RUN, str(tmp_path)], capture_output=True, text=True, check=False,
        cwd=Path(__file__).parents[1],
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    refused, first, last = done.stdout.strip().splitlines()
    assert "already computes in half precision" in refused
    assert json.loads(last)["loss"] < json.loads(first)["loss"] / 2


GRAPH = """
import json
from fairface.backbones import build_backbone
from fairface.config.schema import BackboneConfig
from fairface.mx import mx
from fairface.precision import enable

enable("bf16", False, "auto")
for name in ("fresnet_tiny", "mobilefacenet"):
    net = build_backbone(BackboneConfig(name=name, embedding=16), 112)
    nodes = json.loads(net(mx.sym.var("data")).tojson(remove_amp_cast=False))["nodes"]
    convolutions = [node for node in nodes if node["op"] == "Convolution"]
    sources = [[nodes[entry[0]]["op"] for entry in node["inputs"]] for node in convolutions]
    norms = [nodes[node["inputs"][0][0]]["op"] for node in nodes if node["op"] == "BatchNorm"]
    print(sources[0], norms[0], {kind for pair in sources[1:] for kind in pair})
"""


def test_in_bfloat16_only_the_convolution_of_the_image_is_float32() -> None:
    done = subprocess.run(
        [sys.executable, "-c", GRAPH], capture_output=True, text=True, check=False, cwd=Path(__file__).parents[1]
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.splitlines() == ["['_mul_scalar', 'null'] Convolution {'amp_cast'}"] * 2
