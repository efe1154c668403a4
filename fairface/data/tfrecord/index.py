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

from fairface.data.text_lines import blocks, read_lines, whole_numbers
from fairface.data.types import UNLABELED
from fairface.errors import DataError

IMAGE_COLUMNS, UNLABELED_COLUMNS, LABELED_COLUMNS = 2, 3, 4
_FORMS = {
    UNLABELED_COLUMNS: "`image<tab>shard<tab>offset`",
    LABELED_COLUMNS: "`TFRecord name<tab>shard<tab>offset<tab>label`",
}
_FORM = " or ".join(reversed(_FORMS.values()))
_SHOWN = 80
MOST_SHARDS = 100_000  # names have five digits
_LIMITS = ((0, MOST_SHARDS), (0, 1 << 62), (UNLABELED, 1 << 62))  # of shard, offset and label


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
    width = lines[0].count("\t") + 1
    if width not in _FORMS:
        raise _damaged(path, numbers[0], lines[0], _FORM)
    names: list[str] = []
    known: dict[str, str] = {}  # a training index names a few TFRecords millions of times: each text is kept once
    values = np.empty((width - 1, len(lines)), np.int64)
    for start, block in blocks(lines):
        columns, bad = _columns(block, width)
        if bad is not None:
            raise _damaged(path, numbers[start + bad], lines[start + bad], _FORMS[width])
        names += columns[0] if width == UNLABELED_COLUMNS else [known.setdefault(name, name) for name in columns[0]]
        values[:, start : start + len(block)] = columns[1]
    return TFIndex(names, values[0], values[1], values[2] if width == LABELED_COLUMNS else None, numbers)


def _columns(lines: Sequence[str], width: int) -> tuple[tuple[Sequence[str], NDArray[np.int64]], int | None]:
    """Names and numbers (width - 1, n), and the position of a damaged line, if there is one."""
    for i, line in enumerate(lines):
        if line.count("\t") != width - 1:
            return ((), np.zeros(0, np.int64)), i
    # One list of all fields instead of one a line: the garbage collector looks at every list again and again.
    fields = "\t".join(lines).split("\t")
    numbers = np.empty((width - 1, len(lines)), np.int64)
    for k, (low, high) in enumerate(_LIMITS[: width - 1]):
        numbers[k], wrong = whole_numbers(fields[k + 1 :: width])
        bad = np.union1d(wrong, np.flatnonzero((numbers[k] < low) | (numbers[k] >= high)))
        if len(bad):
            return ((), np.zeros(0, np.int64)), int(bad[0])
    return (fields[::width], numbers), None


def _damaged(path: Path, number: int, line: str, form: str) -> DataError:
    return DataError(
        f"{path}: line {number} is {line[:_SHOWN]!r}, not {form} (shard, offset and label are whole numbers); "
        f"correct the line or make the index again"
    )
