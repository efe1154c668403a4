"""The values of an attribute as codes: what the groups are."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from fairface.data.table import CsvTable
from fairface.errors import DataError
from fairface.protocols.bands import Bands
from fairface.protocols.columns import UNKNOWN_WORDS
from fairface.quantity import quantity

MAX_VALUES = 127  # int8
MANY_NUMBERS = 12  # more are hardly meant as groups


def coded_values(
    table: CsvTable,
    texts: Sequence[str],
    images: int,
    positions: NDArray[np.int64],
    column: str,
    allowed: Sequence[str] | None = None,
) -> tuple[NDArray[np.int8], tuple[str, ...]]:
    """Codes (images,) of the texts that the rows of ``table`` give for the images at ``positions`` (-1: none).

    ``allowed`` may be :class:`Bands`: values are numbers then, and codes those of their bands.

    Raises:
        DataError: values that are not ``allowed``, more than 127, or two different ones for an image.
    """
    if isinstance(allowed, Bands):
        texts = _banded(table, texts, column, allowed)
    known = {text for text in set(texts) if text.lower() not in UNKNOWN_WORDS}
    values = in_order(known) if allowed is None else tuple(allowed)
    strange = sorted(known - set(values))
    if strange:
        row = next(i for i, text in enumerate(texts) if text in strange)
        raise DataError(
            f"{table.where(row)}: {column} is {texts[row]!r}, which is not among {', '.join(values)} "
            f"({quantity(sum(text in strange for text in texts), 'row has', 'rows have')} such a value); correct it or "
            "add it to the list"
        )
    if len(values) > MAX_VALUES:
        raise DataError(
            f"{table.source}: {column} has {len(values)} different values; an attribute may have {MAX_VALUES} at most; "
            f"join some of them to groups (numbers, such as ages, to bands: --bands {column}=18,40,65)"
        )
    code = {text: number for number, text in enumerate(values)}
    of_row = np.array([code.get(text, -1) for text in texts], np.int8)
    result = np.full(images, -1, np.int8)
    used = positions >= 0
    result[positions[used]] = of_row[used]
    clash = used & (result[positions] != of_row)
    if clash.any():
        row = int(np.argmax(clash))
        other = values[result[positions[row]]] if result[positions[row]] >= 0 else "unknown"
        raise DataError(
            f"{table.where(row)}: {column} is {texts[row] or 'unknown'!r} here but {other!r} in another row about the "
            f"same image ({quantity(int(clash.sum()), 'row differs', 'rows differ')}); correct one of them"
        )
    return result, values


def _banded(table: CsvTable, texts: Sequence[str], column: str, bands: Bands) -> list[str]:
    told = [text if text.lower() in UNKNOWN_WORDS else bands.band(text) for text in texts]
    wrong = [row for row, text in enumerate(told) if text is None]
    if wrong:
        raise DataError(
            f"{table.where(wrong[0])}: {column} is {texts[wrong[0]]!r}, which is no number and lies in no band "
            f"({quantity(len(wrong), 'row has', 'rows have')} such a value); write a number with a point, or leave it "
            "empty"
        )
    return [text for text in told if text is not None]


def in_order(values: Iterable[str]) -> tuple[str, ...]:
    """``values`` in the order of their numbers where all are numbers (2, 10), else in that of their letters."""
    try:
        return tuple(sorted(values, key=lambda text: (float(text), text)))
    except ValueError:
        return tuple(sorted(values))


def alike_values(attributes: Sequence[str], values: Sequence[Sequence[str]]) -> list[str]:
    """A sentence for each of ``attributes`` that has values which differ only in case, in the form of a character (an
    accent of its own, full width) or in invisible ones, or many that are numbers: they are groups of their own."""
    notes = []
    for name, known in zip(attributes, values, strict=True):
        same: dict[str, list[str]] = {}
        for value in known:
            same.setdefault(_as_read(value), []).append(value)
        if len(known) > MANY_NUMBERS and all(map(_is_number, known)):
            notes.append(f"{name}: {len(known)} numbers, each a group of its own; --bands {name}=18,40,65 joins them")
        alike = [group for group in same.values() if len(group) > 1]
        for what, groups, write in (
            ("case", [group for group in alike if len({text.casefold() for text in group}) == 1], str),
            ("characters that look alike or are not seen",
             [group for group in alike if len({text.casefold() for text in group}) > 1], ascii),
        ):  # fmt: skip
            if groups:
                told = ", ".join("/".join(map(write, group)) for group in groups)
                notes.append(f"{name}: {told} differ only in {what} and are different groups; spell them alike")
    return notes


def _as_read(value: str) -> str:
    """What a reader sees of the text, whatever its case: compatible characters are one (NFKC), and format characters
    such as a space without width are none."""
    text = unicodedata.normalize("NFKC", value).casefold()
    return " ".join("".join(sign for sign in text if unicodedata.category(sign) != "Cf").split())


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
