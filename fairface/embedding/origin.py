"""Which checkpoint made stored embeddings."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import numpy as np

from fairface.data.npz import UNREADABLE
from fairface.parsing import parse_json

STORED = (".npz", ".npy")
CHECKPOINT, MODEL = "checkpoint", "model"  # in the meta that test/embed.py writes


def embedded_by(path: str | os.PathLike[str]) -> str:
    """The checkpoint that the ``.npz`` of embeddings was made with, such as ``orl_demo@61 (best)``.

    Empty where the file does not tell: it is of another program, or no file of embeddings. What is wrong with it is
    for :func:`fairface.embedding.store.load_embeddings` to say.
    """
    if Path(path).suffix != ".npz":
        return ""
    with suppress(OSError, KeyError, *UNREADABLE), np.load(path) as stored:
        meta = parse_json(str(stored["meta"]))  # the arrays beside it are not read
        if isinstance(meta, dict):
            return str(meta.get(CHECKPOINT) or meta.get(MODEL) or "")
    return ""


def origins(paths: Iterable[str]) -> dict[str, str]:
    """Those of ``paths`` that are files of embeddings, each once, with their checkpoints ("": not told)."""
    return {path: embedded_by(path) for path in paths if Path(path).suffix in STORED}


def of_several_models(paths: Iterable[str]) -> tuple[str, ...]:
    """A remark where embeddings that are compared with each other were made with several checkpoints."""
    told = {path: label for path, label in origins(paths).items() if label}
    if len(set(told.values())) < 2:
        return ()
    named = ", ".join(f"{path} with {label}" for path, label in told.items())
    return (f"embeddings of different models are compared ({named}); similarities between models mean nothing",)
