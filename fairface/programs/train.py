"""Train a model from a configuration.

python train/train.py train/configs/orl_demo.yaml optimizer.lr=0.05
python train/train.py train/configs/ms1m_r100.yaml data.path=/data/faces_emore gpus=0,1,2,3 --dry-run
"""

from __future__ import annotations

import os
import tempfile
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fairface.config.load import dump, load_config
from fairface.config.reference import as_text, described
from fairface.config.schema import TrainConfig
from fairface.console import Console
from fairface.errors import ConfigError
from fairface.programs.catalog import options_of
from fairface.programs.run_options import add_run_options, add_worker_options, parse_run
from fairface.quantity import quantity
from fairface.workers.hosts import read_hosts
from fairface.workers.launch import Launch, launch
from fairface.workers.place import read_place
from fairface.workers.worker import take_part


def main(argv: Sequence[str], prog: str = "") -> int:
    """Parse, train or estimate; returns the exit code."""
    options = options_of("train", prog)
    options.usage = "%(prog)s CONFIG [key=value ...] [options]; CONFIG is a YAML file, see train/configs/"
    add_run_options(options, "configuration, counts, memory and time")
    add_worker_options(options)
    options.add_argument("--keys", action="store_true", help="every key, its default, allowed values and meaning; stop")
    args = parse_run(options, argv, ["config"])
    if args.keys:
        print("\n\n".join(as_text(one) for one in described()))
        return 0
    if args.config is None:
        options.error("name a configuration file, for example train/configs/orl_demo.yaml")
    return train_or_estimate(load_config(args.config, args.overrides), args)


def train_or_estimate(config: TrainConfig, args: Namespace) -> int:
    """Train ``config``, or with ``--dry-run`` show what it would need; returns the exit code."""
    if args.dry_run:
        show_estimate(config, Console.of(args), args.resume, args.overwrite)
        return 0
    place = read_place(os.environ)
    if place is not None:
        return take_part(place, lambda join: _train(config, args, join, place.mark), args.debug)
    if (args.workers or 1) > 1 or args.hosts is not None:
        return launch_workers(config, args)
    return _train(config, args)


def launch_workers(config: TrainConfig, args: Namespace) -> int:
    """Train with the processes of ``--workers`` and ``--hosts``; returns the exit code."""
    hosts = () if args.hosts is None else read_hosts(args.hosts)
    slots = sum(host.slots for host in hosts)
    if hosts and args.workers not in (None, slots):
        raise ConfigError(
            f"{args.hosts}: has {quantity(slots, 'slot')} and --workers is {args.workers}; leave out --workers"
        )
    options = [f"--{name}" for name in ("quiet", "debug") if getattr(args, name)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "config.yaml")
        path.write_text(dump(config), encoding="utf-8")
        return launch(
            Launch(
                path, Path(config.output) / config.name, slots or args.workers, options, args.resume, args.overwrite,
                args.restarts, args.peer_timeout, args.port, hosts,
            )
        )  # fmt: skip


def _train(config: TrainConfig, args: Namespace, join: Any = None, mark: str = "") -> int:
    # MXNet is imported only now, so that a wrong option or configuration is answered at once.
    from fairface.training.run import train

    return train(config, args.resume, args.overwrite, args.quiet, join=join, mark=mark)


def show_estimate(config: TrainConfig, console: Console, resume: bool = False, overwrite: bool = False) -> None:
    """The configuration, and what it would need; of a resumed run what is left of it."""
    from fairface.training.estimate import describe, estimate
    from fairface.training.plan import plan

    result = estimate(plan(config, resume, overwrite))
    console.show(result, f"{dump(config)}\n{describe(result)}")
