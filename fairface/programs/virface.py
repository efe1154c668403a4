"""Train VirFace's four stages with its flags. Any key=value of train/train.py may follow.

python train/virface.py --method pretrain --trainProto_label labeled.txt
python train/virface.py --method generator --trainProto_label labeled.txt --pretrained_file snapshot/resnet50_pretrain
python train/virface.py --method virface --trainProto_label labeled.txt --trainProto_unlabel unlabeled.txt \\
    --pretrained_file snapshot/resnet50_generator
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence

from fairface.config.flags import add_flags, given, told_by_flags, tree_of
from fairface.config.load import from_tree
from fairface.config.schema import TrainConfig
from fairface.config.tree import apply_override, merged
from fairface.console import Console
from fairface.errors import CheckpointError, ConfigError
from fairface.programs.catalog import options_of
from fairface.programs.run_options import add_run_options, add_worker_options, parse_run
from fairface.programs.train import train_or_estimate
from fairface.recipes.virface_flags import FLAGS, base_tree, check_epochs, notes_on, with_truths


def main(argv: Sequence[str], prog: str = "") -> int:
    """Parse, then train or estimate; returns the exit code."""
    options = options_of("virface", prog)
    add_flags(options, FLAGS)
    add_run_options(options, "configuration, counts, memory and time")
    add_worker_options(options)
    args = parse_run(options, with_truths(argv, ("--eval", "--tensorboard"), ("--resume",)), [])
    check_epochs(args)
    console = Console.of(args)
    console.tell(notes_on(args))
    with told_by_flags(FLAGS):
        config = configured(args)
        check_start(args, config)
        return train_or_estimate(config, args)


def configured(args: Namespace) -> TrainConfig:
    """The run that the flags describe, with the settings (``key=value``) over them."""
    if given(args, "--resume_file"):
        args.resume = True
    if args.resume and args.overwrite:
        raise ConfigError("--resume_file continues a run and --overwrite replaces it: give one of the two")
    tree = merged(base_tree(args), tree_of(FLAGS, args))
    for setting in args.overrides:
        apply_override(tree, setting)
    return from_tree(tree, "virface.py")


def check_start(args: Namespace, config: TrainConfig) -> None:
    """Whether ``--pretrained_file`` names a model with the blocks that the stage needs.

    Raises:
        ConfigError: it names none.
        CheckpointError: there is no such model, or it lacks a block; the command that makes it is named.
    """
    if args.resume or args.method == "pretrain":
        return
    needs = {"head": "pretrain", "generator": "generator"} if args.method == "virface" else {"head": "pretrain"}
    if not config.start_from:
        raise ConfigError(
            f"--method {args.method} starts from a trained model: give --pretrained_file; --method "
            f"{list(needs.values())[-1]} makes it"
        )
    from fairface.checkpoints import resolve
    from fairface.interop.weights import blocks_in

    there = blocks_in(resolve(config.start_from, config.output))
    for block, method in needs.items():
        if block not in there:
            raise CheckpointError(
                f"{config.start_from}: holds no {block}, which --method {args.method} needs; make one with "
                f"--method {method}{' --pretrained_file …' if method == 'generator' else ''}"
            )
