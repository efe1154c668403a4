"""What lies where in a final evaluation's folder, and the hidden file there that lists what evaluations wrote."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from fairface.evaluation.request import PhotoSource, TruthSource
from fairface.files import atomic_write

MARKER = ".final_eval"
PREDICTIONS, TRUTH = "predictions.csv", "truth.csv"
THREE_STEP_FILE, HARD_FILE = "embeddings_three_step.npz", "embeddings_hard_sample.npz"
FAIRNESS, REPORT = "fairness.json", "report.md"
ALIGNED, CALIBRATION = "aligned", "calibration"  # folders; the second holds the same of the calibration pairs
FILES = (PREDICTIONS, TRUTH, THREE_STEP_FILE, HARD_FILE, FAIRNESS, REPORT)
ALL = tuple(f"{place}{name}" for place in ("", f"{CALIBRATION}/") for name in (*FILES, ALIGNED))
Parts = Sequence[tuple[PhotoSource, TruthSource]]  # the pairs that are scored and, where there are any, calibration's


def marked(output: Path) -> set[str]:
    """What evaluations wrote into ``output``, as paths relative to it."""
    try:
        return set((output / MARKER).read_text(encoding="utf-8", errors="replace").splitlines())
    except (FileNotFoundError, NotADirectoryError):
        return set()


def mark(output: Path, names: Iterable[str]) -> None:
    """Say, before they are written, that ``names`` in ``output`` are an evaluation's, beside those marked already.

    Raises:
        DataError: the folder cannot be written to.
    """
    with atomic_write(output / MARKER, "w", encoding="utf-8") as file:
        file.writelines(f"{name}\n" for name in sorted({*marked(output), *names}))


def places(output: Path) -> tuple[Path, Path]:
    """The folders of the results: of the pairs that are scored, and of calibration's."""
    return output, output / CALIBRATION


def name_in(path: Path, output: Path) -> str:
    """``path`` as the hidden file names it."""
    return path.relative_to(output).as_posix()


def within(path: Path, folder: Path) -> bool:
    """Whether ``path`` lies there, links resolved."""
    return path.resolve().is_relative_to(folder.resolve())


def files_read(parts: Parts) -> Iterator[Path]:
    """The files, other than images, that an evaluation reads, links resolved."""
    for source, truth in parts:
        for name in (source.template, source.failures, truth.truth, truth.attributes):
            if name:
                yield Path(name).resolve()


def first_files(folder: Path) -> Iterator[Path]:
    """The first file below ``folder`` in the order of names, if there is any."""
    if folder.is_dir():
        yield from sorted(path for path in folder.rglob("*") if not path.is_dir())[:1]
    elif os.path.lexists(folder):
        yield folder
