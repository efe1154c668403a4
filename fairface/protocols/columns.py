"""What columns of pair lists mean: their names as people write them, and how their values are read."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from fairface.data.table import CsvTable
from fairface.data.text_lines import number_of
from fairface.errors import DataError

ROLES = ("image_a", "image_b", "same", "subject_a", "subject_b", "fold", "score")
TRUTH = ("same", "label", "genuine", "match", "truth", "is_same", "same_person", "ground_truth", "target", "mated")
IMAGE_WORDS = ("image", "img", "file", "filename", "path", "photo", "face", "p")
SUBJECT_WORDS = ("subject", "person", "identity", "id")
SIDES = (("_a", "_b"), ("1", "2"))  # image_1 and "Image 1" are found as image1
UNKNOWN_WORDS = ("", "unknown", "na", "n/a", "nan", "none", "null", "?")
SAME_WORDS = ("true", "t", "yes", "y", "same", "genuine", "match", "mated", "positive")
DIFFERENT_WORDS = (
    "false", "f", "no", "n", "different", "impostor", "imposter", "mismatch", "nonmatch", "non-match", "nonmated",
    "non-mated", "negative",
)  # fmt: skip
_TRUTHS = dict.fromkeys(SAME_WORDS, True) | dict.fromkeys(DIFFERENT_WORDS, False)
_NUMBERS = {1.0: True, 0.0: False, -1.0: False}


def image_columns(table: CsvTable) -> tuple[str, str] | None:
    """The two columns that name the images, or None.

    Raises:
        DataError: only ``image_a`` or only ``image_b`` is there.
    """
    return _pair(table, IMAGE_WORDS)


def subject_columns(table: CsvTable, words: Sequence[str] = SUBJECT_WORDS) -> tuple[str, str] | None:
    """The two columns that say who is shown, or None; ``words`` are what they may be called.

    Raises:
        DataError: only one of ``subject_a`` and ``subject_b`` is there.
    """
    return _pair(table, words)


def _pair(table: CsvTable, words: Sequence[str]) -> tuple[str, str] | None:
    for word in words:
        for one, other in SIDES:
            first, second = table.find(word + one), table.find(word + other)
            if first is not None and second is not None:
                return first, second
    one, other = f"{words[0]}_a", f"{words[0]}_b"
    if (table.find(one) is None) != (table.find(other) is None):
        raise DataError(f"{table.source}: line 1 names only one of {one} and {other}; name both or neither")
    return None


def numbers(table: CsvTable, column: str) -> list[float]:
    """The values of ``column`` as numbers, those that are missing (empty, ``NA``, ``None``, ``nan``) as NaN.

    Raises:
        DataError: a value is no number.
    """
    result = []
    for row, value in enumerate(table.column(column, remedy="name the column of numbers, for scores with --column")):
        try:
            result.append(float("nan") if value.lower() in UNKNOWN_WORDS else number_of(_pointed(value, table)))
        except ValueError as error:
            raise DataError(f"{table.where(row)}: {column} is {value!r}; write a number, or leave it empty") from error
    return result


def truths(table: CsvTable, names: Sequence[str] = TRUTH) -> list[bool]:
    """The values of the first of the columns ``names`` that is there, as same (True) or different (False).

    Raises:
        DataError: see :func:`read_truths`.
    """
    remedy = "call the column that tells same from different people same, or name it with --columns same=COLUMN"
    values = [_pointed(value, table) for value in table.filled(*names, remedy=remedy)]
    return read_truths(values, table.where, table.find(*names) or names[0])


def truth_of(text: str) -> bool | None:
    """1, true, same, genuine … as True; 0, -1, false, different, impostor … as False; else None."""
    try:
        return _NUMBERS.get(number_of(text))
    except ValueError:
        return _TRUTHS.get(text.lower())


def read_truths(values: Sequence[str], where: Callable[[int], str], column: str) -> list[bool]:
    """:func:`truth_of` of each value; ``where`` names a row to a person.

    Raises:
        DataError: a value says neither, or both 0 and -1 occur: one of them would mean something else.
    """
    said = {value: truth_of(value) for value in set(values)}
    row = next((row for row, value in enumerate(values) if said[value] is None), None)
    if row is not None:
        raise DataError(
            f"{where(row)}: {column} is {values[row]!r}; write 1 (same subject) or 0 (or yes and no, true and false, …)"
        )
    zero, minus = (next((i for i, value in enumerate(values) if _is(value, sign)), None) for sign in (0.0, -1.0))
    if zero is not None and minus is not None:
        raise DataError(
            f"{where(minus)}: {column} is {values[minus]!r}, but {values[zero]!r} elsewhere; write 1 (same subject) "
            "and 0, or 1 and -1, and leave out pairs whose truth is unknown"
        )
    return [said[value] is True for value in values]


def folds(table: CsvTable) -> list[int]:
    """The column ``fold``; -1 everywhere where there is none.

    Raises:
        DataError: a value is no whole number from 0.
    """
    if table.find("fold") is None:
        return [-1] * len(table)
    values = table.filled("fold")
    wrong = next((row for row, value in enumerate(values) if not value.isdecimal()), None)
    if wrong is not None:
        raise DataError(f"{table.where(wrong)}: fold is {values[wrong]!r}; write a whole number from 0")
    return [int(value) for value in values]


def _pointed(value: str, table: CsvTable) -> str:
    return value if table.delimiter == "," else value.replace(",", ".")


def _is(value: str, number: float) -> bool:
    try:
        return number_of(value) == number
    except ValueError:
        return False
