"""Embedding with flip (every image passes twice): MXNet, the exported net by ONNX Runtime, and the same in int8.

python benchmarks/onnx_engines.py --net mobilefacenet --batch 64 --pairs 9 --json
python benchmarks/onnx_engines.py --model dlib --batch 64 --pairs 9 --json

How the sides are measured: benchmarks/sides.py. Not called onnx.py, as its neighbours import the package of that name.
"""

from __future__ import annotations

from collections.abc import Sequence

from comparison import chosen, job_of, options, show, summary
from sides import Kind, measure

from fairface.cli import print_json, run

ONNX = "embed_onnx.py"
SIDES = {
    "ours int8": Kind(ONNX, {"precision": "int8"}),
    "ours fp32": Kind(ONNX, {"precision": "fp32"}),
    "ours mxnet": Kind("embed_mxnet.py", {"precision": "fp32"}),
}
PAIRS = (
    ("ours int8", ("ours fp32",)),
    ("ours fp32", ("ours mxnet",)),
    ("ours int8", ("ours mxnet",)),
)


def main(argv: Sequence[str]) -> None:
    arguments = options(__doc__.splitlines()[0], SIDES, batch=64)
    arguments.add_argument("--calibration-images", type=int, default=64, help="images that int8 is calibrated on")
    arguments.add_argument("--model", default="", help="a known model, such as dlib, instead of --net")
    args = arguments.parse_args(argv)
    job = job_of(args, "calibration_images", "model")
    sides = measure(chosen(args.sides, SIDES), args.torch_python, job, args.pairs, args.steps)
    result = {"benchmark": "onnx_engines", **summary(sides, job, PAIRS)}
    print_json(result) if args.json else show(result)


if __name__ == "__main__":
    run(main)
