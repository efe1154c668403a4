"""Content hashes of a data set kept beside it, to find out later that a record has changed.

RecordIO, ``.bin`` sets, folders and lists have no checksums: a changed bit in a JPEG mostly gives other pixels and no
error.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fairface.data.npz import UNREADABLE, write_npz
from fairface.data.view import IndexedDataset
from fairface.errors import DataError
from fairface.quantity import quantity


def write_sums(path: str | os.PathLike[str], hashes: NDArray[np.uint8], labels: NDArray[np.int32]) -> None:
    """Keep hashes (N, 16) and labels (N,) in an ``.npz`` file.

    Raises:
        DataError: the file cannot be written.
    """
    write_npz(path, {"hashes": hashes, "labels": labels})


def compare_sums(path: str | os.PathLike[str], dataset: IndexedDataset, hashes: NDArray[np.uint8]) -> list[str]:
    """What has changed since :func:`write_sums`, a sentence for each record.

    Raises:
        DataError: the file cannot be read or is of another number of records.
    """
    try:
        with np.load(Path(path), allow_pickle=False) as stored:
            before, labels = stored["hashes"], stored["labels"]
    except (OSError, KeyError, *UNREADABLE) as error:
        raise DataError(f"{path}: cannot be read as sums ({error}); write them with --write-sums") from error
    if before.shape != hashes.shape or labels.shape != dataset.labels.shape:
        raise DataError(
            f"{path}: is of {quantity(len(before), 'record')}, but {dataset.title} has {len(hashes)}; it is another "
            "set's"
        )
    changed = [
        f"{dataset.name(i)}: the image has changed since {path} was written"
        for i in np.flatnonzero((before != hashes).any(axis=1)).tolist()
    ]
    relabeled = [
        f"{dataset.name(i)}: the label was {labels[i]} when {path} was written and is {dataset.labels[i]}"
        for i in np.flatnonzero(labels != dataset.labels).tolist()
    ]
    return changed + relabeled
