"""Text files of whole numbers, the same count on every line, read fast: IJB-C lists 15,658,489 pairs."""

from __future__ import annotations

import os
import re
import warnings
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fairface.errors import DataError

_BLOCK = 1 << 24  # bytes in hand at a time
_SPACE = 32  # this byte and those below it divide words
_NEWLINE = 10
_SHOWN = 60
_LARGEST = np.iinfo(np.int32).max
_WHOLE = re.compile(rb"-?[0-9]+")


def read_number_lines(path: str | os.PathLike[str], columns: int, form: str) -> NDArray[np.int32]:
    """The numbers of a file of lines of ``columns`` whole numbers each: (lines, columns) int32. Empty lines are passed
    over; ``form`` says in errors what a line should be.

    Raises:
        DataError: the file cannot be read, a line has another number of words or one that is no whole number (the line
            is named), or there is no line.
    """
    found, lines = [], 0
    try:
        with Path(path).open("rb") as file:
            while block := file.read(_BLOCK):
                block += file.readline()
                found.append(_numbers(block, columns, str(path), form, lines))
                lines += block.count(b"\n")
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); correct the path") from error
    result = np.concatenate(found) if found else np.zeros((0, columns), np.int32)
    if len(result) == 0:
        raise DataError(f"{path}: holds no lines {form}; it must have one at least")
    return result


def _numbers(block: bytes, columns: int, path: str, form: str, lines_before: int) -> NDArray[np.int32]:
    """The numbers of whole lines."""
    letters = np.frombuffer(block if block.endswith(b"\n") else block + b"\n", np.uint8)
    divides = letters <= _SPACE
    begins = ~divides
    begins[1:] &= divides[:-1]
    words = np.diff(np.cumsum(begins, dtype=np.int32)[letters == _NEWLINE], prepend=0)  # of each line
    numbers = _parsed(block) if words.any() else np.zeros(0, np.int64)
    well = ((words == columns) | (words == 0)).all() and len(numbers) == int(words.sum())
    if not well or (np.abs(numbers) > _LARGEST).any():
        line, text = _broken(block.split(b"\n"), columns)
        raise DataError(f"{path}: line {lines_before + line + 1} is {text[:_SHOWN]!r}, not {form}; correct the line")
    return numbers.astype(np.int32).reshape(-1, columns)


def _parsed(block: bytes) -> NDArray[np.int64]:
    """All numbers, or none where a word is no whole number."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", DeprecationWarning)  # older versions of numpy only warn
        try:
            return np.fromstring(block.decode("latin-1"), np.int64, sep=" ")
        except (DeprecationWarning, ValueError):
            return np.zeros(0, np.int64)


def _broken(lines: list[bytes], columns: int) -> tuple[int, str]:
    """The first line that is not ``columns`` whole numbers, and its text."""
    split = [line.split() for line in lines]
    number = next(
        number for number, words in enumerate(split)
        if (words and len(words) != columns)
        or not all(_WHOLE.fullmatch(word) and abs(int(word)) <= _LARGEST for word in words)
    )  # fmt: skip
    return number, lines[number].decode("utf-8", "replace").strip()
