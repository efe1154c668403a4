"""The sets of comparisons that a run scores: opened once, under names that differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path, PurePath

from fairface.config.schema import TrainConfig
from fairface.data.centre_crop import CentreCrop, CroppedDataset
from fairface.data.image_reader import ImageReader
from fairface.data.loading.centre_jitter import centre_crop_of
from fairface.data.opening import verification_sets
from fairface.errors import DataError
from fairface.protocols.verification_set import VerificationSet, open_verification_set


def verification_names(config: TrainConfig) -> tuple[str, ...]:
    """The verification sets that ``config`` names, else the ``.bin`` files beside its training data."""
    if config.verify.sets:
        return config.verify.sets
    paths = [source.data.path for source in config.all_sources()]
    folders = [path for path in paths if path and Path(path).is_dir()]
    return tuple(str(path) for folder in folders for path in verification_sets(folder).values())


def evaluation_crop(config: TrainConfig) -> CentreCrop | None:
    """The crop of the first source with labels, without jitter; None where it has none."""
    labeled = [source for source in config.all_sources() if not source.unlabeled]
    return centre_crop_of(labeled[0].augment, training=False) if labeled else None


def open_sets(
    names: Sequence[str], image_size: int, wanted: Sequence[str] = (), crop: CentreCrop | None = None
) -> tuple[VerificationSet, ...]:
    """Open each set and decode its first image; a set named twice is opened once. ``wanted`` attributes are used.

    Where the first image has not ``image_size``, all are cut by ``crop``, as training images are.

    Raises:
        DataError: a set cannot be opened, or its images have another size.
    """
    names = list(dict.fromkeys(names))
    opened = []
    for name, title in zip(names, distinct_titles(names), strict=True):
        found = open_verification_set(name, wanted=wanted)
        if crop is not None and found.images.decoded(0).shape[:2] != (image_size, image_size):
            found = replace(found, images=CroppedDataset(found.images, crop, image_size))
        try:
            ImageReader(found.images, image_size).read(0)
        except DataError as error:
            raise DataError(str(error)) from error  # settings of the data allow nothing here: sets are not resized
        opened.append(found if title is None else replace(found, name=title))
    return tuple(opened)


def distinct_titles(paths: Sequence[str]) -> list[str | None]:
    """What each set is called in tables and ``metrics.json``: None where its own name is the only one of its kind,
    else the shortest end of its path that no other has (``a/lfw``, ``b/lfw``)."""
    parts = [PurePath(path).with_suffix("").parts for path in paths]
    titles: list[str | None] = []
    for path, own in zip(paths, parts, strict=True):
        others = [other for other in parts if other is not own]
        if all(other[-1:] != own[-1:] for other in others):
            titles.append(None)
            continue
        length = next((n for n in range(2, len(own) + 1) if all(o[-n:] != own[-n:] for o in others)), 0)
        titles.append("/".join(own[-length:]) if length else str(path))
    return titles
