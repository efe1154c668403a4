"""Train Latent Part Detection with its published settings. Any key=value of train/train.py may follow.

python train/lpd.py --data "dataset/train dataset" --device_id 0
python train/lpd.py --data faces --nose_height 0.64 --image_size 112 augment.mirror=0.5
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence

from fairface.config.flags import add_flags, ignored, told_by_flags, tree_of
from fairface.config.load import from_tree
from fairface.config.schema import TrainConfig
from fairface.config.tree import apply_override, merged
from fairface.console import Console
from fairface.programs.catalog import options_of
from fairface.programs.run_options import add_run_options, add_worker_options, parse_run
from fairface.programs.train import train_or_estimate
from fairface.recipes.lpd_flags import FIXED, FLAGS, notes_on


def main(argv: Sequence[str], prog: str = "") -> int:
    """Parse, then train or estimate; returns the exit code."""
    options = options_of("lpd", prog)
    add_flags(options, FLAGS)
    add_run_options(options, "configuration, counts, memory and time")
    add_worker_options(options)
    args = parse_run(options, argv, [])
    console = Console.of(args)
    console.tell([*ignored(FLAGS, args), *notes_on(args)])
    with told_by_flags(FLAGS):
        return train_or_estimate(configured(args), args)


def configured(args: Namespace) -> TrainConfig:
    """The run that the flags describe, with the settings (``key=value``) over them."""
    tree = merged(FIXED, tree_of(FLAGS, args))
    for setting in args.overrides:
        apply_override(tree, setting)
    return from_tree(tree, "lpd.py")
