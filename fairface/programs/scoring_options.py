"""What programs that score share: options of the model, and the check of bootstrap and level."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping
from typing import Any

from fairface.errors import ConfigError

MODEL: Mapping[str, Mapping[str, Any]] = {
    "--model": {"default": "", "help": "run | run@step | prefix,epoch | PyTorch file | dlib"},
    "--devices": {"default": "", "help": "such as cpu0 or gpu0,gpu1; default: GPU 0, else CPU 0"},
    "--batch-size": {"type": int, "default": 64, "help": "images per step, over all devices"},
    "--no-flip": {"action": "store_true", "help": "do not add the mirrored image's embedding"},
    "--resize": {"action": "store_true", "help": "resize images of another size instead of stopping"},
}


def check_intervals(args: Namespace) -> None:
    """Raise :class:`ConfigError` for a number of rounds or a level that makes no interval."""
    if args.bootstrap < 0 or not 0 < args.level < 1:
        raise ConfigError(f"--bootstrap {args.bootstrap} --level {args.level}: write 0 or more, and between 0 and 1")
