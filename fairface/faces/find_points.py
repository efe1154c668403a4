"""The landmarks of many photographs, found in parallel; no crop is written."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2

from fairface.data.processes import map_processes
from fairface.errors import DataError
from fairface.faces.detect import FaceDetector
from fairface.faces.detectors import MTCNN, check_names, fetch_nets, make_detector
from fairface.faces.find import find_main
from fairface.faces.folder_worker import Outcome, start_worker, unusable
from fairface.faces.landmarks import Landmarks
from fairface.faces.mtcnn import MtcnnConfig
from fairface.faces.photographs import read_photograph

_TASK = 32  # photographs; each task loads the nets again, some milliseconds


@dataclass(frozen=True)
class PointSearch:
    """How to look: ``detectors`` by name, one after the other, MTCNN as ``detector`` says; for ``enlarge`` and
    ``border`` see :func:`fairface.faces.find.find_faces`."""

    detector: MtcnnConfig
    enlarge: float = 1.0
    border: int = 0
    detectors: tuple[str, ...] = (MTCNN,)

    def __post_init__(self) -> None:
        check_names(self.detectors)


@dataclass(frozen=True)
class _Task:
    root: Path
    names: tuple[str, ...]
    search: PointSearch


def find_points(
    root: str | os.PathLike[str],
    names: Sequence[str],
    search: PointSearch,
    jobs: int = 1,
    on_done: Callable[[int], object] = lambda count: None,
) -> tuple[dict[str, Landmarks], dict[str, str]]:
    """The main face of each photograph, by name in the given order, and what is wrong with those that cannot be read.

    Args:
        root: the folder that names are below, unless they are absolute.
        names: the photographs.
        search: how to look.
        jobs: processes.
        on_done: told after every so many photographs how many were done.

    Raises:
        DataError: a process was killed.
        MissingPackageError: a detector's net cannot be had.
    """
    fetch_nets(search.detectors)
    size = max(1, min(_TASK, -(-len(names) // (4 * jobs))))
    tasks = (_Task(Path(root), tuple(names[i : i + size]), search) for i in range(0, len(names), size))
    done: Iterator[list[Outcome]]
    done = map(_find, tasks) if jobs == 1 else map_processes(_find, tasks, jobs, str(root), start_worker)
    rows: dict[str, Landmarks] = {}
    problems: dict[str, str] = {}
    for outcomes in done:
        rows.update((outcome.name, outcome.row) for outcome in outcomes if outcome.row is not None)
        problems.update((outcome.name, outcome.problem) for outcome in outcomes if outcome.row is None)
        on_done(len(outcomes))
    return {name: rows[name] for name in names if name in rows}, problems


def _find(task: _Task) -> list[Outcome]:
    detector = make_detector(task.search.detectors, task.search.detector)
    return [_find_one(task, detector, name) for name in task.names]


def _find_one(task: _Task, detector: FaceDetector, name: str) -> Outcome:
    try:
        rgb = read_photograph(task.root / name, name)
        return Outcome(name, find_main(detector, rgb, name, task.search.enlarge, task.search.border, False))
    except (DataError, MemoryError, cv2.error) as error:
        return unusable(name, error)
