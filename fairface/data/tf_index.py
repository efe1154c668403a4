"""Index files of TFRecords, as TFace and UFace use them: tab-separated columns, one line an image.

Three columns ``image, shard, offset``: what img2tfrecord writes beside the shards; no labels. Four columns ``TFRecord
name, shard, offset, label``: what training uses. Two columns ``image, label`` name image files, not records.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fairface.data.text_lines import read_lines, whole_numbers
from fairface.data.types import UNLABELED
from fairface.errors import DataError

IMAGE_COLUMNS, UNLABELED_COLUMNS, LABELED_COLUMNS = 2, 3, 4
_FORMS = {
    UNLABELED_COLUMNS: "`image<tab>shard<tab>offset`",
    LABELED_COLUMNS: "`TFRecord name<tab>shard<tab>offset<tab>label`",
}
_FORM = " or ".join(reversed(_FORMS.values()))
_SHOWN = 80
_MOST_SHARDS = 100_000  # names have five digits


@dataclass(frozen=True)
class TFIndex:
    """N lines of an index.

    Attributes:
        names: first column: images (three columns) or TFRecord names (four).
        shards, offsets: (N,) int64, which file of the TFRecord, and the byte at which the record begins.
        labels: (N,) int64, or ``None`` where the index has none.
        lines: (N,) int64, line numbers.
    """

    names: list[str]
    shards: NDArray[np.int64]
    offsets: NDArray[np.int64]
    labels: NDArray[np.int64] | None
    lines: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.names)


def columns(line: str) -> int:
    """How many columns an index line has: 4 or 3 where it is one of records, else 2."""
    fields = line.split("\t")
    return len(fields) if len(fields) in _FORMS and not len(whole_numbers(fields[1:])[1]) else IMAGE_COLUMNS


def read_index(path: Path) -> TFIndex:
    """Read an index of three or four columns.

    Raises:
        DataError: the file cannot be read, or a line is damaged (it is named).
    """
    lines, numbers = read_lines(path, _FORM)
    rows = [line.split("\t") for line in lines]
    width = len(rows[0])
    if width not in _FORMS:
        raise _damaged(path, numbers[0], lines[0], _FORM)
    for i, row in enumerate(rows):
        if len(row) != width or not row[0]:
            raise _damaged(path, numbers[i], lines[i], _FORMS[width])
    lowest = {1: 0, 2: 0, 3: UNLABELED}
    values = {}
    for column in range(1, width):
        values[column], wrong = whole_numbers([row[column] for row in rows])
        bad = np.union1d(wrong, np.flatnonzero(values[column] < lowest[column]))
        if column == 1:
            bad = np.union1d(bad, np.flatnonzero(values[column] >= _MOST_SHARDS))
        if len(bad):
            raise _damaged(path, numbers[bad[0]], lines[bad[0]], _FORMS[width])
    names = _shared([row[0] for row in rows]) if width == LABELED_COLUMNS else [row[0] for row in rows]
    return TFIndex(names, values[1], values[2], values.get(3), numbers)


def _shared(names: Sequence[str]) -> list[str]:
    """The same texts, each kept once: a training index names a few TFRecords millions of times."""
    known: dict[str, str] = {}
    return [known.setdefault(name, name) for name in names]


def _damaged(path: Path, number: int, line: str, form: str) -> DataError:
    return DataError(
        f"{path}: line {number} is {line[:_SHOWN]!r}, not {form} (shard, offset and label are whole numbers); "
        f"correct the line or make the index again"
    )
