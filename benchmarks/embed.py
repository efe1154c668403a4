"""Embedding with flip (every image passes twice) against ONNX Runtime and PyTorch with the same net.

python benchmarks/embed.py --net r50 --batch 64 --pairs 9 --torch-python .venv-torch/bin/python --json

How the sides are measured: benchmarks/sides.py.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from sides import Kind, chosen, measure, show, summary
from train_step import NETS

from fairface.cli import parser, print_json, run
from fairface.hardware import physical_cores

OURS, THEIRS = "embed_mxnet.py", "embed_torch.py"
SIDES = {
    "ours": Kind(OURS, {"precision": "fp32"}),
    "onnxruntime": Kind(THEIRS, {"onnx": True}, "onnxruntime"),
    "torch channels_last": Kind(THEIRS, {}, "torch"),
    "ours bf16": Kind(OURS, {"precision": "bf16"}),
    "torch channels_last bf16": Kind(THEIRS, {"precision": "bf16"}, "torch"),
    "torch compile bf16": Kind(THEIRS, {"precision": "bf16", "compile": True}, "torch"),
}
PAIRS = (
    ("ours", ("onnxruntime",)),
    ("ours", ("torch channels_last",)),
    ("ours bf16", ("torch channels_last bf16",)),
    ("ours bf16", ("torch compile bf16",)),
    ("ours bf16", ("ours",)),
)


def main(argv: Sequence[str]) -> None:
    options = parser(__doc__.splitlines()[0])
    options.add_argument("--net", default="r50", choices=NETS)
    options.add_argument("--batch", type=int, default=64)
    options.add_argument("--embedding", type=int, default=512)
    options.add_argument("--image-size", type=int, default=112)
    options.add_argument("--pairs", type=int, default=9, help="rounds; every side is measured once in each")
    options.add_argument("--steps", type=int, default=2, help="batches of a side in a round; their median counts")
    options.add_argument("--threads", type=int, default=physical_cores())
    options.add_argument("--sides", default=",".join(SIDES), help="which to run, ours first")
    options.add_argument("--torch-python", default=sys.executable, help="Python with torch 2.13 and onnxruntime")
    options.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    args = options.parse_args(argv)
    names = chosen(args.sides, SIDES)
    job = {key: getattr(args, key) for key in ("batch", "embedding", "image_size", "threads")}
    job["net"] = NETS[args.net]
    sides = measure({name: SIDES[name] for name in names}, args.torch_python, job, args.pairs, args.steps, "parameters")
    result = summary(sides, job, PAIRS)
    print_json(result) if args.json else show(result)


if __name__ == "__main__":
    run(main)
