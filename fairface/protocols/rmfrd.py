"""RMFRD's verification pairs: lines of a masked and a normal face and whether they show one subject.

The published list's exact form could not be looked at. What is read: lines of two paths and a label, as
:mod:`fairface.protocols.path_pairs` understands them, images in one folder per person.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import PurePosixPath

import numpy as np

from fairface.comparisons import Comparisons
from fairface.errors import DataError
from fairface.protocols.image_attribute import masked_column, with_attributes_of_images
from fairface.protocols.masked import mask_word
from fairface.protocols.path_pairs import read_path_pairs
from fairface.protocols.subjects import with_subjects


def read_rmfrd(path: str | os.PathLike[str]) -> Comparisons:
    """Comparisons with the subjects that the images' folders name, and with the attribute ``masked`` (yes, no) as the
    names say it, unknown where they do not.

    Raises:
        DataError: what :func:`fairface.protocols.path_pairs.read_path_pairs` refuses, an image without a folder, or
            folders that contradict the labels.
    """
    comparisons = read_path_pairs(path)
    folders = [PurePosixPath(name.replace("\\", "/")).parent.name for name in comparisons.names]
    if "" in folders:
        name = comparisons.names[folders.index("")]
        raise DataError(f"{path}: {name} is in no folder, so its subject is unknown; use --kind paths")
    keys, codes = np.unique(folders, return_inverse=True)
    named = replace(with_subjects(comparisons, codes, os.fspath(path)), subject_names=tuple(map(str, keys)))
    return with_attributes_of_images(named, masked_column([mask_word(name) for name in named.names]))
