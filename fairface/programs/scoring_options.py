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

# Spelled as in verification and fairness.
GIVEN: Mapping[str, Mapping[str, Any]] = {
    "--embeddings": {"default": "", "metavar": "FILE", "help": "embeddings of all images by name (.npz, or .npy with "
                     "names.txt); folders and lists then only say who is where"},
    "--scores": {"default": "", "metavar": "FILE.npy", "help": "scores that exist already, in the order of the names"},
    "--distance": {"action": "store_true", "help": "the scores are distances: smaller means more similar"},
}  # fmt: skip


def check_given(args: Namespace) -> None:
    """Raise :class:`ConfigError` for more than one source of scores."""
    sources = [f"--{name}" for name in ("model", "embeddings", "scores") if getattr(args, name)]
    if len(sources) > 1:
        raise ConfigError(f"{' and '.join(sources)} both say where scores come from; give one of them")
    if args.distance and not args.scores:
        raise ConfigError("--distance needs --scores; scores of embeddings are not distances")


def check_intervals(args: Namespace) -> None:
    """Raise :class:`ConfigError` for a number of rounds or a level that makes no interval."""
    if args.bootstrap < 0 or not 0 < args.level < 1:
        raise ConfigError(f"--bootstrap {args.bootstrap} --level {args.level}: write 0 or more, and between 0 and 1")
