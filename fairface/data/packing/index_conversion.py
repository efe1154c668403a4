"""From a list of labels and the index of TFRecords to an index for training."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from fairface.data.text_lines import read_lines, whole_numbers
from fairface.data.tfrecord.index import read_index
from fairface.errors import DataError
from fairface.files import atomic_write
from fairface.quantity import quantity

_FORM = "`image label`"
_SHOWN = 80


@dataclass(frozen=True)
class Converted:
    """``written`` lines; ``unknown`` images of the list that are not in the TFRecords; ``unused`` images of the
    TFRecords that the list does not name."""

    written: int
    unknown: tuple[str, ...]
    unused: int


def convert_index(
    old: str | os.PathLike[str], index: str | os.PathLike[str], new: str | os.PathLike[str], name: str | None = None
) -> Converted:
    """Write a four-column index ``TFRecord name, shard, offset, label`` in the order of the list ``old``.

    Args:
        old: lines ``image label``, split by a tab or a space; names may hold spaces.
        index: three-column index of the TFRecords.
        new: the file to write.
        name: of the TFRecord; default: the index's own.

    Raises:
        DataError: a file cannot be read or written, a line is damaged, or none of the list's images is in the index.
    """
    known = read_index(Path(index))
    if known.labels is not None:
        raise DataError(f"{index}: has labels already; give the index that lies beside the TFRecords")
    place = {image: row for row, image in enumerate(known.names)}
    lines, numbers = read_lines(Path(old), _FORM)
    fields = [line.rsplit(None, 1) for line in lines]
    labels, no_numbers = whole_numbers([row[-1] for row in fields])
    short = [i for i, row in enumerate(fields) if len(row) == 1]
    for i in sorted({*no_numbers.tolist(), *short})[:1]:
        raise DataError(
            f"{old}: line {numbers[i]} is {lines[i][:_SHOWN]!r}, not {_FORM} with a whole number; correct it"
        )
    title = Path(index).stem if name is None else name
    # The label as a whole number: 3.0 is none to the programs that parse the index.
    found = [(place[row[0]], label) for row, label in zip(fields, labels.tolist(), strict=True) if row[0] in place]
    if not found:
        raise DataError(
            f"{old}: none of its {quantity(len(fields), 'image')} is in {index}; names must be spelled alike in both"
        )
    with atomic_write(new, "w", encoding="utf-8") as file:
        for row, label in found:
            file.write(f"{title}\t{known.shards[row]}\t{known.offsets[row]}\t{label}\n")
    unknown = tuple(image for image, *_ in fields if image not in place)
    return Converted(len(found), unknown, len(known) - len({row for row, _ in found}))
