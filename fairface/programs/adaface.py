"""Train a model with AdaFace's flags, or score one (--evaluate). Any key=value of train/train.py may follow.

python train/adaface.py --data_root all_data --train_data_path train_1 --val_data_path validation --prefix ir50 \\
    --gpus 1 --use_16bit --arch ir_50 --batch_size 256 --epochs 30 --lr_milestones 12,20,26 --m 0.4 --h 0.333
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence

from fairface.config.flags import add_flags, check_refused, given, ignored, told_by_flags, tree_of
from fairface.config.load import from_tree
from fairface.config.schema import TrainConfig
from fairface.config.tree import apply_override, merged
from fairface.console import Console
from fairface.errors import ConfigError
from fairface.programs import five_sets
from fairface.programs.catalog import options_of
from fairface.programs.run_options import add_run_options, add_worker_options, parse_run
from fairface.programs.train import train_or_estimate
from fairface.recipes.adaface_flags import FIXED, FLAGS, devices_of, notes_on
from fairface.recipes.adaface_folders import placed

START = "--start_from_model_statedict"


def main(argv: Sequence[str], prog: str = "") -> int:
    """Parse, then train, estimate or score; returns the exit code."""
    options = options_of("adaface", prog)
    add_flags(options, FLAGS)
    add_run_options(options, "configuration, counts, memory and time")
    add_worker_options(options)
    args = parse_run(options, argv, [])
    check(args)
    console = Console.of(args)
    console.tell([*ignored(FLAGS, args), *notes_on(args)])
    if args.evaluate:
        evaluate(args, console)
        return 0
    with told_by_flags(FLAGS):
        return train_or_estimate(configured(args), args)


def check(args: Namespace) -> None:
    """Refuse flags that cannot be honoured, alone or together."""
    check_refused(FLAGS, args)
    if not args.evaluate:
        return
    if not given(args, START) or not given(args, "--val_data_path"):
        raise ConfigError(f"--evaluate needs {START} MODEL and --val_data_path FOLDER")
    for name in ("resume", "overwrite", "dry_run", "test_run"):
        if getattr(args, name):
            raise ConfigError(f"--evaluate does not train, so --{name.replace('dry_run', 'dry-run')} has no meaning")


def configured(args: Namespace) -> TrainConfig:
    """The run that the flags describe, with the settings (``key=value``) over them."""
    tree = merged(tree_of(FLAGS, args), FIXED)
    for setting in args.overrides:
        apply_override(tree, setting)
    return from_tree(tree, "adaface.py")


def evaluate(args: Namespace, console: Console) -> None:
    """Score the model on the five sets, as ``test/five_sets.py`` does."""
    folder = placed(args.data_root, args.val_data_path, "--val_data_path")
    five_sets.score([given(args, START)], str(folder), console, batch_size=args.batch_size, **devices_of(args))
