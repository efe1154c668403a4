"""Lengths of embeddings' parts as a table and as a picture."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from fairface.cli import table
from fairface.config.regions import LOWER, UPPER
from fairface.report.picture import new_figure, save_figure
from fairface.scoring.part_norms import PartLengths

_COLOURS = ("tab:blue", "tab:orange", "tab:green", "tab:purple", "tab:brown", "tab:pink")
_MARKERS = ("o", "^", "s", "D", "v", "P")
_BINS = 40


def part_norms_table(sets: Mapping[str, PartLengths]) -> str:
    """One row a set: images, mean length of each part, and the ratios of the mean lengths."""
    regions = list(next(iter(sets.values())).parts)
    rows = []
    for name, lengths in sets.items():
        means = lengths.summary()
        numbers = [f"{means[key]:.3f}" for key in (*regions, "ratio", "share")]
        rows.append([name, str(len(lengths.ratio)), *numbers])
    return table(rows, ["set", "images", *regions, "lower / upper", "lower / (upper + lower)"])


def plot_part_norms(path: str | os.PathLike[str], sets: Mapping[str, PartLengths]) -> None:
    """Draw upper against lower lengths, one mark an image, and how lower / (upper + lower) is spread in each set.

    Raises:
        ConfigError: another kind of picture, or matplotlib is not installed.
        DataError: the file cannot be written.
    """
    figure = new_figure(path, 10, 4.5)
    points, spread = figure.subplots(1, 2)
    for number, (name, lengths) in enumerate(sets.items()):
        colour, marker = _COLOURS[number % len(_COLOURS)], _MARKERS[number % len(_MARKERS)]
        points.scatter(lengths.parts[UPPER], lengths.parts[LOWER], s=9, alpha=0.5, c=colour, marker=marker, label=name)
        spread.hist(lengths.share, bins=_BINS, range=(0, 1), density=True, histtype="step", color=colour, label=name)
    highest = max(lengths.parts[part].max() for lengths in sets.values() for part in (UPPER, LOWER))
    points.plot([0, highest], [0, highest], color="0.7", linewidth=1, zorder=0)
    points.set(xlabel="length of the upper part", ylabel="length of the lower part", xlim=(0, None), ylim=(0, None))
    spread.set(xlabel="lower / (upper + lower)", ylabel="density of images")
    points.legend(markerscale=2)
    save_figure(path, figure)


def csv_lines(names: Sequence[str], lengths: PartLengths) -> list[list[str]]:
    """A row an image: its name, the length of each part, ratio and share."""
    columns = [*lengths.parts.values(), lengths.ratio, lengths.share]
    return [[name, *(f"{column[row]:.6g}" for column in columns)] for row, name in enumerate(names)]
