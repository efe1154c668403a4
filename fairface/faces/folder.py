"""Align every photograph of a folder: found or given landmarks in, crops of one size out, in parallel."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from fairface.data.processes import map_processes
from fairface.errors import ConfigError, DataError
from fairface.faces.align_report import AlignReport, names_by_way, write_lists
from fairface.faces.align_settings import keep_settings, settings_of
from fairface.faces.detect import FaceDetector
from fairface.faces.folder_worker import AlignConfig, Outcome, Task, align_task, output_name, start_worker
from fairface.faces.journal import Journal
from fairface.faces.landmarks import Landmarks, write_landmarks
from fairface.faces.photographs import list_photographs
from fairface.files import inside

LANDMARKS = "landmarks.csv"
_TASK = 32  # photographs per task at most; each task loads the nets anew, some milliseconds


def align_folder(
    source: str | os.PathLike[str],
    target: str | os.PathLike[str],
    config: AlignConfig | None = None,
    *,
    landmarks: Mapping[str, Landmarks] | None = None,
    detector: FaceDetector | None = None,
    jobs: int = 1,
    resume: bool = False,
    on_done: Callable[[int], object] = lambda count: None,
) -> AlignReport:
    """Align the main face of every photograph below ``source`` into ``target``, under the same relative name.

    ``target`` also gets landmarks.csv (a row per photograph that could be read), no_face.txt, align.json (the
    settings), with ``config.rescue`` failures.txt, and unreadable.txt where there are any. With ``landmarks`` no
    detector runs; a photograph without a row counts as one without a face. A ``detector`` is used instead of MTCNN, in
    this process whatever ``jobs`` says: its net may live on a device that other processes cannot share. ``resume``
    skips what an unfinished or finished run with the same settings did; otherwise everything is made anew. ``on_done``
    is told after every so many photographs how many were done.

    Raises:
        ConfigError: fewer than one process, or both ``landmarks`` and a ``detector``.
        DataError: no photographs, two that would get one output name, ``target`` inside ``source``, other settings than
            those of the run to be resumed, an output that cannot be written, a worker that died.
    """
    config = config or AlignConfig()
    if jobs < 1:
        raise ConfigError(f"jobs is {jobs}; at least one process is needed")
    if landmarks is not None and detector is not None:
        raise ConfigError("with landmarks no detector runs; give landmarks or a detector")
    base, out = Path(source).resolve(), Path(target).resolve()
    names, ignored = list_photographs(base)
    _check_places(base, out, names, config)
    keep_settings(out, settings_of(config, landmarks is not None, detector), resume)
    journal = Journal(out, LANDMARKS, resume)
    known = {name: row for name, row in journal.rows.items() if _is_finished(out, row, config)}
    todo = [name for name in names if name not in known]
    on_done(len(names) - len(todo))
    unreadable = []
    rows = {name: known[name] for name in names if name in known}
    with journal:
        for outcomes in _work(_tasks(base, out, todo, config, landmarks, jobs), jobs, detector):
            journal.add(outcome.row for outcome in outcomes if outcome.row is not None)
            rows.update((outcome.name, outcome.row) for outcome in outcomes if outcome.row is not None)
            unreadable += [(outcome.name, outcome.problem) for outcome in outcomes if outcome.row is None]
            on_done(len(outcomes))
    ways = names_by_way(rows)
    report = AlignReport(
        photographs=len(names),
        aligned=sum(rows[name].points is not None for name in todo if name in rows),
        finished=len(names) - len(todo),
        no_face=ways.get("none", ()),
        unreadable=tuple(sorted(unreadable)),
        ignored=ignored,
        unused=len((landmarks or {}).keys() - set(names)),
        forced=ways.get("forced", ()),
        rotated=ways.get("rotated", ()),
        cropped=ways.get("cropped", ()),
    )
    write_lists(out, report, config.rescue)
    write_landmarks(out / LANDMARKS, (rows[name] for name in names if name in rows))
    journal.remove()
    return report


def _check_places(base: Path, out: Path, names: list[str], config: AlignConfig) -> None:
    if out == base or base in out.parents:
        raise DataError(f"{out}: lies inside the photographs' folder {base}; choose an output folder outside it")
    first: dict[str, str] = {}
    for name in names:
        made = output_name(name, config)
        if made in first:
            raise DataError(f"{base}: {first[made]} and {name} would both become {made}; rename one of them")
        first[made] = name


def _is_finished(out: Path, row: Landmarks, config: AlignConfig) -> bool:
    return row.how == "none" or inside(out, output_name(row.image, config)).is_file()


def _tasks(base: Path, out: Path, todo: list[str], config: AlignConfig,
           landmarks: Mapping[str, Landmarks] | None, jobs: int) -> Iterator[Task]:
    size = max(1, min(_TASK, math.ceil(len(todo) / (4 * jobs))))
    for start in range(0, len(todo), size):
        names = tuple(todo[start : start + size])
        given = None if landmarks is None else tuple(landmarks.get(name) for name in names)
        yield Task(base, out, names, given, config)


def _work(tasks: Iterator[Task], jobs: int, detector: FaceDetector | None) -> Iterator[list[Outcome]]:
    if detector is not None or jobs == 1:
        for task in tasks:
            yield align_task(task, detector)
    else:
        yield from map_processes(align_task, tasks, jobs, start_worker)
