"""MFR2: ``pairs.txt`` of LFW's form without a header, and ``mfr2_labels.txt`` with the mask of every image."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from fairface.comparisons import Comparisons
from fairface.errors import DataError
from fairface.protocols.image_attribute import masked_column, with_attributes_of_images
from fairface.protocols.lfw import read_lfw_pairs
from fairface.protocols.masked import NO_MASK, read_mask_labels
from fairface.protocols.names import NameIndex

LABELS = "mfr2_labels.txt"
_SUFFIX = ".png"


def is_mfr2(path: Path) -> bool:
    """Whether MFR2's labels lie beside a list, which is not these labels."""
    return path.name != LABELS and (path.parent / LABELS).is_file()


def read_mfr2(path: str | os.PathLike[str]) -> Comparisons:
    """Comparisons from ``Name i j`` (same subject) and ``Name1 i Name2 j`` (two subjects); image i is
    ``Name/Name_000i.png``.

    The attributes are ``masked`` (yes, no) and ``mask`` (the type; ``no-mask``).

    Raises:
        DataError: what :func:`fairface.protocols.lfw.read_lfw_pairs` and
            :func:`fairface.protocols.masked.read_mask_labels` refuse, or an image without a label.
    """
    comparisons = read_lfw_pairs(path, suffix=_SUFFIX)
    labels = Path(path).parent / LABELS
    listed = read_mask_labels(labels)
    places = NameIndex(list(listed)).positions(comparisons.names, f"{path} (masks are told by {labels})")
    kinds = np.array(list(listed.values()))[places].tolist()
    if not kinds:
        raise DataError(f"{path}: compares no images")
    return with_attributes_of_images(comparisons, {**masked_column([kind != NO_MASK for kind in kinds]), "mask": kinds})
