"""One set of records out of several data sets, of any formats."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fairface.data.images import keep_or_convert
from fairface.data.packing.merge_identities import OFFSET, IdentityMap, join_attributes, join_identities
from fairface.data.packing.plan import Photo, Plan
from fairface.data.packing.recordio import PackOptions, Watch, pack_encoded
from fairface.data.types import UNLABELED
from fairface.data.view import IndexedDataset
from fairface.errors import DataError
from fairface.threads import map_in_threads

_NO_MAP: Mapping[tuple[int, str], str] = {}


@dataclass(frozen=True)
class Merged:
    """Counts of what was written: ``images``, ``identities``, how many of these are in several of the sets; and of the
    images that were ``left_out`` because the map says so or because they are unlabeled."""

    images: int
    identities: int
    shared: int
    left_out: int


def merge(
    sets: Sequence[IndexedDataset],
    output: str | os.PathLike[str],
    options: PackOptions,
    join: str = OFFSET,
    identity_map: IdentityMap = _NO_MAP,
    watch: Watch = iter,
) -> Merged:
    """Write the images of all data sets to ``train.rec``, ``train.idx`` and ``property`` in the folder ``output``.

    JPEG images of the right size are copied byte for byte. Attributes are joined by name; where a set does not know
    one, it is -1.

    Args:
        sets: the data sets.
        output: the folder to write to.
        options: size; quality and threads for images that are re-encoded.
        join: ``offset``: no identity is in two sets, a set's labels come after those of the sets before; ``names``:
            identities of the same name (folder, or label of a list or index) are the same identity.
        identity_map: (position of the set, name of the class) to an identity's name; the same name joins, an empty one
            leaves the class out, and classes that it does not hold follow ``join``.
        watch: wraps the iteration over images, to show progress.

    Raises:
        DataError: an image is damaged or has another size, sets code an attribute differently, nothing is left, or a
            file cannot be written.
        ConfigError: see :func:`fairface.data.packing.merge_identities.join_identities`.
    """
    labels, identities = join_identities(sets, join, identity_map)
    notes, codes = join_attributes(sets)
    rows = _rows(sets, labels)
    if not rows:
        raise DataError(f"{os.fspath(output)}: no labeled image is left to write; correct the map or the data sets")
    photos = (Photo(sets[s].name(i), label, 0, tuple(codes[s][i].tolist())) for label, s, i in rows)
    plan = Plan(tuple(photos), tuple(identities), notes)

    def stored(row: tuple[int, int, int]) -> bytes:
        _, number, i = row
        data = sets[number].encoded(i)
        return keep_or_convert(data, sets[number].name(i), options.size, options.quality, options.resize)

    pack_encoded(plan, map_in_threads(stored, rows, options.workers), output, options.size, watch)
    shared = sum(len(members) > 1 for members in identities.values())
    return Merged(len(rows), len(identities), shared, sum(map(len, sets)) - len(rows))


def _rows(sets: Sequence[IndexedDataset], labels: Sequence[NDArray[np.int64]]) -> list[tuple[int, int, int]]:
    """(new label, set, position) of every image that is kept, by label."""
    rows: list[tuple[int, int, int]] = []
    for number, (data, new) in enumerate(zip(sets, labels, strict=True)):
        labeled = np.flatnonzero(data.labels != UNLABELED)
        of_image = new[data.labels[labeled]]
        rows += [(int(of_image[k]), number, int(labeled[k])) for k in np.flatnonzero(of_image >= 0).tolist()]
    return sorted(rows)
