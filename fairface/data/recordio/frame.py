"""RecordIO's frame: how records follow each other in a ``.rec`` file.

Each part is: magic (uint32), a word with the part's kind (upper 3 bits) and length (lower 29 bits), the bytes, and
padding to a multiple of 4. Kind 0 is a whole record. Where a record holds the magic number at a multiple of 4 bytes,
it is cut there and the magic number left out: kind 1 is the first part, 2 a middle one, 3 the last.
Source: dmlc-core, ``recordio.h``.
"""

from __future__ import annotations

import os
import struct

from fairface.data.pread_file import PreadFile
from fairface.errors import DataError

MAGIC = 0xCED7230A
LENGTH_BITS = 29
LENGTH_MASK = (1 << LENGTH_BITS) - 1
WHOLE, FIRST, MIDDLE, LAST = 0, 1, 2, 3
FRAME = struct.Struct("<II")
_MAGIC_BYTES = struct.pack("<I", MAGIC)


def frame(record: bytes) -> bytes:
    """The record as it is written to the file.

    Raises:
        DataError: the record is too long for the format (512 MiB).
    """
    if len(record) > LENGTH_MASK:
        raise DataError(
            f"a record of {len(record)} bytes is too long, RecordIO holds at most {LENGTH_MASK}; store a smaller image"
        )
    cuts = _aligned_magics(record)
    if not cuts:
        return FRAME.pack(MAGIC, len(record)) + record + bytes(-len(record) % 4)
    pieces = []
    start = 0
    for cut in cuts:
        pieces.append(_part(FIRST if start == 0 else MIDDLE, record[start:cut]))
        start = cut + 4
    pieces.append(_part(LAST, record[start:]))
    return b"".join(pieces)


def _part(kind: int, data: bytes) -> bytes:
    return FRAME.pack(MAGIC, kind << LENGTH_BITS | len(data)) + data + bytes(-len(data) % 4)


def _aligned_magics(record: bytes) -> list[int]:
    found = []
    position = record.find(_MAGIC_BYTES)
    while position >= 0:
        if position % 4 == 0:
            found.append(position)
        position = record.find(_MAGIC_BYTES, position + 1)
    return found


class RecordFile(PreadFile):
    """A ``.rec`` file opened for reading at any place, by threads and after a fork.

    Raises:
        DataError: the file is missing, cannot be read, or is empty.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        super().__init__(path, "pack the data again (data_process/face2rec2.py)")

    def part(self, offset: int) -> tuple[int, int, int]:
        """Kind, length and end (the next part's offset) of the part at ``offset``.

        Raises:
            DataError: no part begins there, or it does not fit into the file.
        """
        head = self.pread(FRAME.size, offset)
        if len(head) < FRAME.size:
            raise DataError(
                f"{self.path}: ends at byte {self.size}, in the middle of a record; "
                f"the file is truncated: copy it again or pack the data again"
            )
        magic, word = FRAME.unpack(head)
        kind, length = word >> LENGTH_BITS, word & LENGTH_MASK
        if magic != MAGIC or kind > LAST:
            raise DataError(
                f"{self.path}: no record begins at byte {offset}; the file is damaged, or the .idx "
                f"belongs to another .rec: copy both again"
            )
        end = offset + FRAME.size + length + -length % 4
        if end - (-length % 4) > self.size:
            raise DataError(
                f"{self.path}: the record at byte {offset} ends at byte {end}, but the file has only "
                f"{self.size} bytes; it is truncated: copy it again or pack the data again"
            )
        return kind, length, end

    def read_at(self, offset: int) -> bytes:
        """The record that begins at ``offset``, its parts joined.

        Raises:
            DataError: no record begins there, or it is not whole.
        """
        kind, length, end = self.part(offset)
        pieces = [self._bytes(offset, length)]
        if kind not in (WHOLE, FIRST):
            raise DataError(
                f"{self.path}: a record's continuation, not its beginning, is at byte {offset}; "
                f"make the .idx again (remove it to have the .rec scanned)"
            )
        while kind not in (WHOLE, LAST):
            offset = end
            kind, length, end = self.part(offset)
            if kind not in (MIDDLE, LAST):
                raise DataError(
                    f"{self.path}: a record stops before byte {offset} without its last part; "
                    f"the file is damaged: copy it again or pack the data again"
                )
            pieces.append(self._bytes(offset, length))
        return _MAGIC_BYTES.join(pieces)

    def _bytes(self, offset: int, length: int) -> bytes:
        data = self.pread(length, offset + FRAME.size)
        if len(data) < length:
            raise DataError(
                f"{self.path}: the record at byte {offset} is cut off; the file is truncated: "
                f"copy it again or pack the data again"
            )
        return data
