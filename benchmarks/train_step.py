"""Training step (forward, backward, update) of our net with an ArcFace head against the same net in PyTorch.

python benchmarks/train_step.py --net r50 --batch 32 --pairs 9 --torch-python .venv-torch/bin/python --json

Sides: ours and PyTorch, eager (NCHW, channels_last) and compiled by inductor, in fp32 and bf16. How they are measured:
benchmarks/sides.py. ``--profile`` shows where our step's time goes instead (benchmarks/step_profile.py).
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from sides import Kind, chosen, measure, show, summary
from step_profile import profile, show_profile

from fairface.cli import parser, print_json, run
from fairface.hardware import physical_cores

# Short names, and those of fairface.backbones.
NETS = {"r18": "fresnet18", "r50": "fresnet50", "mobilefacenet": "mobilefacenet", "tiny": "fresnet_tiny"}
NETS |= {name: name for name in NETS.values()}
OURS, THEIRS = "train_step_mxnet.py", "train_step_torch.py"
SIDES = {
    "ours": Kind(OURS, {"precision": "fp32"}),
    "torch nchw": Kind(THEIRS, {"layout": "nchw"}, "torch"),
    "torch channels_last": Kind(THEIRS, {}, "torch"),
    "torch compile": Kind(THEIRS, {"compile": True}, "torch"),
    "ours bf16": Kind(OURS, {"precision": "bf16"}),
    "torch channels_last bf16": Kind(THEIRS, {"precision": "bf16"}, "torch"),
    "torch compile bf16": Kind(THEIRS, {"precision": "bf16", "compile": True}, "torch"),
}
PAIRS = (
    ("ours", ("torch nchw", "torch channels_last")),
    ("ours", ("torch compile",)),
    ("ours bf16", ("torch channels_last bf16",)),
    ("ours bf16", ("torch compile bf16",)),
    ("ours bf16", ("ours",)),
)


def main(argv: Sequence[str]) -> None:
    options = parser(__doc__.splitlines()[0])
    options.add_argument("--net", default="r50", choices=NETS)
    options.add_argument("--batch", type=int, default=32)
    options.add_argument("--classes", type=int, default=10572)
    options.add_argument("--embedding", type=int, default=512)
    options.add_argument("--image-size", type=int, default=112)
    options.add_argument("--pairs", type=int, default=9, help="rounds; every side is measured once in each")
    options.add_argument("--steps", type=int, default=2, help="steps of a side in a round; their median counts")
    options.add_argument("--threads", type=int, default=physical_cores())
    options.add_argument("--sides", default=",".join(SIDES), help="which to run, ours first")
    options.add_argument("--torch-python", default=sys.executable, help="Python with torch 2.13 (the extra bench)")
    options.add_argument("--profile", action="store_true", help="where the time of our sides goes")
    options.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    args = options.parse_args(argv)
    names = chosen(args.sides, SIDES)
    job = {key: getattr(args, key) for key in ("batch", "classes", "embedding", "image_size", "threads")}
    job["net"] = NETS[args.net]
    if args.profile:
        profiles = [profile(name, SIDES[name], job) for name in names if name.startswith("ours")]
        print_json({"job": job, "profiles": profiles}) if args.json else show_profile(profiles)
        return
    sides = measure({name: SIDES[name] for name in names}, args.torch_python, job, args.pairs, args.steps, "parameters")
    result = summary(sides, job, PAIRS)
    print_json(result) if args.json else show(result)


if __name__ == "__main__":
    run(main)
