"""Embeddings and scores that any framework made, for the parts of a search: by name, or in the order of lists."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from fairface.embedding.store import load_embeddings
from fairface.errors import ConfigError, DataError
from fairface.evaluation.part import Part
from fairface.protocols.names import NameIndex
from fairface.protocols.scores import read_numbers
from fairface.quantity import agree, quantity

_NAMED = 3


def embedded_parts(parts: Mapping[str, Part], path: str) -> dict[str, Part]:
    """The parts with the embeddings that the file ``path`` holds under their images' names.

    Images of a folder ``people/gallery`` are looked up as ``gallery/ann/1.png``; where the file holds none of them so,
    as ``ann/1.png``. Names of a list are looked up as they are.

    Raises:
        ConfigError: a part that is a file of embeddings itself.
        DataError: a damaged file, images without an embedding, or one embedding for images of two parts.
    """
    for part in parts.values():
        if part.embeddings is not None:
            raise ConfigError(f"{part.source} holds embeddings already; with --embeddings give folders or lists")
    stored = load_embeddings(path)
    index = NameIndex(stored.names)
    found: dict[str, Part] = {}
    taken: dict[int, str] = {}
    for name, part in parts.items():
        rows = _positions(part, index, path)
        for row in rows.tolist():
            if taken.setdefault(row, name) != name:
                raise DataError(
                    f"{path}: the embedding of {stored.names[row]} stands for images of {taken[row]} and {name}; name "
                    f"images apart, such as {taken[row]}/{stored.names[row]}, or leave the image out of one of them"
                )
        found[name] = replace(part, images=None, embeddings=stored.embeddings[rows])
    return found


def _positions(part: Part, index: NameIndex, path: str) -> NDArray[np.int64]:
    if part.images is not None:
        inside = Path(part.source).resolve().name
        below = index.find_all([str(PurePosixPath(inside, name)) for name in part.names])
        if (below >= 0).any():
            return _all_found(part, below, path)
    return _all_found(part, index.find_all(part.names), path)


def _all_found(part: Part, rows: NDArray[np.int64], path: str) -> NDArray[np.int64]:
    missing = [name for name, row in zip(part.names, rows, strict=True) if row < 0]
    if missing:
        some = ", ".join(missing[:_NAMED]) + (", …" if len(missing) > _NAMED else "")
        raise DataError(
            f"{path}: {len(missing)} of {quantity(len(rows), 'image')} of {part.source} "
            f"{agree(len(missing), 'has', 'have')} no embedding ({some}); embed them, or leave them out of the list"
        )
    return rows


def read_score_matrix(path: str, shape: tuple[int, int], what: str, distance: bool = False) -> NDArray[np.float64]:
    """``(rows, columns)`` scores from a ``.npy``; with ``distance`` they are the negatives of what it holds.

    Args:
        what: what rows and columns are, in this order.

    Raises:
        DataError: a file that is damaged or holds pickled objects, no numbers, or another shape.
    """
    values = read_numbers(path, shape, f"numbers of shape {shape}: {what}")
    return -values if distance else values
