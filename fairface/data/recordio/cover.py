"""Whether an ``.idx`` file names all records of its ``.rec``, and whether the records fill the file without a break.

RecordIO has no checksums. That each record ends where the next begins is what can be checked without reading it all: it
finds a record whose length was damaged, and an ``.idx`` that was cut off or belongs to an older ``.rec``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fairface.data.missing import STOP
from fairface.data.recordio.frame import FRAME, LAST, WHOLE, RecordFile
from fairface.data.recordio.index import MULTIPART, RecordIndex
from fairface.errors import SKIP_MISSING, DataError

WARNING = "warning: "


def check_cover(file: RecordFile, index: RecordIndex, on_missing: str) -> tuple[str, ...]:
    """A note about records that the ``.idx`` leaves out when ``on_missing`` is ``skip``; nothing where it has all.

    Raises:
        DataError: a record is longer or shorter than its place in the file, two begin at one place, or records are left
            out and ``on_missing`` is ``stop``.
    """
    order = np.argsort(index.offsets, kind="stable")
    keys, begins = index.keys[order], index.offsets[order]
    ends = _ends(file, index, order)
    # What comes before the first record, between two, and after the last.
    room_from, room_to = np.concatenate([[0], ends]), np.concatenate([begins, [file.size]])
    for row in np.flatnonzero(begins[1:] == begins[:-1])[:1].tolist():
        raise DataError(
            f"{file.path.with_suffix('.idx')}: records {keys[row]} and {keys[row + 1]} begin at the same byte "
            f"{begins[row]}; remove the file to have the .rec scanned, or copy both again"
        )
    for row in np.flatnonzero(room_from[:-1] > room_to[:-1])[:1].tolist():
        raise _damaged(file, int(keys[row - 1]), int(ends[row - 1]), int(begins[row]))
    gaps = np.flatnonzero(room_from < room_to)
    for row in gaps.tolist():
        begin, end = int(room_from[row]), int(room_to[row])
        if not _is_record(file, begin, end) and row:
            raise _damaged(file, int(keys[row - 1]), begin, end)
    if not len(gaps):
        return ()
    missing = int((room_to - room_from)[gaps].sum())
    what = (
        f"{file.path.with_suffix('.idx')}: leaves out records of {file.path.name}, {missing} of its {file.size} bytes, "
        f"the first at byte {room_from[gaps[0]]}"
    )
    if on_missing == STOP:
        raise DataError(
            f"{what}; it is incomplete or belongs to another file: copy both again, remove it to have the .rec scanned",
            settings=(SKIP_MISSING,),
        )
    return (f"{WARNING}{what}; those records are not used",)


def _ends(file: RecordFile, index: RecordIndex, order: NDArray[np.int64]) -> NDArray[np.int64]:
    """Where each record ends, its padding included."""
    begins, sizes = index.offsets[order] + FRAME.size, index.sizes[order]
    lengths = index.starts[order] + sizes - begins
    ends = begins + lengths + -lengths % 4
    for row in np.flatnonzero(sizes == MULTIPART).tolist():
        kind, offset = -1, int(index.offsets[order[row]])
        while kind not in (WHOLE, LAST):
            kind, _, offset = file.part(offset)
        ends[row] = offset
    return ends


def _is_record(file: RecordFile, begin: int, end: int) -> bool:
    try:
        return file.part(begin)[2] <= end + 3
    except DataError:
        return False


def _damaged(file: RecordFile, key: int, end: int, following: int) -> DataError:
    return DataError(
        f"{file.path}: record {key} ends at byte {end}, but the next one begins at byte {following}; the length of "
        f"the record is damaged: copy the file again or pack the data again"
    )
