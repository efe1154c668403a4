"""Every image compared with every other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fairface.comparisons import Comparisons
from fairface.errors import DataError
from fairface.quantity import agree, quantity

LIMIT = 50_000_000


def each_image(
    subjects: NDArray[np.integer], names: Sequence[str] = (), subject_names: Sequence[str] = ()
) -> Comparisons:
    """Every image once, each compared with the next: for what is read by image where pairs are not listed."""
    who = np.asarray(subjects, np.int64)
    a, b = np.arange(len(who) - 1), np.arange(1, len(who))
    return Comparisons(a, b, who[a] == who[b], np.full(len(a), -1, np.int32), who[a], who[b],
                       np.zeros((len(who), 0), np.int8), (), tuple(str(name) for name in names),
                       subject_names=tuple(subject_names))  # fmt: skip


def all_pairs(
    subjects: Sequence[Any] | NDArray[Any],
    attributes: NDArray[np.int8] | None = None,
    attribute_names: Sequence[str] = (),
    names: Sequence[str] = (),
    limit: int = LIMIT,
    attribute_values: Mapping[str, Sequence[str]] | None = None,
    subject_names: Sequence[str] = (),
) -> Comparisons:
    """All N (N - 1) / 2 pairs i < j of the images, genuine where ``subjects[i] == subjects[j]``.

    ``subjects`` are (N,) numbers (kept as they are) or texts (numbered in sorted order); ``attributes (N, K)``,
    ``attribute_names``, ``names``, ``attribute_values`` (what codes stand for, by name) and ``subject_names`` (of the
    numbers) go into the result.

    Raises:
        DataError: unlabeled images (subject -1), lengths that differ, more than ``limit`` pairs (37 bytes each), or
            pairs of one kind only.
    """
    who = np.asarray(subjects)
    if who.dtype.kind not in "iu":
        who = np.unique(who, return_inverse=True)[1]
    who = who.astype(np.int64)
    count = len(who)
    if (who < 0).any():
        raise DataError(
            f"{int((who < 0).sum())} of {quantity(count, 'image')} {agree(int((who < 0).sum()), 'is', 'are')} "
            "unlabeled; leave them out of the comparisons"
        )
    for what, given in (("attributes", attributes), ("names", names)):
        if given is not None and len(given) not in ((count,) if what == "attributes" else (0, count)):
            raise DataError(
                f"{quantity(len(given), what.removesuffix('s'))} for {quantity(count, 'image')}; give one for each"
            )
    pairs = count * (count - 1) // 2
    if pairs > limit:
        raise DataError(
            f"{count} images make {pairs:,} pairs, more than the {limit:,} that fit a list; use a pair list, or write "
            "embeddings (test/embed.py) and score them with --all-pairs, which has no limit"
        )
    a, b = (index.astype(np.int64) for index in np.triu_indices(count, 1))
    same = who[a] == who[b]
    if same.all() or not same.any():
        kind = "of one subject" if pairs and same.all() else "of different subjects"
        raise DataError(
            f"{agree(pairs, 'the only pair', f'all {pairs} pairs')} of the {quantity(count, 'image')} "
            f"{agree(pairs, 'is', 'are')} {kind}; scoring needs both kinds"
        )
    return Comparisons(
        a=a,
        b=b,
        same=same,
        fold=np.full(pairs, -1, np.int32),
        subject_a=who[a],
        subject_b=who[b],
        attributes=np.zeros((count, 0), np.int8) if attributes is None else np.asarray(attributes, np.int8),
        attribute_names=tuple(attribute_names),
        names=tuple(str(name) for name in names),
        attribute_values=tuple(tuple((attribute_values or {}).get(name, ())) for name in attribute_names),
        subject_names=tuple(subject_names),
    )
