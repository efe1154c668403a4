"""Which ``.tfrecord`` files the lines of an index mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fairface.data.tfrecord.index import MOST_SHARDS, TFIndex
from fairface.errors import DataError


@dataclass(frozen=True)
class Shards:
    """``paths``: the files, there or not; ``which (N,)`` int32: the file of each line."""

    paths: list[Path]
    which: NDArray[np.int32]


def shard_name(name: str, number: int) -> str:
    """The file name of shard ``number`` of the TFRecord ``name``."""
    return f"{name}-{number:05d}.tfrecord"


def find_shards(index: Path, content: TFIndex, root: Path | None) -> Shards:
    """The files of an index: below ``root`` (or, without one, the index's folder or the folder above it) in the folder
    of the TFRecord's name; for an index without labels, which lies in that folder, beside it.

    Raises:
        DataError: a TFRecord's name leads out of the folder.
    """
    if content.labels is None:
        names = np.zeros(len(content), np.int64)
        known = [index.stem]
    else:
        order = {name: i for i, name in enumerate(dict.fromkeys(content.names))}
        names = np.array([order[name] for name in content.names], np.int64)
        known = list(order)
    for name in known:
        if name.startswith("/") or ".." in name.split("/"):
            line = content.lines[content.names.index(name)]
            raise DataError(
                f"{index}: line {line} names the TFRecord {name!r}, which leads out of the folder; correct it"
            )
    places, which = np.unique(names * MOST_SHARDS + content.shards, return_inverse=True)
    folders = [index.parent, index.parent.parent] if root is None else [root]
    beside = content.labels is None
    named = [divmod(place, MOST_SHARDS) for place in places.tolist()]
    paths = [_find(_candidates(folders, known[name], shard, beside)) for name, shard in named]
    return Shards(paths, which.astype(np.int32))


def _candidates(folders: Sequence[Path], name: str, shard: int, beside: bool) -> list[Path]:
    file = shard_name(name.rpartition("/")[2], shard)
    below = [folder / name / file for folder in folders]
    if not beside:
        return below
    # The index may have been renamed: the shards then bear the name of their folder.
    return [folders[0] / file, folders[0] / shard_name(folders[0].resolve().name, shard), *below]


def _find(candidates: Sequence[Path]) -> Path:
    """The first that is there, else the first."""
    return next((path for path in candidates if path.is_file()), candidates[0])
