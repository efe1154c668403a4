"""Queries and gallery of a retrieval test: who they show, and which of a set's images are queries.

Identities are read from names as in :mod:`fairface.protocols.identification`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray

from fairface.errors import DataError
from fairface.protocols.identification import Listed, identities_of, strangers_of
from fairface.quantity import agree, quantity

_SHOWN = 3


@dataclass(frozen=True)
class RetrievalSubjects:
    """Who the images show, as numbers that are common to all parts.

    Attributes:
        queries, gallery, distractors: (Q,), (G,), (D,).
        names: what the identities 0, 1, … are called.
    """

    queries: NDArray[np.int64]
    gallery: NDArray[np.int64]
    distractors: NDArray[np.int64]
    names: tuple[str, ...]

    def absent(self, source: str, queries: NDArray[np.integer], gallery: NDArray[np.integer]) -> tuple[str, ...]:
        """What is said of the ``queries`` of ``source`` whose identity is not in the ``gallery``; nothing if none."""
        lost = ~np.isin(queries, gallery)
        if not lost.any():
            return ()
        called = [self.names[code] for code in np.unique(queries[lost])]
        some = ", ".join(called[:_SHOWN]) + (", …" if len(called) > _SHOWN else "")
        return (
            f"{source}: {quantity(int(lost.sum()), 'query')} of {quantity(len(called), 'identity')} that "
            f"{agree(len(called), 'is', 'are')} not in the gallery ({some}); they are left out",
        )


def retrieval_subjects(
    queries: Listed, gallery: Listed, distractors: Listed | None = None, listed: Mapping[str, str] | None = None
) -> RetrievalSubjects:
    """Numbers for the identities of all parts.

    Distractors need no identity: without a folder, each shows somebody of its own.

    Args:
        listed: identity by image name, with or without a folder; other images' names say it.

    Raises:
        DataError: a query or gallery image without an identity, one identity under two names, or a distractor that is
            in the gallery or the queries.
    """
    called: dict[str, tuple[str, str]] = {}
    searched = identities_of(queries, listed or {}, called)
    ranked = identities_of(gallery, listed or {}, called)
    others = strangers_of(distractors, {*searched, *ranked}, called)
    keys, codes = np.unique([*searched, *ranked, *others], return_inverse=True)
    ends = len(searched), len(searched) + len(ranked)
    codes = codes.astype(np.int64)
    return RetrievalSubjects(codes[: ends[0]], codes[ends[0] : ends[1]], codes[ends[1] :], tuple(map(str, keys)))


def codes_by_name(part: Listed, listed: Mapping[str, str], numbers: dict[str, int], what: str) -> NDArray[np.int64]:
    """(N,) a number for what the list ``listed`` says of each image, by its name with or without folders.

    ``numbers`` keeps the numbers of the values, common to all parts.

    Raises:
        DataError: images that the list lacks; ``what`` says what they have none of.
    """
    told = [listed.get(name) or listed.get(PurePosixPath(name).name) or "" for name in part.names]
    missing = [name for name, value in zip(part.names, told, strict=True) if not value]
    if missing:
        some = ", ".join(missing[:_SHOWN]) + (", …" if len(missing) > _SHOWN else "")
        raise DataError(
            f"{part.source}: {len(missing)} of {quantity(len(told), 'image')} {agree(len(missing), 'has', 'have')} "
            f"no {what} ({some}); list them, too"
        )
    return np.array([numbers.setdefault(value, len(numbers)) for value in told], np.int64)


def split_rows(masked: NDArray[np.bool_], source: str) -> tuple[Sequence[int], Sequence[int]]:
    """Positions of the masked and of the common images.

    Raises:
        DataError: one kind is missing.
    """
    for kind, rows in (("masked", masked), ("common", ~masked)):
        if not rows.any():
            raise DataError(
                f"{source}: none of the {quantity(len(masked), 'image')} is {kind}; check what --masked says"
            )
    return np.flatnonzero(masked).tolist(), np.flatnonzero(~masked).tolist()
