"""The images that are embedded: those of a data set, or those that a list of pairs names. No MXNet."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fairface.comparisons import Comparisons
from fairface.data.opening import open_dataset
from fairface.data.types import Dataset
from fairface.errors import ConfigError
from fairface.protocols.opening import is_pair_list
from fairface.protocols.verification_set import open_verification_set


@dataclass(frozen=True)
class ListedImages:
    """N images and what is known of them.

    Attributes:
        images: the N images.
        names: what they are called where their embeddings are looked for.
        labels: (N,) int32, who is shown; -1 unknown.
        attributes: (N, K) int8, -1 unknown; ``attribute_names`` and ``attribute_values`` belong to it.
        classes: how many people there are.
        notes: what a reader must know.
    """

    images: Dataset
    names: tuple[str, ...]
    labels: NDArray[np.int32]
    attributes: NDArray[np.int8]
    attribute_names: tuple[str, ...]
    attribute_values: dict[str, list[str]]
    classes: int
    notes: Sequence[str] = ()


def open_images(path: str | os.PathLike[str], root: str | os.PathLike[str] = "") -> ListedImages:
    """The images of a data set, or those that a list of pairs compares, under the list's own names.

    Args:
        path: a path, or a card's name.
        root: the folder of a list's images; empty: the list's own.

    Raises:
        ConfigError: a ``root`` for what is no list of pairs.
        DataError: what the readers refuse.
    """
    if is_pair_list(path):
        listed = open_verification_set(path, root or None)
        of = listed.comparisons
        values = dict(zip(of.attribute_names, map(list, of.attribute_values), strict=False))
        labels = _subjects(of, len(listed.images))
        classes = len(np.unique(labels[labels >= 0]))
        return ListedImages(
            listed.images, tuple(of.names), labels, of.attributes, tuple(of.attribute_names), values, classes
        )
    if root:
        raise ConfigError(f"{os.fspath(path)}: is no list of pairs; leave --root out")
    dataset = open_dataset(path)
    names = tuple(map(dataset.record_name, range(len(dataset))))
    told = {name: list(values) for name, values in (dataset.attribute_values or {}).items()}
    return ListedImages(
        dataset, names, dataset.labels, dataset.attributes, tuple(dataset.attribute_names), told, dataset.num_classes,
        dataset.notes,
    )  # fmt: skip


def _subjects(of: Comparisons, count: int) -> NDArray[np.int32]:
    labels = np.full(count, -1, np.int32)
    labels[of.a], labels[of.b] = of.subject_a, of.subject_b
    return labels
