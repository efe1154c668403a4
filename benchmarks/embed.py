"""Embedding with flip (every image passes twice) against ONNX Runtime and PyTorch with the same net.

python benchmarks/embed.py --net r50 --batch 64 --pairs 9 --torch-python .venv-torch/bin/python --json

How the sides are measured: benchmarks/sides.py.
"""

from __future__ import annotations

from collections.abc import Sequence

from comparison import chosen, job_of, options, show, summary
from sides import Kind, measure

from fairface.cli import print_json, run

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
    args = options(__doc__.splitlines()[0], SIDES, batch=64).parse_args(argv)
    job = job_of(args)
    sides = measure(chosen(args.sides, SIDES), args.torch_python, job, args.pairs, args.steps)
    result = {"benchmark": "embed", **summary(sides, job, PAIRS)}
    print_json(result) if args.json else show(result)


if __name__ == "__main__":
    run(main)
