"""The picture of classifier.py: seconds and memory of a step against the number of identities."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fairface.report.picture import new_figure, save_figure


def plot(result: Mapping[str, Any], path: Path) -> None:
    """Draw a result of classifier.py, with both axes by powers of ten.

    Raises:
        FairfaceError: matplotlib is missing, or the file's ending is not that of a picture.
    """
    figure = new_figure(path, 9, 3.6)
    sides = list(dict.fromkeys(name for found in result["sizes"].values() for name in found))
    labels = ("seconds a step", "weights, gradients, momentum (GB)")
    for axes, label in zip(figure.subplots(1, 2), labels, strict=True):
        for name in sides:
            points = points_of(result, name, label == labels[0])
            axes.plot(*zip(*points, strict=True), marker="o", label=name)
        axes.set(xscale="log", yscale="log", xlabel="identities", ylabel=label)
        axes.grid(which="major", alpha=0.3)
    axes.legend()
    save_figure(path, figure)


def points_of(result: Mapping[str, Any], name: str, time: bool) -> list[tuple[int, float]]:
    """(identities, seconds or GB) of a side, ascending; sizes at which it was left out are missing."""
    found = {int(size): sides[name] for size, sides in result["sizes"].items() if name in sides}
    return [
        (size, float(side["seconds"]["median"] if time else side["state_gb"])) for size, side in sorted(found.items())
    ]
