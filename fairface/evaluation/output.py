"""What an evaluation reads and writes, and which files it may not write over. No MXNet."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from fairface.errors import ConfigError
from fairface.evaluation.pairs import SourcePairs
from fairface.evaluation.replacement import is_ours, marked
from fairface.evaluation.request import TruthSource
from fairface.faces.align_report import FAILURES, NO_FACE
from fairface.faces.align_settings import SETTINGS
from fairface.faces.folder import LANDMARKS
from fairface.faces.folder_worker import AlignConfig, output_name

PREDICTIONS, TRUTH = "predictions.csv", "truth.csv"
THREE_STEP_FILE, HARD_FILE = "embeddings_three_step.npz", "embeddings_hard_sample.npz"
FAIRNESS, REPORT, PAGE = "fairness.json", "report.md", "report.html"
ALIGNED, CALIBRATION = "aligned", "calibration"  # folders; the second holds the same of the calibration pairs
CROPS = AlignConfig(format="png", rescue=True)
Parts = Sequence[tuple[SourcePairs, TruthSource]]  # the pairs that are scored and, where there are any, calibration's


@dataclass(frozen=True)
class Inputs:
    """What an evaluation reads, links resolved: ``files``, and ``folders`` of aligned faces with the lists in them."""

    files: frozenset[Path]
    folders: tuple[Path, ...]

    def hold(self, path: Path) -> bool:
        """Whether ``path`` is read."""
        real = path.resolve()
        return real in self.files or any(real.is_relative_to(folder) for folder in self.folders)


def inputs_of(parts: Parts, output: Path) -> Inputs:
    """What an evaluation of ``parts`` reads; not the results in ``output``, where that lies among aligned faces."""
    files, folders = set(), []
    for pairs, truth in parts:
        named = (pairs.source.template, pairs.source.failures, truth.truth, truth.attributes)
        files |= {Path(name).resolve() for name in named if name} | pairs.photographs
        folders += [Path(pairs.source.aligned).resolve()] if pairs.source.aligned else []
    results = output.resolve()
    return Inputs(frozenset(files), tuple(folder for folder in folders if not results.is_relative_to(folder)))


def planned(parts: Parts, hard: bool) -> Iterator[str]:
    """The files that an evaluation of ``parts`` (with a ``hard``-sample model?) writes, below its folder."""
    for prefix, (pairs, truth) in zip(("", f"{CALIBRATION}/"), parts, strict=False):
        names = [PREDICTIONS, THREE_STEP_FILE, *([HARD_FILE] if hard else []), *([] if prefix else [FAIRNESS, REPORT])]
        names += [TRUTH] if truth.known and not truth.truth else []
        names += [PAGE] if truth.known and not prefix else []
        if pairs.source.photos:
            crops = [*(output_name(name, CROPS) for name in pairs.files), LANDMARKS, NO_FACE, FAILURES, SETTINGS]
            names += [f"{ALIGNED}/{name}" for name in crops]
        yield from (prefix + name for name in names)


def check_output(output: Path, names: Iterable[str], inputs: Inputs) -> None:
    """Refuse a folder in which writing the files ``names`` would replace what is read, or what no evaluation wrote.

    Raises:
        ConfigError: names the file.
    """
    written = marked(output)
    for name in names:
        path = output / name
        if not os.path.lexists(path):
            blocked = next((up for up in path.parents if os.path.lexists(up)), path)
            if blocked.is_dir():
                continue
            raise ConfigError(
                f"{output}: {blocked} is not a folder, so {name} cannot be written; choose another --output"
            )
        if inputs.hold(path):
            raise ConfigError(f"{path}: is read by this run and would be overwritten; choose another --output")
        if path.is_dir() or not is_ours(output, name, written):
            raise ConfigError(
                f"{output}: holds {name}, which no earlier run wrote and this run would replace; choose "
                "another --output"
            )
