"""Masks on the faces of a folder: new ones, or those of a log once more."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from fairface.data.images import read_bytes
from fairface.data.processes import map_processes
from fairface.errors import ConfigError, DataError
from fairface.faces.folder_worker import start_worker
from fairface.faces.masks.folder_worker import Job, MaskTask, Wish, mask_task
from fairface.faces.masks.log import LOG, MASKED, REFUSED, UNREADABLE, MaskRow, read_log, write_log
from fairface.faces.masks.parameters import MaskChoice
from fairface.faces.masks.points import PointSource
from fairface.faces.masks.textures import Textures
from fairface.faces.photographs import list_photographs
from fairface.files import atomic_write, inside, remove_partial

BESIDE = "_mask"  # NAME.jpg gets NAME_mask.png beside it
REFUSED_LIST = "masks.refused.txt"
_TASK = 32  # images of a task


@dataclass(frozen=True)
class MaskReport:
    """What became of a folder's images; ``log`` is the file that tells it image by image."""

    rows: tuple[MaskRow, ...]
    log: str
    ignored: tuple[str, ...] = ()

    def of(self, outcome: str) -> list[MaskRow]:
        """The images of this outcome."""
        return [row for row in self.rows if row.outcome == outcome]


def mask_folder(
    source: str | os.PathLike[str],
    target: str | os.PathLike[str] | None,
    choice: MaskChoice,
    points: PointSource,
    *,
    p: float = 1.0,
    seed: int = 0,
    jobs: int = 1,
    on_done: Callable[[int], object] = lambda count: None,
) -> MaskReport:
    """Put a mask on each image below ``source`` with probability ``p``, as PNG of the same size.

    They go below ``target``, under the same relative name, or with ``target=None`` beside the originals as
    ``NAME_mask.png``. What an image gets depends on ``seed`` and its name only. masks.jsonl tells what became of each,
    masks.refused.txt names those on which no mask could be placed, with the reason.

    Raises:
        ConfigError: ``p`` is no probability, or fewer than one process.
        DataError: no images, two that would get one output name, ``target`` is ``source``, or it cannot be written.
    """
    if not 0 <= p <= 1:
        raise ConfigError(f"the probability of a mask is {p}; it must lie between 0 and 1")
    base, out = _places(source, target)
    names, ignored = _originals(base, target is None)
    outputs = _outputs(base, names, target is None)
    wish = Wish(choice, points, p)
    plan = [Job(name, outputs[name], seed_of(seed, name)) for name in names]
    return _carry_out(base, out, plan, wish, choice.textures, ignored, jobs, on_done)


def repeat_log(
    source: str | os.PathLike[str],
    target: str | os.PathLike[str] | None,
    log: str | os.PathLike[str],
    textures: Textures | None = None,
    *,
    jobs: int = 1,
    on_done: Callable[[int], object] = lambda count: None,
) -> MaskReport:
    """Make the masked images of ``log`` again, byte for byte, from the same originals below ``source``.

    Raises:
        ConfigError: fewer than one process.
        DataError: a damaged log, other textures, or originals that are missing or not those of the log; then nothing
            has been written.
    """
    base, out = _places(source, target)
    rows = read_log(log, textures or Textures())
    for row in rows:
        if row.outcome != UNREADABLE:
            _check_original(base, row, log)
    outputs = _outputs(base, [row.image for row in rows], target is None)
    plan = [Job(row.image, outputs[row.image], row.seed, row) for row in rows]
    return _carry_out(base, out, plan, None, textures or Textures(), (), jobs, on_done)


def seed_of(seed: int, name: str) -> int:
    """The seed of one image: another image more or less changes no other's."""
    return int.from_bytes(hashlib.sha256(f"{seed} {name}".encode()).digest()[:6], "big")


def _carry_out(base: Path, out: Path, plan: Sequence[Job], wish: Wish | None, textures: Textures,
               ignored: tuple[str, ...], jobs: int, on_done: Callable[[int], object]) -> MaskReport:  # fmt: skip
    earlier = _earlier_outputs(out)
    tasks = (MaskTask(base, out, tuple(plan[i : i + _TASK]), wish, textures) for i in range(0, len(plan), _TASK))
    rows: dict[str, MaskRow] = {}
    for done in _work(tasks, base, out, jobs):
        rows |= {row.image: row for row in done}
        on_done(len(done))
    report = MaskReport(tuple(rows[job.name] for job in plan), str(out / LOG), ignored)
    for name in earlier - {row.output for row in report.of(MASKED)}:
        inside(out, name).unlink(missing_ok=True)
    _write_refused(out / REFUSED_LIST, report.of(REFUSED))
    write_log(out / LOG, report.rows, textures)
    return report


def _work(tasks: Iterator[MaskTask], base: Path, out: Path, jobs: int) -> Iterator[list[MaskRow]]:
    if jobs == 1:
        yield from map(mask_task, tasks)
        return
    try:
        yield from map_processes(mask_task, tasks, jobs, str(base), start_worker)
    except DataError:
        remove_partial(out)  # of processes that were killed; the others have ended
        raise


def _places(source: str | os.PathLike[str], target: str | os.PathLike[str] | None) -> tuple[Path, Path]:
    base = Path(source).resolve()
    out = base if target is None else Path(target).resolve()
    if target is not None and (out == base or base in out.parents):
        raise DataError(
            f"{out}: lies inside the images' folder {base}; choose one outside it, or none to write beside them"
        )
    return base, out


def _originals(base: Path, beside: bool) -> tuple[list[str], tuple[str, ...]]:
    """Names of the images, without those that an earlier run put beside them."""
    names, ignored = list_photographs(base)
    stems = {str(PurePosixPath(name).with_suffix("")) for name in names}
    made = {name for name in names if beside and name.endswith(f"{BESIDE}.png")
            and name.removesuffix(f"{BESIDE}.png") in stems}  # fmt: skip
    return [name for name in names if name not in made], ignored


def _outputs(base: Path, names: Sequence[str], beside: bool) -> Mapping[str, str]:
    outputs: dict[str, str] = {}
    first: dict[str, str] = {}
    for name in names:
        path = PurePosixPath(name)
        made = str(path.with_name(f"{path.stem}{BESIDE}.png") if beside else path.with_suffix(".png"))
        if made in first:
            raise DataError(f"{base}: {first[made]} and {name} would both become {made}; rename one of them")
        first[made] = name
        outputs[name] = made
    return outputs


def _check_original(base: Path, row: MaskRow, log: str | os.PathLike[str]) -> None:
    path = inside(base, row.image)
    if hashlib.sha256(read_bytes(path)).hexdigest() != row.sha256:
        raise DataError(f"{path}: is another photograph than {log} was made from (its SHA-256 sum differs); restore it")


def _earlier_outputs(out: Path) -> set[str]:
    """What an earlier run wrote: it is replaced, also where an image gets no mask this time."""
    return {row.output for row in read_log(out / LOG) if row.outcome == MASKED} if (out / LOG).is_file() else set()


def _write_refused(path: Path, rows: Sequence[MaskRow]) -> None:
    path.unlink(missing_ok=True)
    if rows:
        with atomic_write(path, "w", encoding="utf-8") as file:
            file.writelines(f"{row.image}\t{row.reason}\t{row.message}\n" for row in rows)
