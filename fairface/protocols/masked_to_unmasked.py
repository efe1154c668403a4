"""The masked-to-unmasked protocol of InsightFace's MFR challenge: every masked image with every unmasked one.

The challenge's own test set is private and is scored on its server; TAR at FMR 1e-4 is its measure. Here the images of
any set lie in ``masked`` and ``unmasked``, below these one folder per person.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from fairface.comparisons import Comparisons
from fairface.errors import DataError
from fairface.faces.photographs import list_photographs
from fairface.protocols.all_pairs import LIMIT
from fairface.protocols.build import check_comparisons
from fairface.protocols.identification import Listed, identities_of
from fairface.protocols.image_attribute import masked_column, with_attributes_of_images

MASKED_FOLDER, UNMASKED_FOLDER = "masked", "unmasked"


def is_masked_to_unmasked(path: Path) -> bool:
    """Whether a folder holds the folders ``masked`` and ``unmasked``."""
    return (path / MASKED_FOLDER).is_dir() and (path / UNMASKED_FOLDER).is_dir()


def read_masked_to_unmasked(path: str | os.PathLike[str], limit: int = LIMIT) -> Comparisons:
    """Every image below ``masked`` with every image below ``unmasked``, with the attribute ``masked`` (yes, no).

    Raises:
        DataError: a folder that is missing or holds no image, an image without an identity, more than ``limit`` pairs,
            or pairs of one kind only.
    """
    parts: list[str] = []
    names: list[str] = []
    counts: list[int] = []
    called: dict[str, tuple[str, str]] = {}
    for part in (MASKED_FOLDER, UNMASKED_FOLDER):
        folder = Path(path, part)
        found = list_photographs(folder)[0]
        parts += identities_of(Listed(str(folder), found), {}, called)
        names += [f"{part}/{name}" for name in found]
        counts.append(len(found))
    pairs = counts[0] * counts[1]
    if pairs > limit:
        raise DataError(
            f"{path}: {counts[0]} masked and {counts[1]} unmasked images make {pairs:,} pairs, more than the {limit:,} "
            "that fit a list; use test/retrieval.py --query masked --gallery unmasked --fmr 1e-4, which has no limit"
        )
    keys, codes = np.unique(parts, return_inverse=True)
    a, b = np.repeat(np.arange(counts[0]), counts[1]), np.tile(counts[0] + np.arange(counts[1]), counts[0])
    who = codes.astype(np.int64)
    comparisons = Comparisons(
        a=a.astype(np.int64), b=b.astype(np.int64), same=who[a] == who[b], fold=np.full(pairs, -1, np.int32),
        subject_a=who[a], subject_b=who[b], names=tuple(names), subject_names=tuple(map(str, keys)),
    )  # fmt: skip
    check_comparisons(comparisons, os.fspath(path))
    return with_attributes_of_images(comparisons, masked_column([row < counts[0] for row in range(len(names))]))
