"""A checkpoint by the kind of its net: ``ir_50`` stands for the one in ``pretrained/``, as in AdaFace's programs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import yaml

from fairface.backbones import BACKBONES
from fairface.checkpoints import MANIFEST, TORCH_SUFFIXES
from fairface.errors import CheckpointError
from fairface.interop.torch.models import read_weights
from fairface.parsing import parse_yaml

PRETRAINED = "pretrained"
_SYMBOL = "-symbol.json"


def find_checkpoint(name: str, folder: str = PRETRAINED, output: str = "models") -> str:
    """The checkpoint (grammar: :mod:`fairface.checkpoints`) that ``name`` stands for.

    The name of a backbone stands for the one checkpoint in ``folder`` whose file or folder name says it
    (``adaface_ir50_ms1mv2.ckpt`` for ``ir_50``), or, where no name does, whose contents do: weights of PyTorch, or the
    configuration of a run. A run of that name below ``output`` counts too. A file's name in ``folder`` stands for the
    file. Any other name is a checkpoint already, and is returned as it is.

    Raises:
        CheckpointError: no checkpoint of that backbone, or several; the message names them.
    """
    place = Path(folder)
    if name not in BACKBONES:
        inside = place / name
        named_here = not Path(name).exists() and inside.is_file() and name.lower().endswith(TORCH_SUFFIXES)
        return str(inside) if named_here else name
    there = list(_checkpoints(place))
    own = [run for run in (name, str(Path(output) / name)) if (Path(run) / MANIFEST).is_file()]
    pattern = _spelled(name)
    found = [*own, *(checkpoint for checkpoint in there if pattern.search(_label(checkpoint)))]
    problems: list[str] = []
    found = found or [checkpoint for checkpoint in there if pattern.search(_contents(checkpoint, problems))]
    if len(found) == 1:
        return found[0]
    if found:
        raise CheckpointError(f"{name}: could be {', '.join(found)}; name one of them")
    if not place.is_dir():
        raise CheckpointError(
            f"{name}: is looked for in the folder {place}, which is not there; put a model there, or name a checkpoint"
        )
    unread = f"; {'; '.join(problems)}" if problems else ""
    others = f"; it holds {', '.join(there[:5])}{', …' if len(there) > 5 else ''}" if there else ""
    raise CheckpointError(f"{place}: has no model with backbone {name}{others}{unread}; name a checkpoint")


def _checkpoints(place: Path) -> Iterator[str]:
    """Everything in a folder that is named as a checkpoint, sorted."""
    for path in sorted(place.iterdir()) if place.is_dir() else ():
        if path.is_dir():
            if (path / MANIFEST).is_file():
                yield str(path)
        elif path.name.lower().endswith(TORCH_SUFFIXES):
            yield str(path)
        elif path.name.endswith(_SYMBOL):
            prefix = path.name.removesuffix(_SYMBOL)
            epochs = re.compile(rf"{re.escape(prefix)}-(\d{{4,}})\.params")
            found = (epochs.fullmatch(other.name) for other in sorted(place.iterdir()))
            yield from (f"{place / prefix},{int(match[1])}" for match in found if match)


def _label(checkpoint: str) -> str:
    """The last part of its path, without an epoch or a suffix of PyTorch."""
    name = Path(checkpoint).name.lower()
    return name.rpartition(",")[0] if "," in name else name.removesuffix(Path(name).suffix)


def _spelled(name: str) -> re.Pattern[str]:
    """``ir_50`` as file names spell it: ir50, ir_50, ir-50; not the end of another word, nor ir_500."""
    parts = re.findall(r"[a-z]+|\d+", name)
    return re.compile(rf"(?<![a-z0-9]){'[_-]?'.join(parts)}(?![a-z0-9])")


def _contents(checkpoint: str, problems: list[str]) -> str:
    """What the checkpoint itself says of its backbone, or ""; ``problems`` gets what cannot be read."""
    path = Path(checkpoint)
    try:
        if path.is_dir():
            config = parse_yaml((path / "config.yaml").read_text(encoding="utf-8"))
            return str(config["backbone"]["name"])
        return read_weights(path).name if path.is_file() else ""
    except (CheckpointError, OSError, yaml.YAMLError, KeyError, TypeError, UnicodeDecodeError) as error:
        text = " ".join(str(error).split())
        problems.append(text if text.startswith(checkpoint) else f"{checkpoint}: backbone unknown ({text})")
        return ""
