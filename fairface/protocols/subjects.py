"""Who is shown: taken from image names, or added to comparisons that do not say it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray

from fairface.comparisons import Comparisons
from fairface.errors import DataError
from fairface.protocols.build import check_comparisons
from fairface.protocols.names import without_suffix

NUMBERED = re.compile(r"(.+?)[_-]\d+")


@dataclass(frozen=True)
class Subjects:
    """Who is shown on N images.

    Attributes:
        numbers: (N,) int64; -1 unknown.
        names: what the subjects 0, 1, … are called; empty where only their numbers are known.
    """

    numbers: NDArray[np.int64]
    names: tuple[str, ...] = ()

    @classmethod
    def called(cls, of_images: Sequence[str]) -> Subjects:
        """Numbered in the sorted order of what they are called."""
        names, numbers = np.unique(np.asarray(of_images, np.str_), return_inverse=True)
        return cls(numbers.astype(np.int64), tuple(names.tolist()))


def subjects_from_names(names: Sequence[str]) -> NDArray[np.int64]:
    """The numbers of :func:`named_subjects`."""
    return named_subjects(names).numbers


def named_subjects(names: Sequence[str]) -> Subjects:
    """The subject of each image: its folder (``s31/4.png`` -> s31), or, where the name has no folder, the name
    without its running number (``Ann_Lee_0002.jpg`` -> Ann_Lee). Numbers follow the sorted order of the subjects.

    Raises:
        DataError: a name that shows neither.
    """
    subjects = [subject_of_name(name) for name in names]
    if "" in subjects:
        raise DataError(
            f"image name {names[subjects.index('')]!r} does not name the subject; use folder/image or name_number, "
            "or take subjects from labels"
        )
    return Subjects.called(subjects)


def subject_names_of_images(comparisons: Comparisons) -> list[str]:
    """What the subject on each of the N images is called, by the list or else by the image's name; "" where neither
    tells. Images need no names."""
    found = [""] * (len(comparisons.names) or 1 + int(max(comparisons.a.max(), comparisons.b.max())))
    for ends, subjects in ((comparisons.a, comparisons.subject_a), (comparisons.b, comparisons.subject_b)):
        for image, subject in zip(ends.tolist(), subjects.tolist(), strict=True):
            if 0 <= subject < len(comparisons.subject_names):
                found[image] = comparisons.subject_names[subject]
    if not comparisons.names:
        return found
    return [told or subject_of_name(name) for told, name in zip(found, comparisons.names, strict=True)]


def subject_of_name(name: str) -> str:
    """Who is shown by an image of this name, as :func:`subjects_from_names` says; "" where it does not tell."""
    folder = str(PurePosixPath(name).parent)
    if folder not in (".", "/"):
        return folder
    numbered = NUMBERED.fullmatch(without_suffix(name))
    return numbered.group(1) if numbered else ""


def with_subjects(comparisons: Comparisons, subjects: NDArray[np.integer] | Subjects, source: str) -> Comparisons:
    """``comparisons`` with who is shown taken from ``subjects (N,)``, one for each image, under the names they have.

    Raises:
        DataError: the subjects contradict what the comparisons say about 'same'; ``source`` names the comparisons.
    """
    who = subjects if isinstance(subjects, Subjects) else Subjects(np.asarray(subjects, np.int64))
    known = who.numbers
    result = replace(
        comparisons, subject_a=known[comparisons.a], subject_b=known[comparisons.b], subject_names=who.names
    )
    check_comparisons(result, source)
    return result
