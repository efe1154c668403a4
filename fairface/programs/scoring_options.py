"""What programs that score share: options of the model, its checkpoint, and checks of what goes together."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypedDict

from fairface.checkpoints import checkpoint_label
from fairface.embedding.origin import origins
from fairface.errors import ConfigError

if TYPE_CHECKING:
    from fairface.evaluation.embedded_pairs import Embed

MODEL_HELP = "run | run@step | prefix,epoch | PyTorch or ONNX file | dlib"
ONNX: dict[str, dict[str, Any]] = {
    "--pixels": {"default": "", "metavar": "FORM", "help": "for an ONNX file that does not show it: raw (0..255), or "
                 "minusM/D for (x - M) / D, such as minus127.5/128; M and D may be three numbers with commas"},
    "--colour": {"default": "", "choices": ("rgb", "bgr"), "help": "of an ONNX file that does not say it"},
}  # fmt: skip
MODEL: Mapping[str, Mapping[str, Any]] = {
    "--model": {"default": "", "help": MODEL_HELP},
    "--devices": {"default": "", "help": "such as cpu0 or gpu0,gpu1; default: GPU 0, else CPU 0"},
    "--batch-size": {"type": int, "default": 64, "help": "images per step, over all devices"},
    "--no-flip": {"action": "store_true", "help": "do not add the mirrored image's embedding"},
    "--resize": {"action": "store_true", "help": "resize images of another size instead of stopping"},
    **ONNX,
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


def check_threshold(argv: Sequence[str]) -> None:
    """Raise :class:`ConfigError` where ``argv`` has both ``--threshold`` and ``--fmr``, which would set another one."""
    given = {word.partition("=")[0] for word in argv}
    if {"--threshold", "--fmr"} <= given:
        raise ConfigError("--threshold is a score, and --fmr would set another threshold; give one of the two")


def add_onnx_options(options: Any) -> None:
    """The options of :data:`ONNX` for a parser, or a group of one."""
    for name, settings in ONNX.items():
        options.add_argument(name, **settings)


class OnnxOptions(TypedDict):
    """What an ONNX file takes, as the user named it; empty: not named."""

    pixels: str
    colour: str


def onnx_options(args: Namespace) -> OnnxOptions:
    """What the options of :data:`ONNX` say, for :func:`fairface.embedding.from_checkpoint.load_embedder`."""
    return {"pixels": args.pixels, "colour": args.colour}


def embedder(args: Namespace) -> Embed:
    """What embeds images with the model that the options of :data:`MODEL` name."""
    # MXNet is loaded only here: who scores embeddings does not need it.
    from fairface.embedding.from_checkpoint import load_embedder

    return load_embedder(
        args.model,
        args.devices,
        args.batch_size,
        not args.no_flip,
        show_progress=not args.quiet,
        resize=args.resize,
        **onnx_options(args),
    ).embed


def checkpoint_of(model: str, *embeddings: str) -> dict[str, str]:
    """``checkpoint`` of a result: what ``model`` stands for now, or what made all the files of ``embeddings``; nothing
    where it is not known, or not one."""
    if model:
        return {"checkpoint": checkpoint_label(model)}
    made_by = set(origins(embeddings).values())
    return {"checkpoint": made_by.pop()} if len(made_by) == 1 and "" not in made_by else {}


def model_line(model: str, *embeddings: str) -> list[str]:
    """The lines below a table that name the scored checkpoint: that of ``model``, else those that the files of
    ``embeddings`` tell; none where nothing is known."""
    if model:
        return [f"model: {checkpoint_label(model)}"]
    told = origins(embeddings)
    made_by = set(told.values())
    if len(made_by) > 1:
        return [f"model of {path}: {label or 'not told'}" for path, label in told.items()]
    return [f"model: {label}" for label in made_by if label]


def check_intervals(args: Namespace) -> None:
    """Raise :class:`ConfigError` for a number of rounds, a level or a seed that makes no interval."""
    if args.bootstrap < 0 or not 0 < args.level < 1:
        raise ConfigError(f"--bootstrap {args.bootstrap} --level {args.level}: write 0 or more, and between 0 and 1")
    check_seed(args.seed)


def check_seed(seed: int) -> None:
    """Raise :class:`ConfigError` for a seed that starts no random numbers."""
    if seed < 0:
        raise ConfigError(f"--seed {seed}: write 0 or more")
