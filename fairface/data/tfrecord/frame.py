"""TFRecord's frame: how records follow each other in a ``.tfrecord`` file.

Each record is: its length (uint64), a checksum of the length (uint32), the bytes, a checksum of the bytes (uint32), all
little-endian. A checksum is the CRC-32C, turned right by 15 bits, plus a constant. Source: TensorFlow's documentation
of the TFRecord format.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator

import google_crc32c

from fairface.data.pread_file import PreadFile
from fairface.errors import DataError

HEAD = struct.Struct("<QI")
OVERHEAD = HEAD.size + 4
_CHECKSUM = struct.Struct("<I")
_MASK_DELTA = 0xA282EAD8
_REMEDY = "copy it again, or make it with data_process/img2tfrecord.py"


def masked_crc(data: bytes) -> int:
    """The checksum that TFRecord stores for ``data``, a uint32."""
    crc = google_crc32c.value(data)
    return ((crc >> 15 | crc << 17) + _MASK_DELTA) & 0xFFFFFFFF


def frame(record: bytes) -> bytes:
    """The record as it is written to the file, :data:`OVERHEAD` bytes longer."""
    length = struct.pack("<Q", len(record))
    return b"".join((length, _CHECKSUM.pack(masked_crc(length)), record, _CHECKSUM.pack(masked_crc(record))))


class TFRecordFile(PreadFile):
    """A ``.tfrecord`` file opened for reading at any place, by threads and after a fork.

    Raises:
        DataError: the file is missing, cannot be read, or is empty.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        super().__init__(path, _REMEDY)

    def read_at(self, offset: int, check: bool = True) -> bytes:
        """The record that begins at ``offset``. ``check`` compares its two checksums, 1 to 2 µs for a face.

        Raises:
            DataError: no record begins there, it is cut off, or (with ``check``) its bytes have changed.
        """
        head = self.pread(HEAD.size, offset) if offset >= 0 else b""
        if len(head) < HEAD.size:
            raise DataError(
                f"{self.path}: a record should begin at byte {offset}, but the file has only {self.size} bytes; "
                f"it is truncated, or its index belongs to another file: {_REMEDY}"
            )
        length, crc = HEAD.unpack(head)
        if (check and masked_crc(head[:8]) != crc) or length > self.size:
            raise DataError(
                f"{self.path}: no record begins at byte {offset} (the checksum of its length is wrong); the file is "
                f"damaged, or its index belongs to another file: {_REMEDY}"
            )
        data = self.pread(length + 4, offset + HEAD.size)
        if len(data) < length + 4:
            raise DataError(
                f"{self.path}: the record at byte {offset} is cut off after {len(data)} of {length + 4} bytes; "
                f"the file is truncated: {_REMEDY}"
            )
        record = data[:length]
        if check and masked_crc(record) != _CHECKSUM.unpack_from(data, length)[0]:
            raise DataError(
                f"{self.path}: the record at byte {offset} has changed since it was written (its checksum is wrong); "
                f"the file is damaged: {_REMEDY}"
            )
        return record

    def offsets(self) -> Iterator[int]:
        """Where the records begin, by going from one to the next; checks the checksums of their lengths only.

        Raises:
            DataError: the file is truncated or damaged.
        """
        offset = 0
        while offset < self.size:
            head = self.pread(HEAD.size, offset)
            length, crc = HEAD.unpack(head) if len(head) == HEAD.size else (self.size, None)
            if crc is not None and masked_crc(head[:8]) != crc:
                raise DataError(f"{self.path}: no record begins at byte {offset}; the file is damaged: {_REMEDY}")
            end = offset + OVERHEAD + length
            if end > self.size:
                raise DataError(
                    f"{self.path}: ends at byte {self.size}, in the middle of the record at byte {offset}; "
                    f"the file is truncated: {_REMEDY}"
                )
            yield offset
            offset = end
