"""Images and what is compared with what: a verification set, from whichever file it comes."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fairface.comparisons import Comparisons
from fairface.data.encoded import EncodedDataset, FileDataset
from fairface.data.opening import locate, open_dataset
from fairface.data.pairsets.bin_set import read_bin
from fairface.data.pairsets.memory_set import MemoryDataset, read_memory_set
from fairface.data.types import Dataset
from fairface.errors import DataError
from fairface.protocols.all_pairs import all_pairs
from fairface.protocols.bin_pairs import comparisons_of_bin
from fairface.protocols.image_files import find_images, folder_of
from fairface.protocols.opening import images_folder, is_pair_list, open_comparisons


@dataclass(frozen=True)
class VerificationSet:
    """``images`` and the comparisons between them; ``name`` is what results are listed under."""

    name: str
    images: Dataset
    comparisons: Comparisons


def open_verification_set(
    path: str | os.PathLike[str], root: str | os.PathLike[str] | None = None, wanted: Sequence[str] = ()
) -> VerificationSet:
    """Open an insightface ``.bin``, memory files made of one, a pair list, or any labeled data set, of which all pairs
    of images are compared. A card's name will do.

    A pair list is a CSV, lines of two paths and a label, RFW's folder, LFW's pairs.txt or CFP's lists; its image names
    are below ``root``, else where the list is or in a folder near it. ``wanted`` are attributes that will be used
    (:func:`fairface.protocols.opening.open_comparisons`).

    Raises:
        DataError: not there, not readable, or a data set with too many pairs to compare all of them.
    """
    if is_pair_list(path):
        comparisons = open_comparisons(path, wanted=wanted).comparisons
        if not comparisons.names:
            raise DataError(f"{path}: names no images; it needs the columns image_a and image_b")
        folder = folder_of(images_folder(path), comparisons.names[0]) if root is None else Path(root)
        files = find_images(folder, comparisons.names)
        named = [name if file is None else file for name, file in zip(comparisons.names, files, strict=True)]
        return VerificationSet(Path(path).stem, FileDataset(folder, named), comparisons)
    file, kind = locate(path)
    if kind == "bin":
        bin_set = read_bin(file)
        comparisons = comparisons_of_bin(bin_set, os.fspath(file))
        return VerificationSet(file.stem, EncodedDataset(bin_set.images, os.fspath(file)), comparisons)
    if kind == "memory":
        comparisons = comparisons_of_bin(read_memory_set(file), os.fspath(file))
        return VerificationSet(file.name, MemoryDataset(file, check=False), comparisons)
    dataset = open_dataset(path)
    try:
        comparisons = all_pairs(
            dataset.labels,
            attributes=dataset.attributes,
            attribute_names=dataset.attribute_names,
            names=tuple(dataset.name(i) for i in range(len(dataset))),
            attribute_values=dataset.attribute_values,
        )
    except DataError as error:
        raise DataError(f"{path}: {error}") from error
    return VerificationSet(Path(path).name, dataset, comparisons)
