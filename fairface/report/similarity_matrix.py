"""The similarity of every photograph with every other: as a table that fits a terminal, and as a picture."""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fairface.cli import table
from fairface.report.picture import new_figure, save_figure
from fairface.scoring.decision import NOT_SAME, SAME, UNDECIDED

WIDTH = 80  # columns of a terminal
NAME = 20  # characters of a photograph's name in the table
MARKS = {SAME: " +", NOT_SAME: "", UNDECIDED: " ?"}
_VALUE = 11  # characters of a value with its mark and the gap before it
_FEW = 20  # photographs up to which values stand in the picture


def short_names(names: Sequence[str], longest: int = NAME) -> list[str]:
    """The files' names, with the folders that tell photographs of one name apart; of a name too long its end."""
    told = [os.path.basename(name) for name in names]
    if len(set(told)) < len(told):
        folder = os.path.commonpath([os.path.dirname(os.path.abspath(name)) for name in names])
        told = [os.path.relpath(name, folder) for name in names]
    return [name if len(name) <= longest else f"…{name[1 - longest :]}" for name in told]


def matrix_text(
    names: Sequence[str], similarity: NDArray[np.float64], decisions: NDArray[np.str_] | None = None
) -> str:
    """The matrix as a table; where it is wider than a terminal, in blocks of columns.

    Args:
        names: N photographs.
        similarity: (N, N).
        decisions: (N, N) of :mod:`fairface.scoring.decision`; ``+`` follows the value of the
            same person, ``?`` one that is undecided.
    """
    count = len(names)
    shown = short_names(names)
    left = max(map(len, shown)) + len(str(count)) + 2
    columns = max(1, (WIDTH - left) // _VALUE)
    blocks = []
    for start in range(0, count, columns):
        part = range(start, min(start + columns, count))
        rows = [[i + 1, shown[i], *(_value(similarity, decisions, i, j) for j in part)] for i in range(count)]
        blocks.append(table(rows, ["", "photograph", *(f"{j + 1:>7}" for j in part)]))
    return "\n\n".join(blocks)


def _value(similarity: NDArray[np.float64], decisions: NDArray[np.str_] | None, i: int, j: int) -> str:
    mark = "" if decisions is None or i == j else MARKS[str(decisions[i, j])]
    return f"{similarity[i, j]:>7.4f}{mark}"


def plot_matrix(path: str | os.PathLike[str], names: Sequence[str], similarity: NDArray[np.float64]) -> None:
    """Draw the matrix ``similarity (N, N)`` as a heat map, blue for -1 to red for 1, into a .png, .pdf or .svg.

    Raises:
        ConfigError: another kind of picture.
        DataError: the file cannot be written.
        MissingPackageError: matplotlib is not installed.
    """
    count = len(names)
    side = min(4.0 + 0.45 * count, 24.0)
    figure = new_figure(path, side + 1.0, side)
    axes = figure.subplots()
    image = axes.imshow(similarity, vmin=-1.0, vmax=1.0, cmap="coolwarm")
    figure.colorbar(image, ax=axes, label="cosine similarity", shrink=0.8)
    size = max(3.0, min(9.0, 200.0 / count))
    labels = [f"{i} {name}" for i, name in enumerate(short_names(names), 1)]  # cut names may be the same
    axes.set_xticks(range(count), labels, rotation=90, fontsize=size, parse_math=False)
    axes.set_yticks(range(count), labels, fontsize=size, parse_math=False)
    for i in range(count if count <= _FEW else 0):
        for j in range(count):
            axes.text(j, i, f"{similarity[i, j]:.2f}", ha="center", va="center", fontsize=size)
    save_figure(path, figure)
