"""Text files of one record a line, read as a whole: lists and indexes may have millions of lines."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fairface.errors import DataError
from fairface.files import read_whole

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\x80-\x9f\u2028\u2029]")
_DIGITS = 18  # fit into int64
_WHOLE = re.compile(rf"(-?[0-9]{{1,{_DIGITS}}})(?:\.0*)?")
_BLOCK = 1 << 16


def read_lines(path: Path, form: str) -> tuple[list[str], NDArray[np.int64]]:
    """The lines of a UTF-8 file that are not empty, without white space around them, and their numbers from 1.

    A byte order mark and Windows line ends are taken away. ``form`` says in errors what a line should be.

    Raises:
        DataError: the file cannot be read, is no text, holds control characters, or has no line.
    """
    try:
        text = read_whole(path).decode("utf-8-sig").replace("\r\n", "\n")
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); correct the path") from error
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path}: is no text in UTF-8 (byte {error.start}); it must hold lines {form}: save it in that form"
        ) from error
    control = _CONTROL.search(text)
    if control is not None:
        line = text.count("\n", 0, control.start()) + 1
        raise DataError(
            f"{path}: line {line} holds the control character {control.group()!r}; it must be {form}: correct it"
        )
    lines = [line.strip() for line in text.split("\n")]
    numbers = np.flatnonzero(np.fromiter(map(bool, lines), bool, len(lines))) + 1
    if not len(numbers):
        raise DataError(f"{path}: holds no lines {form}; it must have one at least")
    return list(filter(None, lines)), numbers


def blocks(lines: Sequence[str]) -> Iterator[tuple[int, Sequence[str]]]:
    """The lines in blocks, each with the position of its first: taking all of them apart at once needs gigabytes."""
    yield from ((start, lines[start : start + _BLOCK]) for start in range(0, len(lines), _BLOCK))


def whole_numbers(texts: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The texts as whole numbers (``7`` or ``7.0``) and the positions of those that are none, whose value is 0."""
    together = "".join(texts)
    if together.isascii() and together.isdecimal() and 0 < min(map(len, texts)) <= max(map(len, texts)) <= _DIGITS:
        return np.fromiter(map(int, texts), np.int64, len(texts)), np.zeros(0, np.int64)
    values = [_whole(text) for text in texts]
    wrong = np.array([position for position, value in enumerate(values) if value is None], np.int64)
    return np.array([value or 0 for value in values], np.int64), wrong


def number_of(text: str) -> float:
    """The number that ``text`` writes.

    Raises:
        ValueError: none, or one with an underscore: Python takes ``0_9`` for 9, and nobody who writes lists does.
    """
    if "_" in text:
        raise ValueError(f"{text!r} is no number")
    return float(text)


def _whole(text: str) -> int | None:
    match = _WHOLE.fullmatch(text)
    return None if match is None else int(match.group(1))
