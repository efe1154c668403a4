"""The comparisons of an insightface verification set (``.bin``, or memory files made of one)."""

from __future__ import annotations

import numpy as np

from fairface.comparisons import Comparisons
from fairface.data.pairsets.bin_set import BinSet
from fairface.data.pairsets.memory_set import MemorySet
from fairface.protocols.build import check_comparisons


def comparisons_of_bin(bin_set: BinSet | MemorySet, source: str = "the .bin set") -> Comparisons:
    """Image 2i compared with image 2i + 1, for every entry of ``bin_set.same``; nobody is named, nor any fold.

    Raises:
        DataError: an empty set, or comparisons of one kind only; ``source`` names the set in the message.
    """
    pairs = len(bin_set.same)
    unknown = np.full(pairs, -1, np.int64)
    first = 2 * np.arange(pairs, dtype=np.int64)
    result = Comparisons(
        a=first,
        b=first + 1,
        same=np.asarray(bin_set.same, bool),
        fold=unknown.astype(np.int32),
        subject_a=unknown,
        subject_b=unknown,
    )
    check_comparisons(result, source)
    return result
