"""The pictures of the site, drawn when it is built; one that cannot be drawn here is left out, with the reason."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fairface.report.picture import new_figure, save_figure

VALUES, SHARES = 512, ("copies", "split", "split, r = 0.1", "split, r = 0.1, scratch")
_ORL = Path("datasets/orl/aligned")


@dataclass(frozen=True)
class Picture:
    """A picture of a page.

    Attributes:
        page: on which it stands, before the first heading of the second level.
        name: of its file.
        caption: what it shows.
        draw: writes it, from the root of the checkout to the given file; False where that is not possible here.
    """

    page: str
    name: str
    caption: str
    draw: Callable[[Path, Path], bool]


def masks(root: Path, path: Path) -> bool:
    """Faces of the embedded data set with every style, where it is prepared."""
    if not (root / _ORL).is_dir():
        return False
    called(root, root, "data_process/add_masks.py", str(_ORL), "--sheet", str(path), "--faces", "4")
    return True


def classifier(root: Path, path: Path) -> bool:
    """Memory of a classifier on one device of four, by the formulas of docs/classifier.md."""
    figure = new_figure(path, 7, 3.6)
    axes = figure.subplots()
    identities = np.logspace(4, 7, 31)
    for name in SHARES:
        axes.plot(identities, gigabytes(name, identities, 4), label=name)
    axes.set(xscale="log", yscale="log", xlabel="identities", ylabel="GB on each of four devices")
    axes.grid(which="major", alpha=0.3)
    axes.legend()
    save_figure(path, figure)
    return True


def classifier_steps(root: Path, path: Path) -> bool:
    """Seconds and memory of a classifier's step, from the table of benchmarks/RESULTS.md."""
    text = (root / "benchmarks" / "RESULTS.md").read_text(encoding="utf-8")
    sides = measured_steps(text.split("\n## Classifier\n")[1].split("\n## ")[0])
    figure = new_figure(path, 9, 3.6)
    for axes, label, place in zip(
        figure.subplots(1, 2), ("seconds a step", "weights, gradients, momentum (GB)"), (1, 2), strict=True
    ):
        for name, points in sides.items():
            axes.plot([point[0] for point in points], [point[place] for point in points], marker="o", label=name)
        axes.set(xscale="log", yscale="log", xlabel="identities", ylabel=label)
        axes.grid(which="major", alpha=0.3)
    axes.legend()
    save_figure(path, figure)
    return True


def measured_steps(section: str) -> dict[str, list[tuple[float, ...]]]:
    """Side to (identities, seconds, GB) of each row ``| identities | side | seconds | GB | …`` of a table."""
    sides: dict[str, list[tuple[float, ...]]] = {}
    for row in re.findall(r"^\| ([\d,]+) \| ([^|]+) \| ([\d.]+)[^|]* \| ([\d.]+) \|", section, re.MULTILINE):
        sides.setdefault(row[1], []).append((float(row[0].replace(",", "")), float(row[2]), float(row[3])))
    return sides


def gigabytes(name: str, identities: np.ndarray, devices: int) -> np.ndarray:
    """Weights, gradients and momentum on a device, GB; ``name`` is one of :data:`SHARES`."""
    copies, split, sampled, _ = SHARES
    values = {copies: 3.0, split: 3.0 / devices, sampled: 2.3 / devices}.get(name, 0.3 / devices)
    return np.asarray(values * identities * VALUES * 4 / 1e9)


def groups(root: Path, path: Path) -> bool:
    """ROC and DET of each group of the example of docs/fairness.md, made and scored as the page says."""
    text = (root / "docs" / "fairness.md").read_text(encoding="utf-8")
    example = re.search(r"```python\n(.*?)```", text, re.DOTALL)
    assert example, "docs/fairness.md begins with an example"
    subprocess.run([sys.executable, "-"], input=example[1], text=True, cwd=path.parent, check=True)
    called(root, path.parent, "test/fairness.py", "--pairs", "scores.csv", "--protected", "sex", "--fmr", "0.01",
           "--calibration", "calibration.csv", "--plot", path.name)  # fmt: skip
    for name in ("scores.csv", "calibration.csv"):
        (path.parent / name).unlink()
    return True


def called(root: Path, place: Path, script: str, *words: str) -> None:
    """Run a program of the checkout in ``place``; what it prints is shown only where it fails."""
    done = subprocess.run([sys.executable, str(root / script), *words, "--quiet"], cwd=place, capture_output=True,
                          text=True, check=False)  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"{script}: {done.stderr}")


PICTURES = (
    Picture("docs/masks.md", "masks.png", "Faces of the embedded data set (ORL) with every style of mask", masks),
    Picture("docs/classifier.md", "classifier.svg", "Memory of the classifier by the formulas below", classifier),
    Picture(
        "docs/classifier.md",
        "classifier_steps.svg",
        "What a step takes, measured on two CPU cores (benchmarks/RESULTS.md)",
        classifier_steps,
    ),
    Picture("docs/fairness.md", "groups.svg", "ROC and DET of each group of the example below", groups),
)
