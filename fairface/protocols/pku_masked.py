"""PKU-Masked-Face's verification lists (``ver400.list``, ``ver6000.list``, ``ver24000.list``): two lines for a pair.

Source: MSML's list of PKU-Masked-Face pairs. The first half of the pairs shows one subject, the second half two; an
image is ``…/<identity>_<0 or 1>/<view>.png``, 1 for a masked face.
"""

from __future__ import annotations

import os
from pathlib import Path

from fairface.comparisons import Comparisons
from fairface.data.image_kinds import PHOTOGRAPH_SUFFIXES
from fairface.data.text_lines import read_lines
from fairface.errors import DataError
from fairface.protocols.build import PairRows, comparisons_of_rows
from fairface.protocols.image_attribute import masked_column, with_attributes_of_images
from fairface.protocols.masked import pku_folder

_FORM = "'…/<identity>_<0 or 1>/<image>', two for a pair"


def is_pku_line(line: str) -> bool:
    """Whether a line is one image in a folder ``<identity>_<0 or 1>``."""
    return line.lower().endswith(tuple(PHOTOGRAPH_SUFFIXES)) and len(line.split()) == 1 and pku_folder(line) is not None


def read_pku_masked(path: str | os.PathLike[str]) -> Comparisons:
    """Comparisons from one of the lists, with the attribute ``masked`` (yes, no).

    Raises:
        DataError: a line of another form, a number of lines that is no multiple of four, halves whose identities
            contradict them, and what :func:`fairface.protocols.build.comparisons_of_rows` refuses.
    """
    lines, numbers = read_lines(Path(path), _FORM)
    told = [pku_folder(line) for line in lines]
    for line, number, one in zip(lines, numbers, told, strict=True):
        if one is None:
            raise DataError(f"{path}: line {number} is {line[:80]!r}, not {_FORM}; correct it")
    if len(lines) % 4:
        raise DataError(f"{path}: {len(lines)} lines are not two equal halves of pairs of lines; the list is cut off")
    identities = [one[0] for one in told if one is not None]
    pairs = len(lines) // 2
    rows = PairRows(
        lines[::2], lines[1::2], [pair < pairs // 2 for pair in range(pairs)], [-1] * pairs, identities[::2],
        identities[1::2], [int(number) for number in numbers[::2]],
    )  # fmt: skip
    comparisons = comparisons_of_rows(rows, os.fspath(path), None)
    masked = [found is not None and found[1] for found in map(pku_folder, comparisons.names)]
    return with_attributes_of_images(comparisons, masked_column(masked))
