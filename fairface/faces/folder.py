"""Align every photograph of a folder: found or given landmarks in, crops of one size out, in parallel."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path

from fairface.data.processes import map_processes
from fairface.errors import ConfigError, DataError
from fairface.faces.align_report import AlignReport, names_by_way, write_lists
from fairface.faces.align_settings import keep_settings, settings_of
from fairface.faces.detect import FaceDetector
from fairface.faces.detectors import fetch_nets
from fairface.faces.earlier import check_added, check_earlier, with_earlier
from fairface.faces.folder_worker import AlignConfig, Outcome, Task, align_task, output_name, start_worker
from fairface.faces.journal import Journal
from fairface.faces.landmarks import Landmarks, write_landmarks
from fairface.faces.photographs import list_photographs
from fairface.files import inside, remove_partial
from fairface.quantity import agree, quantity

LANDMARKS = "landmarks.csv"
_TASK = 32  # photographs per task at most; each task loads the nets again, some milliseconds


def align_folder(
    source: str | os.PathLike[str],
    target: str | os.PathLike[str],
    config: AlignConfig | None = None,
    *,
    names: Collection[str] | None = None,
    landmarks: Mapping[str, Landmarks] | None = None,
    detector: FaceDetector | None = None,
    jobs: int = 1,
    resume: bool = False,
    add: bool = False,
    on_done: Callable[[int], object] = lambda count: None,
) -> AlignReport:
    """Align the main face of every photograph below ``source`` into ``target``, under the same relative name.

    ``target`` also gets landmarks.csv (a row per photograph that could be read), no_face.txt, align.json (the
    settings), with ``config.rescue`` failures.txt, and unreadable.txt where there are any. With ``landmarks`` no
    detector runs; a photograph without a row counts as one without a face. A ``detector`` is used instead of those that
    ``config`` names, in this process whatever ``jobs`` says: its net may live on a device that other processes cannot
    share. ``resume`` skips what an unfinished or finished run with the same settings did; otherwise everything is done
    again. A ``target`` with images of other photographs is refused, unless ``add`` keeps them and their rows; then none
    of these photographs may be there yet (with ``resume`` they count as done). ``on_done`` is told after every so many
    photographs how many were done.

    With ``names`` only these photographs are aligned: all counts and lists are about them.

    Raises:
        ConfigError: fewer than one process, or both ``landmarks`` and a ``detector``.
        DataError: no photographs, ``names`` that are not among them, two that would get one output name, ``target``
            inside ``source`` or with images of other photographs, other settings than those of the run to be resumed or
            added to, an output that cannot be written, a
            worker process that was killed: with ``resume`` the next run keeps what was done.
        MissingPackageError: a detector's net cannot be had.
    """
    config = config or AlignConfig()
    _check_choices(jobs, landmarks, detector)
    base, out = Path(source).resolve(), Path(target).resolve()
    there, ignored = list_photographs(base)
    chosen = _chosen(base, there, names)
    _check_places(base, out, chosen, config)
    if landmarks is None and detector is None:
        fetch_nets(config.detectors)
    check_earlier(out, base, there, LANDMARKS, add)
    keep_settings(out, settings_of(config, landmarks is not None, detector), resume or add)
    remove_partial(out)  # of an earlier run that was killed
    journal = Journal(out, LANDMARKS, resume or add)
    if add and not resume:
        check_added(out, chosen, journal.rows, LANDMARKS)
    known = {name: row for name, row in journal.rows.items() if _is_finished(out, row, config)}
    todo = [name for name in chosen if name not in known]
    on_done(len(chosen) - len(todo))
    done: list[Outcome] = []
    with journal:
        for outcomes in _work(_tasks(base, out, todo, config, landmarks, jobs), base, out, jobs, detector):
            journal.add(outcome.row for outcome in outcomes if outcome.row is not None)
            done += outcomes
            on_done(len(outcomes))
    rows = {name: known[name] for name in chosen if name in known}
    rows |= {outcome.name: outcome.row for outcome in done if outcome.row is not None}
    report = _report(len(chosen), rows, done, ignored, len((landmarks or {}).keys() - set(there)))
    if add:
        rows = journal.rows | rows
    write_lists(out, with_earlier(report, out, rows) if add else report, config.rescue)
    write_landmarks(out / LANDMARKS, (rows[name] for name in sorted(rows)))
    journal.remove()
    return report


def _check_choices(jobs: int, landmarks: Mapping[str, Landmarks] | None, detector: FaceDetector | None) -> None:
    if jobs < 1:
        raise ConfigError(f"jobs is {jobs}; at least one process is needed")
    if landmarks is not None and detector is not None:
        raise ConfigError("with landmarks no detector runs; give landmarks or a detector")


def _chosen(base: Path, there: list[str], names: Collection[str] | None) -> list[str]:
    """Those of the photographs ``there`` that are asked for, sorted."""
    if names is None:
        return there
    strangers = sorted(set(names) - set(there))
    if strangers:
        raise DataError(
            f"{base}: {len(strangers)} of {quantity(len(set(names)), 'photograph')} that are asked for "
            f"{agree(len(strangers), 'is', 'are')} not there "
            f"({', '.join(strangers[:3])}{', …' if len(strangers) > 3 else ''}); add them or ask for others"
        )
    return sorted(set(names))


def _report(
    photographs: int, rows: Mapping[str, Landmarks], done: Sequence[Outcome], ignored: tuple[str, ...], unused: int
) -> AlignReport:
    """``rows`` are of all photographs that could be read, ``done`` are those of this run."""
    ways = names_by_way(rows)
    return AlignReport(
        photographs=photographs,
        aligned=sum(outcome.row is not None and outcome.row.points is not None for outcome in done),
        finished=photographs - len(done),
        no_face=ways.get("none", ()),
        unreadable=tuple(sorted((outcome.name, outcome.problem) for outcome in done if outcome.row is None)),
        ignored=ignored,
        unused=unused,
        forced=ways.get("forced", ()),
        rotated=ways.get("rotated", ()),
        cropped=ways.get("cropped", ()),
    )


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


def _tasks(
    base: Path, out: Path, todo: list[str], config: AlignConfig, landmarks: Mapping[str, Landmarks] | None, jobs: int
) -> Iterator[Task]:
    size = max(1, min(_TASK, math.ceil(len(todo) / (4 * jobs))))
    for start in range(0, len(todo), size):
        names = tuple(todo[start : start + size])
        given = None if landmarks is None else tuple(landmarks.get(name) for name in names)
        yield Task(base, out, names, given, config)


def _work(
    tasks: Iterator[Task], base: Path, out: Path, jobs: int, detector: FaceDetector | None
) -> Iterator[list[Outcome]]:
    if detector is not None or jobs == 1:
        for task in tasks:
            yield align_task(task, detector)
        return
    try:
        yield from map_processes(align_task, tasks, jobs, str(base), start_worker)
    except DataError:
        remove_partial(out)  # of processes that were killed; the others have ended
        raise
