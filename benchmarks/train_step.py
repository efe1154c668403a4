"""Training step (forward, backward, update) of our net with an ArcFace head against the same net in PyTorch.

python benchmarks/train_step.py --net r50 --batch 32 --pairs 9 --torch-python .venv-torch/bin/python --json

Sides: ours and PyTorch, eager (NCHW, channels_last) and compiled by inductor, in fp32 and bf16. How they are measured:
benchmarks/sides.py. ``--profile`` shows where our step's time goes instead (benchmarks/step_profile.py).
"""

from __future__ import annotations

from collections.abc import Sequence

from sides import Kind, add_options, chosen, job_of, measure, show, summary
from step_profile import profile, show_profile

from fairface.cli import parser, print_json, run

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
    add_options(options, NETS, SIDES)
    options.set_defaults(batch=32)
    options.add_argument("--classes", type=int, default=10572)
    options.add_argument("--profile", action="store_true", help="where the time of our sides goes")
    args = options.parse_args(argv)
    names = chosen(args.sides, SIDES)
    job = job_of(args, NETS, "classes")
    if args.profile:
        profiles = [profile(name, SIDES[name], job) for name in names if name.startswith("ours")]
        print_json({"job": job, "profiles": profiles}) if args.json else show_profile(profiles)
        return
    sides = measure({name: SIDES[name] for name in names}, args.torch_python, job, args.pairs, args.steps, "parameters")
    result = summary(sides, job, PAIRS)
    print_json(result) if args.json else show(result)


if __name__ == "__main__":
    run(main)
