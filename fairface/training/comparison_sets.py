"""The sets of comparisons that a run scores: opened once, under names that differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path, PurePath

from fairface.config.schema import TrainConfig
from fairface.data.images import decode
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


def open_sets(names: Sequence[str], image_size: int, wanted: Sequence[str] = ()) -> tuple[VerificationSet, ...]:
    """Open each set and decode its first image; a set named twice is opened once. ``wanted`` attributes are used.

    Raises:
        DataError: a set cannot be opened, or its images have another size.
    """
    names = list(dict.fromkeys(names))
    opened = []
    for name, title in zip(names, distinct_titles(names), strict=True):
        found = open_verification_set(name, wanted=wanted)
        try:
            decode(found.images.encoded(0), found.images.name(0), image_size)
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
