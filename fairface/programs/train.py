"""Train a model from a configuration.

python train/train.py train/configs/orl_demo.yaml optimizer.lr=0.05
python train/train.py train/configs/ms1m_r100.yaml data.path=/data/faces_emore gpus=0,1,2,3 --dry-run
"""

from __future__ import annotations

from collections.abc import Sequence

from fairface.cli import parser, print_json, table
from fairface.config.keys import keys
from fairface.config.load import dump, load_config


def main(argv: Sequence[str]) -> int:
    """Parse, train or estimate; returns the exit code."""
    arguments = parser(__doc__.split("\n")[0] if __doc__ else "")
    arguments.add_argument("config", nargs="?", help="YAML file, see train/configs/")
    arguments.add_argument("overrides", nargs="*", metavar="key=value", help="any key of the configuration")
    arguments.add_argument("--resume", action="store_true", help="continue the run from its last checkpoint")
    arguments.add_argument("--overwrite", action="store_true", help="replace a run of the same name")
    arguments.add_argument("--dry-run", action="store_true", help="print configuration, counts, memory and time; stop")
    arguments.add_argument("--keys", action="store_true", help="list every key with its default; stop")
    arguments.add_argument("--json", action="store_true", help="with --dry-run: print one JSON object")
    options = arguments.parse_intermixed_args(argv)
    if options.resume and options.overwrite:
        arguments.error("--resume goes on with a run and --overwrite replaces it: give one of them")
    if options.keys:
        print(table([[key, repr(default)] for key, default in keys()], ["key", "default"]))
        return 0
    if options.config is None:
        arguments.error("name a configuration file, for example train/configs/orl_demo.yaml")
    if options.json and not options.dry_run:
        arguments.error("--json goes with --dry-run")
    config = load_config(options.config, options.overrides)
    # MXNet is imported only now, so that a wrong option or configuration is answered at once.
    if options.dry_run:
        from fairface.training.estimate import describe, estimate
        from fairface.training.setup import prepare

        result = estimate(prepare(config))
        if options.json:
            print_json(result)
        else:
            print(dump(config))
            print(describe(result))
        return 0
    from fairface.training.run import train

    return train(config, options.resume, options.overwrite)

