"""Features that any framework made, in the order of a protocol's list of images."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fairface.data.npz import UNREADABLE, refuse_bomb
from fairface.errors import DataError
from fairface.quantity import agree, quantity

_NAMED = 3


def read_features(path: str | os.PathLike[str], images: Sequence[str], source: str) -> NDArray[Any]:
    """``(N, D)`` features of the ``images`` of the list ``source``.

    An ``.npy`` holds one row for each image in the list's order, and is mapped, not loaded. An ``.npz`` holds
    ``embeddings`` (or one array only); with ``names`` beside it rows are found by name, with or without a folder.

    Raises:
        DataError: a file that is damaged or holds pickled objects, another number of rows than images, images without
            a row (counted, the first few are named).
    """
    try:
        loaded = np.load(path, mmap_mode="r", allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            features, names = loaded, None
        else:
            with loaded:
                refuse_bomb(loaded.zip.infolist(), str(path))
                features, names = _of_archive(loaded, str(path))
    except UNREADABLE as error:
        raise DataError(f"{path}: cannot be read as .npz or .npy without pickled objects ({error})") from error
    if features.ndim != 2 or features.dtype.kind not in "fiu" or 0 in features.shape:
        shape = f"{features.dtype} of shape {features.shape}"
        raise DataError(f"{path}: holds {shape}; features must be numbers, (images, dimensions)")
    if features.dtype.kind != "f":
        features = features.astype(np.float32)
    if names is not None:
        if len(names) != len(features):
            raise DataError(
                f"{path}: {quantity(len(features), 'feature')} but {quantity(len(names), 'name')}; give one for each "
                "feature"
            )
        return features if names == list(images) else features[_rows(names, images, str(path), source)]
    if len(features) != len(images):
        raise DataError(
            f"{path}: {quantity(len(features), 'feature')} for the {quantity(len(images), 'image')} of {source}; give "
            "one row for each line"
        )
    return features


def _of_archive(archive: Any, path: str) -> tuple[NDArray[Any], list[str] | None]:
    arrays = [key for key in archive.files if key not in ("names", "meta")]
    key = "embeddings" if "embeddings" in arrays else arrays[0] if len(arrays) == 1 else None
    if key is None:
        raise DataError(f"{path}: has no array 'embeddings' (it holds {', '.join(archive.files) or 'none'})")
    names = [str(name) for name in archive["names"].ravel()] if "names" in archive.files else None
    return archive[key], names


def _rows(names: Sequence[str], images: Sequence[str], path: str, source: str) -> list[int]:
    known = {name: row for row, name in enumerate(names)}
    short = {PurePosixPath(name).name: row for row, name in enumerate(names)}
    if len(known) < len(names):
        raise DataError(
            f"{path}: {quantity(len(names) - len(known), 'name is', 'names are')} there twice; keep one row for each "
            "image"
        )
    # Without folders only where that leaves no two images with one name.
    tables = [known, short] if len(short) == len(names) else [known]
    for table in tables:
        if images and images[0] in table:
            known = table
            break
    missing = [name for name in dict.fromkeys(images) if name not in known]
    if missing:
        some = ", ".join(missing[:_NAMED]) + (", …" if len(missing) > _NAMED else "")
        raise DataError(
            f"{path}: {len(missing)} of {quantity(len(images), 'image')} of {source} "
            f"{agree(len(missing), 'has', 'have')} no features ({some})"
        )
    return [known[name] for name in images]
