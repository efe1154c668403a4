"""Align every photograph of a folder: found or given landmarks in, crops of one size out, in parallel."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from fairface.data.processes import map_processes
from fairface.errors import ConfigError, DataError
from fairface.faces.folder_worker import AlignConfig, Outcome, Task, align_task, output_name, start_worker
from fairface.faces.journal import Journal
from fairface.faces.landmarks import Landmarks, write_landmarks
from fairface.faces.photographs import list_photographs
from fairface.files import atomic_write, inside

LANDMARKS, NO_FACE, UNREADABLE, SETTINGS = "landmarks.csv", "no_face.txt", "unreadable.txt", "align.json"
_TASK = 32  # photographs per task at most; each task loads the nets anew, some milliseconds


@dataclass(frozen=True)
class AlignReport:
    """What became of the ``photographs``: aligned now, ``finished`` before (resume), without a face, not readable.

    ``unreadable`` holds (name, reason); ``ignored`` counts files that are no photographs, ``unused`` given landmarks
    whose photograph is not there.
    """

    photographs: int
    aligned: int
    finished: int
    no_face: tuple[str, ...]
    unreadable: tuple[tuple[str, str], ...]
    ignored: int
    unused: int


def align_folder(
    source: str | os.PathLike[str],
    target: str | os.PathLike[str],
    config: AlignConfig | None = None,
    *,
    landmarks: Mapping[str, Landmarks] | None = None,
    jobs: int = 1,
    resume: bool = False,
    on_done: Callable[[int], object] = lambda count: None,
) -> AlignReport:
    """Align the main face of every photograph below ``source`` into ``target``, under the same relative name.

    ``target`` also gets landmarks.csv (a row per photograph that could be read), no_face.txt, align.json (the settings)
    and, where there are any, unreadable.txt. With ``landmarks`` no detector runs; a photograph without a row counts as
    one without a face. ``resume`` skips what an unfinished or finished run with the same settings did; otherwise
    everything is made anew. ``on_done`` is told after every so many photographs how many were done.

    Raises:
        DataError: no photographs, two that would get one output name, ``target`` inside ``source``, other settings than
            those of the run to be resumed, an output that cannot be written, a worker that died.
    """
    config = config or AlignConfig()
    if jobs < 1:
        raise ConfigError(f"jobs is {jobs}; at least one process is needed")
    base, out = Path(source).resolve(), Path(target).resolve()
    names, ignored = list_photographs(base)
    _check_places(base, out, names, config)
    _check_settings(out, config, landmarks is not None, resume)
    journal = Journal(out, LANDMARKS, resume)
    known = {name: row for name, row in journal.rows.items() if _is_finished(out, row, config)}
    todo = [name for name in names if name not in known]
    on_done(len(names) - len(todo))
    unreadable = []
    rows = {name: known[name] for name in names if name in known}
    with journal:
        for outcomes in _work(_tasks(base, out, todo, config, landmarks, jobs), jobs):
            journal.add(outcome.row for outcome in outcomes if outcome.row is not None)
            rows.update((outcome.name, outcome.row) for outcome in outcomes if outcome.row is not None)
            unreadable += [(outcome.name, outcome.problem) for outcome in outcomes if outcome.row is None]
            on_done(len(outcomes))
    no_face = sorted(name for name, row in rows.items() if row.points is None)
    _write_lists(out, no_face, sorted(unreadable))
    write_landmarks(out / LANDMARKS, (rows[name] for name in names if name in rows))
    journal.remove()
    finished = len(names) - len(todo)
    unused = len((landmarks or {}).keys() - set(names))
    aligned = sum(rows[name].points is not None for name in todo if name in rows)
    return AlignReport(len(names), aligned, finished, tuple(no_face), tuple(sorted(unreadable)), ignored, unused)


def _check_places(base: Path, out: Path, names: list[str], config: AlignConfig) -> None:
    if out == base or base in out.parents:
        raise DataError(f"{out}: lies inside the photographs' folder {base}; choose an output folder outside it")
    first: dict[str, str] = {}
    for name in names:
        made = output_name(name, config)
        if made in first:
            raise DataError(f"{base}: {first[made]} and {name} would both become {made}; rename one of them")
        first[made] = name


def _check_settings(out: Path, config: AlignConfig, given: bool, resume: bool) -> None:
    settings = json.loads(json.dumps({**asdict(config), "landmarks_given": given}))
    path = out / SETTINGS
    if resume and path.exists():
        try:
            before = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise DataError(f"{path}: not the settings of an earlier run; start without resuming") from error
        if before != settings:
            raise DataError(f"{path}: the run to be resumed had other settings; use the same or start without resuming")
    with atomic_write(path, "w", encoding="utf-8") as file:
        json.dump(settings, file, indent=2)


def _is_finished(out: Path, row: Landmarks, config: AlignConfig) -> bool:
    return row.points is None or inside(out, output_name(row.image, config)).is_file()


def _tasks(base: Path, out: Path, todo: list[str], config: AlignConfig,
           landmarks: Mapping[str, Landmarks] | None, jobs: int) -> Iterator[Task]:
    size = max(1, min(_TASK, math.ceil(len(todo) / (4 * jobs))))
    for start in range(0, len(todo), size):
        names = tuple(todo[start : start + size])
        given = None if landmarks is None else tuple(landmarks.get(name) for name in names)
        yield Task(base, out, names, given, config)


def _work(tasks: Iterator[Task], jobs: int) -> Iterator[list[Outcome]]:
    if jobs == 1:
        yield from map(align_task, tasks)
    else:
        yield from map_processes(align_task, tasks, jobs, start_worker)


def _write_lists(out: Path, no_face: list[str], unreadable: list[tuple[str, str]]) -> None:
    with atomic_write(out / NO_FACE, "w", encoding="utf-8") as file:
        file.writelines(f"{name}\n" for name in no_face)
    if unreadable:
        with atomic_write(out / UNREADABLE, "w", encoding="utf-8") as file:
            file.writelines(f"{name}\t{problem}\n" for name, problem in unreadable)
    else:
        with suppress(FileNotFoundError):
            (out / UNREADABLE).unlink()
