"""Training step (forward, backward, update) of our net with an ArcFace head against the same net in PyTorch.

python benchmarks/train_step.py --net r50 --batch 32 --pairs 9 --torch-python .venv-torch/bin/python --json

Sides: ours and PyTorch, eager (NCHW, channels_last) and compiled by inductor, in fp32 and bf16. How they are measured:
benchmarks/sides.py. Before that, ours and PyTorch train from the same weights on the same batches, and their losses
must agree (benchmarks/same_learning.py); where they do not, the program ends with 1.
``--profile`` shows where our step's time goes instead (benchmarks/step_profile.py).
"""

from __future__ import annotations

from collections.abc import Sequence

from comparison import chosen, job_of, options, show, summary
from same_learning import compare_losses, show_losses
from sides import Kind, measure
from step_profile import profile, show_profile

from fairface.cli import print_json, run

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


def main(argv: Sequence[str]) -> int:
    parser = options(__doc__.splitlines()[0], SIDES, batch=32)
    parser.add_argument("--classes", type=int, default=10572)
    parser.add_argument("--loss-steps", type=int, default=8, help="steps whose losses are compared; 0 = not compared")
    parser.add_argument("--profile", action="store_true", help="where the time of our sides goes")
    args = parser.parse_args(argv)
    kinds = chosen(args.sides, SIDES)
    job = job_of(args, "classes")
    if args.profile:
        profiles = [profile(name, kind, job) for name, kind in kinds.items() if name.startswith("ours")]
        print_json({"job": job, "profiles": profiles}) if args.json else show_profile(profiles)
        return 0
    losses = None
    if args.loss_steps > 0 and any(kind.needs for kind in kinds.values()):
        losses = compare_losses(SIDES["ours"], SIDES["torch channels_last"], args.torch_python, job, args.loss_steps)
    sides = measure(kinds, args.torch_python, job, args.pairs, args.steps)
    result = {"benchmark": "train_step", **summary(sides, job, PAIRS), "losses": losses}
    if args.json:
        print_json(result)
    else:
        show(result)
        show_losses(losses)
    return 0 if losses is None or losses["agree"] else 1


if __name__ == "__main__":
    run(main)
