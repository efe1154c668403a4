"""Which images show a face with a mask: by a list, by file names, or as PKU-Masked-Face names its folders."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from fairface.data.table import CsvTable, fields_of, read_csv_table, read_text
from fairface.errors import DataError
from fairface.protocols.names import NameIndex, without_suffix
from fairface.quantity import quantity

BY_NAME, BY_PKU_FOLDER = "names", "pku"
COMMON_WORDS = ("0", "no", "false", "common", "unmasked", "no-mask", "no_mask", "nomask", "none", "normal", "without")
MASKED_WORDS = ("1", "yes", "true", "masked", "mask", "with")
NO_MASK = "no-mask"  # in MFR2's labels
_MASK = re.compile(r"(?<![a-z])(un|no[nt]?|without|face)?[-_ ]?mask(ed|s)?(?![a-z])", re.IGNORECASE)
_PKU = re.compile(r"(.+)_([01])")
_SHOWN = 3
_LABEL_FIELDS = 3


def mask_word(name: str) -> bool | None:
    """What a file's name, or else the nearest folder that has the word, says: ``mask`` or ``masked`` is True,
    ``unmasked``, ``no-mask`` or ``without_mask`` is False; None where neither is there."""
    for part in reversed(PurePosixPath(without_suffix(name.replace("\\", "/"))).parts):
        found = list(_MASK.finditer(part))
        if found:
            return found[-1][1] is None or found[-1][1].lower() == "face"
    return None


def pku_folder(name: str) -> tuple[str, bool] | None:
    """Identity and whether it is masked, of an image ``…/<identity>_<0 or 1>/<image>`` (1: masked); else None."""
    folder = _PKU.fullmatch(PurePosixPath(name.replace("\\", "/")).parent.name)
    return None if folder is None else (folder[1], folder[2] == "1")


def masked_images(names: Sequence[str], source: str) -> NDArray[np.bool_]:
    """(N,) which of the images are masked.

    Args:
        names: the images.
        source: ``names`` (:func:`mask_word`; without the word it is not masked), ``pku`` (:func:`pku_folder`), or a
            list: a CSV of ``image`` and ``masked`` (1, yes, masked; 0, no, common …), or MFR2's ``mfr2_labels.txt``.

    Raises:
        DataError: a list that cannot be read or lacks an image, or a name that does not tell.
    """
    if source == BY_NAME:
        return np.array([mask_word(name) is True for name in names], np.bool_)
    if source == BY_PKU_FOLDER:
        told = [pku_folder(name) for name in names]
        if None in told:
            raise DataError(f"{names[told.index(None)]}: its folder is not <identity>_0 or <identity>_1, as "
                            "PKU-Masked-Face's are; correct it, or give a list of masked images")  # fmt: skip
        return np.array([one is not None and one[1] for one in told], np.bool_)
    listed = read_masked(source)
    places = NameIndex(list(listed)).find_all(names)
    missing = [name for name, place in zip(names, places, strict=True) if place < 0]
    if missing:
        some = ", ".join(missing[:_SHOWN]) + (", …" if len(missing) > _SHOWN else "")
        raise DataError(
            f"{source}: does not say of {len(missing)} of {quantity(len(names), 'image')} whether they are masked "
            f"({some}); add them")  # fmt: skip
    return np.array(list(listed.values()), np.bool_)[places]


def read_masked(path: str | os.PathLike[str]) -> dict[str, bool]:
    """Whether each image of a list is masked; see :func:`masked_images` for the lists.

    Raises:
        DataError: the list cannot be read, has other columns, or says of an image both.
    """
    first = next((line for line in read_text(path).splitlines() if line.strip()), "")
    if is_mask_labels(first):
        return {image: kind != NO_MASK for image, kind in read_mask_labels(path).items()}
    table = read_csv_table(path)
    found: dict[str, bool] = {}
    values = table.filled("masked", "mask", "is_masked")
    for row, (image, value) in enumerate(zip(table.filled("image", "file", "name"), values, strict=True)):
        masked = _told(table, row, value)
        if found.setdefault(image, masked) != masked:
            raise DataError(f"{table.where(row)}: {image} is masked in one line and common in another; keep one")
    return found


def is_mask_labels(line: str) -> bool:
    """Whether a line is ``Name, number, mask type``, as in MFR2's labels."""
    fields = [field.strip() for field in fields_of(line)] if line else []
    return len(fields) == _LABEL_FIELDS and fields[1].isdecimal()


def read_mask_labels(path: str | os.PathLike[str]) -> dict[str, str]:
    """The type of mask by image, ``no-mask`` where there is none; image n of a person is ``Name/Name_000n.png``.

    Raises:
        DataError: the file cannot be read, a line has another form, or an image has two types.
    """
    found: dict[str, str] = {}
    for number, line in enumerate(read_text(path).splitlines(), 1):
        if not line.strip():
            continue
        if not is_mask_labels(line):
            raise DataError(f"{path}: line {number} is {line[:80]!r}, not 'Name, number, mask type'; correct it")
        name, image, kind = (field.strip() for field in fields_of(line))
        file = f"{name}/{name}_{int(image):04d}.png"
        if found.setdefault(file, kind.lower()) != kind.lower():
            raise DataError(f"{path}: line {number} gives {file} a second mask type, {kind}; keep one of the lines")
    if not found:
        raise DataError(f"{path}: holds no lines 'Name, number, mask type'; give {Path(path).name} of MFR2")
    return found


def _told(table: CsvTable, row: int, value: str) -> bool:
    word = value.lower()
    if word in MASKED_WORDS or word in COMMON_WORDS:
        return word in MASKED_WORDS
    raise DataError(f"{table.where(row)}: {value!r} does not say whether the image is masked; write 1 or 0")
