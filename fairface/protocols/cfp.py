"""CFP's pairs as VirFace lists them: ``FF_meta.txt`` or ``FP_meta.txt`` beside ``Pair_list_A.txt``."""

from __future__ import annotations

import csv
import os
from pathlib import Path

from fairface.comparisons import Comparisons
from fairface.data.table import fields_of, read_text
from fairface.errors import DataError
from fairface.protocols.build import PairRows, comparisons_of_rows

IMAGES = "Pair_list_A.txt"
_END = "_meta.txt"
_MARK = "Images/"
_FORM = "'…,…,image,image,same' with two numbers of images from 1 and 1 or 0"


def is_cfp(path: Path) -> bool:
    """Whether a list's name and what lies beside it are those of CFP's pairs."""
    return path.name.endswith(_END) and (path.parent / IMAGES).is_file()


def read_cfp(path: str | os.PathLike[str]) -> Comparisons:
    """Comparisons from a line of column names and lines whose third and fourth value are numbers of images, counted
    from 1 in ``Pair_list_A.txt``, and whose last one is 1 for the same subject, 0 for two.

    In that list the image's path is what follows ``Images/`` in a line's last value; its first folder is the subject.

    Raises:
        DataError: a list that cannot be read, a line of another form, a number without an image, and what
            :func:`fairface.protocols.build.comparisons_of_rows` refuses.
    """
    names = _image_names(Path(path).parent / IMAGES)
    rows = PairRows()
    for number, line in enumerate(read_text(path).splitlines(), 1):
        values = _values(line)
        if not values or (number == 1 and not values[-1].isdecimal()):
            continue
        images = [int(value) - 1 for value in values[2:4] if value.isdecimal()]
        if len(values) < 5 or len(images) != 2 or values[-1] not in ("0", "1"):
            raise DataError(f"{path}: line {number} is {line[:80]!r}, not {_FORM}; correct it")
        outside = [image + 1 for image in images if not 0 <= image < len(names)]
        if outside:
            raise DataError(f"{path}: line {number} names image {outside[0]}, but {IMAGES} lists {len(names)}")
        _add(rows, names[images[0]], names[images[1]], values[-1] == "1", number)
    return comparisons_of_rows(rows, os.fspath(path), names=None)


def _add(rows: PairRows, first: str, second: str, same: bool, line: int) -> None:
    rows.image_a.append(first)
    rows.image_b.append(second)
    rows.subject_a.append(first.split("/", maxsplit=1)[0])
    rows.subject_b.append(second.split("/", maxsplit=1)[0])
    rows.same.append(same)
    rows.fold.append(-1)
    rows.lines.append(line)


def _image_names(path: Path) -> list[str]:
    names = []
    for number, line in enumerate(read_text(path).splitlines(), 1):
        values = _values(line)
        if not values:
            continue
        name = values[-1].replace("\\", "/").rpartition(_MARK)[2]
        if "/" not in name or name.startswith("/"):
            raise DataError(f"{path}: line {number} is {line[:80]!r}, not '…,…/{_MARK}<subject>/…/<photo>'; correct it")
        names.append(name)
    return names


def _values(line: str) -> list[str]:
    try:
        return [value.strip() for value in fields_of(line.strip())] if line.strip() else []
    except csv.Error:
        return [line]
