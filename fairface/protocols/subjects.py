"""Who is shown: taken from image names, or added to comparisons that do not say it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray

from fairface.comparisons import Comparisons
from fairface.errors import DataError
from fairface.protocols.build import check_comparisons
from fairface.protocols.names import without_suffix

_NUMBERED = re.compile(r"(.+?)[_-]\d+")


def subjects_from_names(names: Sequence[str]) -> NDArray[np.int64]:
    """(N,) subject number of each image: its folder (``s31/4.png`` -> s31), or, where the name has no folder, the name
    without its running number (``Ann_Lee_0002.jpg`` -> Ann_Lee). Numbers follow the sorted order of the subjects.

    Raises:
        DataError: a name that shows neither.
    """
    subjects = []
    for name in names:
        folder = PurePosixPath(name).parent
        numbered = _NUMBERED.fullmatch(without_suffix(name))
        if str(folder) not in (".", "/"):
            subjects.append(str(folder))
        elif numbered:
            subjects.append(numbered.group(1))
        else:
            raise DataError(
                f"image name {name!r} does not show who it is; expected folder/image or name_number, "
                "or take the subjects from labels"
            )
    return np.unique(subjects, return_inverse=True)[1].astype(np.int64)


def with_subjects(comparisons: Comparisons, subjects: NDArray[np.integer], source: str) -> Comparisons:
    """``comparisons`` with who is shown taken from ``subjects (N,)``, one for each image.

    Raises:
        DataError: the subjects contradict what the comparisons say about 'same'; ``source`` names the comparisons.
    """
    known = np.asarray(subjects, np.int64)
    result = replace(comparisons, subject_a=known[comparisons.a], subject_b=known[comparisons.b])
    check_comparisons(result, source)
    return result
