"""Comparisons out of what a pair list says, checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from fairface.comparisons import Comparisons
from fairface.errors import DataError
from fairface.protocols.names import NameIndex
from fairface.quantity import agree, quantity


@dataclass
class PairRows:
    """The rows of a pair list as they are read, in step; ``lines`` are line numbers for messages.

    ``subject_a`` and ``subject_b`` are empty where the list does not name subjects.
    """

    image_a: list[str] = field(default_factory=list)
    image_b: list[str] = field(default_factory=list)
    same: list[bool] = field(default_factory=list)
    fold: list[int] = field(default_factory=list)
    subject_a: list[str] = field(default_factory=list)
    subject_b: list[str] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)


def comparisons_of_rows(rows: PairRows, source: str, names: Sequence[str] | None) -> Comparisons:
    """Comparisons of ``rows``; positions refer to ``names``, or to the images in the order in which they first occur.

    Raises:
        DataError: unknown names, an image compared with itself, pairs whose kind contradicts itself or their subjects,
            or only one kind of comparison. ``source`` names the list in the message.
    """
    mentioned = [*rows.image_a, *rows.image_b]
    images = tuple(dict.fromkeys(mentioned)) if names is None else tuple(names)
    positions = NameIndex(images).positions(mentioned, source)
    subjects = [*rows.subject_a, *rows.subject_b]
    codes = {name: code for code, name in enumerate(dict.fromkeys(subjects))}
    codes_of = np.array([codes[name] for name in subjects] or np.full(len(mentioned), -1), np.int64)
    half = len(rows.same)
    result = Comparisons(
        a=positions[:half],
        b=positions[half:],
        same=np.array(rows.same, bool),
        fold=np.array(rows.fold, np.int32),
        subject_a=codes_of[:half],
        subject_b=codes_of[half:],
        names=images,
        subject_names=tuple(codes),
    )
    check_comparisons(result, source, rows.lines)
    return result


def check_comparisons(comparisons: Comparisons, source: str, lines: Sequence[int] = ()) -> None:
    """Refuse comparisons that contradict themselves or cannot be scored.

    Raises:
        DataError: names ``source`` and the first line (or the number of the comparison) at fault.
    """
    _require_both_kinds(comparisons, source)

    def refuse(wrong: NDArray[np.bool_], one: str, many: str) -> None:
        if wrong.any():
            first = int(np.argmax(wrong))
            where = f"line {lines[first]}" if lines else f"comparison {first}"
            told = quantity(int(wrong.sum()), f"comparison {one}", f"comparisons {many}")
            raise DataError(f"{source}: {told} (first: {where}); correct the list")

    refuse(comparisons.a == comparisons.b, "compares an image with itself", "compare an image with itself")
    named = (comparisons.subject_a >= 0) & (comparisons.subject_b >= 0)
    same_subject = comparisons.subject_a == comparisons.subject_b
    both = "('same' or 'different')"
    contradicts = named & (same_subject != comparisons.same)
    refuse(contradicts, f"contradicts the subjects it names {both}", f"contradict the subjects they name {both}")
    listed = "listed as 'same' and as 'different' for the same two images"
    refuse(_contradicted(comparisons), f"is {listed}", f"are {listed}")


def _require_both_kinds(comparisons: Comparisons, source: str) -> None:
    if len(comparisons) == 0:
        raise DataError(f"{source}: has no comparisons")
    if comparisons.genuine == 0 or comparisons.impostor == 0:
        kind = "genuine (same subject)" if comparisons.impostor == 0 else "impostor (different subjects)"
        raise DataError(
            f"{source}: {agree(len(comparisons), 'the only comparison is', f'all {len(comparisons)} comparisons are')} "
            f"{kind}; scoring needs both kinds"
        )


def _contradicted(comparisons: Comparisons) -> NDArray[np.bool_]:
    first, second = np.minimum(comparisons.a, comparisons.b), np.maximum(comparisons.a, comparisons.b)
    _, group, size = np.unique(first * (int(second.max()) + 1) + second, return_inverse=True, return_counts=True)
    genuine = np.bincount(group, comparisons.same)
    return ((genuine > 0) & (genuine < size))[group]
