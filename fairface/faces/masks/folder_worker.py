"""What one worker process does: read some images, put masks on them, write them and tell what became of each."""

from __future__ import annotations

import dataclasses
import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fairface.data.images import encode_png, read_bytes, try_decode
from fairface.errors import DataError
from fairface.faces.masks.draw import draw_mask
from fairface.faces.masks.log import MASKED, REFUSED, UNMASKED, UNREADABLE, MaskRow
from fairface.faces.masks.parameters import MaskChoice
from fairface.faces.masks.points import PointSource
from fairface.faces.masks.pose import MaskRefusedError, Reason
from fairface.faces.masks.textures import Textures
from fairface.files import atomic_write, inside
from fairface.quantity import quantity


@dataclass(frozen=True)
class Wish:
    """What new masks are drawn from, where landmarks come from, and the probability of a mask."""

    choice: MaskChoice
    points: PointSource
    p: float


@dataclass(frozen=True)
class Job:
    """One image: its name, what its masked version is called, its seed, and its row where a log is repeated."""

    name: str
    output: str
    seed: int
    row: MaskRow | None = None


@dataclass(frozen=True)
class MaskTask:
    """Images ``jobs`` below ``source`` to be masked into ``target``; ``wish`` is ``None`` where a log is repeated."""

    source: Path
    target: Path
    jobs: tuple[Job, ...]
    wish: Wish | None
    textures: Textures


def mask_task(task: MaskTask) -> list[MaskRow]:
    """Mask the images of a task, in order.

    Raises:
        DataError: an image cannot be written, or is no aligned crop where no landmarks are given. One that cannot be
            read is an outcome, not an error.
    """
    return [_mask_one(task, job) for job in task.jobs]


def _mask_one(task: MaskTask, job: Job) -> MaskRow:
    if job.row is not None and job.row.outcome != MASKED:
        return dataclasses.replace(job.row, output="")
    try:
        data = read_bytes(inside(task.source, job.name), job.name)
    except DataError as error:
        return _unreadable(job, "", str(error))
    row = MaskRow(job.name, UNMASKED, hashlib.sha256(data).hexdigest(), seed=job.seed)
    if task.wish is not None and np.random.default_rng(job.seed).random() >= task.wish.p:
        return row
    image = try_decode(data, lambda: job.name)
    if image is None:
        return _unreadable(job, row.sha256, f"not an image, or a damaged one ({quantity(len(data), 'byte')})")
    try:
        return _masked(task, job, row, image)
    except MaskRefusedError as error:
        return dataclasses.replace(row, outcome=REFUSED, reason=error.reason.value, message=str(error))


def _masked(task: MaskTask, job: Job, row: MaskRow, image: np.ndarray) -> MaskRow:
    if job.row is not None:
        points, mask = job.row.points, job.row.parameters
        assert mask is not None
        drawn = draw_mask(image, np.array(points), mask, textures=task.textures)
    else:
        assert task.wish is not None
        found = task.wish.points.of(job.name, image.shape)
        if found is None:
            raise MaskRefusedError("no landmarks are known; find them, or leave this photograph out", Reason.POINTS)
        points = tuple((float(x), float(y)) for x, y in found)
        drawn = draw_mask(image, found, task.wish.choice, job.seed)
    with atomic_write(inside(task.target, job.output)) as file:
        file.write(encode_png(drawn.image))
    height = round(drawn.nose_height_fraction, 6)
    return dataclasses.replace(
        row, outcome=MASKED, output=job.output, points=points, nose_height=height, parameters=drawn.parameters
    )


def _unreadable(job: Job, sha256: str, message: str) -> MaskRow:
    return MaskRow(job.name, UNREADABLE, sha256, seed=job.seed, message=message.removeprefix(f"{job.name}: "))
