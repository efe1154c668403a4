"""Train UFace's Unlabeled Data Assistant from its own configuration, whose keys are upper case, or from ours.

python train/uda.py train/configs/uda.yaml DATA_ROOT=/data/tfrecords INDEX_ROOT=/data/index
python train/uda.py train/configs/uda.yaml DATA_ROOT=/data/tfrecords INDEX_ROOT=/data/index gpus=0,1,2,3 --dry-run
"""

from __future__ import annotations

from collections.abc import Sequence

from fairface.cli import table
from fairface.config.load import from_tree
from fairface.config.schema import TrainConfig
from fairface.config.tree import apply_override, read_yaml
from fairface.programs.catalog import options_of
from fairface.programs.run_options import add_run_options, add_worker_options, parse_run
from fairface.programs.train import train_or_estimate
from fairface.recipes.uda_keys import KEYS, our_tree


def main(argv: Sequence[str], prog: str = "") -> int:
    """Parse, train or estimate; returns the exit code."""
    options = options_of("uda", prog)
    options.usage = "%(prog)s CONFIG [KEY=value ...] [key=value ...] [options]; CONFIG such as train/configs/uda.yaml"
    add_run_options(options, "configuration, counts, memory and time")
    add_worker_options(options)
    options.add_argument("--keys", action="store_true", help="list the upper-case keys; stop")
    args = parse_run(options, argv, ["config"])
    if args.keys:
        print(table([[name, key.meaning] for name, key in KEYS.items()], ["key", "meaning"]))
        return 0
    if args.config is None:
        options.error("name a configuration file, for example train/configs/uda.yaml")
    return train_or_estimate(configured(args.config, args.overrides), args)


def configured(path: str, settings: Sequence[str]) -> TrainConfig:
    """The run that a file describes, with ``settings`` over it: those in upper case, then those in lower case.

    Raises:
        ConfigError: an unknown key, or a value that cannot be honoured.
    """
    tree = read_yaml(path)
    upper = [setting for setting in settings if setting.partition("=")[0].split(".")[0].isupper()]
    for setting in upper:
        apply_override(tree, setting)
    ours = our_tree(tree)
    for setting in settings:
        if setting not in upper:
            apply_override(ours, setting)
    return from_tree(ours, path)
