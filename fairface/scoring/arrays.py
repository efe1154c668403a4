"""Comparisons out of plain arrays, for who has no pair list on disk."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fairface.comparisons import Comparisons
from fairface.errors import DataError

NAN = "nan"  # what numpy makes of NaN among texts
MOST_VALUES = 127  # codes are int8


def comparisons_of(
    same: ArrayLike, subjects: ArrayLike | None = None, groups: Mapping[str, ArrayLike] | None = None
) -> Comparisons:
    """M comparisons, each of two images of its own: comparison i is of the images 2i and 2i + 1.

    Args:
        same: ``(M,)`` whether a comparison shows one subject: bool, or 0 and 1.
        subjects: ``(M, 2)`` who is shown, by any names.
        groups: attribute to its values, ``(M, 2)`` for the two images, or ``(M,)`` where both have the same;
            ``None``, "" and NaN mean unknown: such an image is in no group.

    Raises:
        DataError: other shapes, a subject that is unknown, or an attribute of more than 127 values.
    """
    kinds = np.asarray(same)
    if kinds.ndim != 1 or not np.isin(kinds, (0, 1)).all():
        raise DataError(f"'same' has shape {kinds.shape}; it must be (comparisons,), True or False (1 or 0) for each")
    count = len(kinds)
    positions = np.arange(2 * count, dtype=np.int64).reshape(count, 2)
    numbers = np.full((count, 2), -1, np.int64)
    if subjects is not None:
        numbers = _numbered(_pairs(subjects, count, "subjects"))
    named = {name: _coded(_pairs(values, count, name), name) for name, values in (groups or {}).items()}
    return Comparisons(
        a=positions[:, 0],
        b=positions[:, 1],
        same=kinds.astype(bool),
        fold=np.full(count, -1, np.int32),
        subject_a=numbers[:, 0].astype(np.int64),
        subject_b=numbers[:, 1].astype(np.int64),
        attributes=np.stack([codes for codes, _ in named.values()], 1) if named else np.zeros((0, 0), np.int8),
        attribute_names=tuple(named),
        attribute_values=tuple(values for _, values in named.values()),
    )


def _pairs(values: ArrayLike, count: int, name: str) -> NDArray[Any]:
    """``values`` as (count, 2)."""
    given = values if isinstance(values, np.ndarray) else np.asarray(values, object)  # else NaN becomes text
    if given.shape == (count,) and not any(isinstance(value, (list, tuple, np.ndarray)) for value in given):
        given = np.stack([given, given], 1)
    if given.shape != (count, 2):
        raise DataError(f"{name} has shape {given.shape}; it must be ({count}, 2), the two images of each comparison")
    return given


def _unknown(value: Any) -> bool:
    """Whether ``value`` stands for nothing: None, "", NaN, or what pandas writes for a missing value."""
    return value is None or type(value).__name__ == "NAType" or bool(value != value) or value in ("", NAN)


def _numbered(subjects: NDArray[Any]) -> NDArray[np.int64]:
    """(M, 2) numbers of the subjects; every comparison must name both."""
    unknown = [row for row, pair in enumerate(subjects.tolist()) if any(map(_unknown, pair))]
    if unknown:
        raise DataError(
            f"subjects: comparison {unknown[0]} names {subjects[unknown[0]].tolist()} ({len(unknown)} of "
            f"{len(subjects)} name nobody for an image); name both subjects, leave these comparisons out, or give no "
            "subjects"
        )
    try:
        return np.unique(subjects, return_inverse=True)[1].reshape(subjects.shape).astype(np.int64)
    except TypeError as error:
        raise DataError(f"subjects are of several types ({error}); name all by texts, or all by numbers") from error


def _coded(values: NDArray[Any], name: str) -> tuple[NDArray[np.int8], tuple[str, ...]]:
    """(2M,) codes of the values in sorted order, -1 unknown, and the values."""
    texts = ["" if _unknown(value) else str(value) for value in values.ravel().tolist()]
    known = sorted(set(texts) - {""})
    if len(known) > MOST_VALUES:
        raise DataError(f"{name} has {len(known)} values; group them: an attribute has {MOST_VALUES} at most")
    codes = {text: code for code, text in enumerate(known)}
    return np.array([codes.get(text, -1) for text in texts], np.int8), tuple(known)
