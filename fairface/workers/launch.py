"""Training by several workers, tried again from the last checkpoint where a process was lost."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from fairface.checkpoints import LAUNCH, MANIFEST, holds_run, read_manifest
from fairface.cli import tell
from fairface.errors import CheckpointError
from fairface.workers.group import Group
from fairface.workers.hosts import Host, address_of, check_hosts
from fairface.workers.place import LOOPBACK
from fairface.workers.rollcall import LOST
from fairface.workers.start import Command


@dataclass(frozen=True)
class Launch:
    """What is started.

    Attributes:
        config: file with the run's configuration.
        folder: the run's folder, which tells whether there is a checkpoint to go on from.
        workers: how many, on all machines together.
        options: further words of the training program, such as ``--quiet``.
        resume, overwrite: of the first try.
        restarts: tries after the first, each from the last checkpoint that a try of this launch saved.
        timeout: seconds without a sign of life after which a process counts as dead.
        port: of the scheduler; 0 = any that is free.
        hosts: the machines, this one first; none = this one alone.
    """

    config: Path
    folder: Path
    workers: int
    options: Sequence[str] = ()
    resume: bool = False
    overwrite: bool = False
    restarts: int = 0
    timeout: float = 60.0
    port: int = 0
    hosts: tuple[Host, ...] = ()

    @property
    def machines(self) -> tuple[Host, ...]:
        """This machine first, with each one's number of workers."""
        return self.hosts or (Host(LOOPBACK, self.workers),)

    def command(self) -> Command:
        """The training program with this try's words."""
        ending = ["--resume"] * self.resume + ["--overwrite"] * (self.overwrite and not self.resume)
        return Command(self.config, (*self.options, *ending))


def launch(plan: Launch) -> int:
    """Train with several workers; returns worker 0's exit code, or 75 where a process was lost.

    Raises:
        ConfigError: the port is in use, or a machine does not answer.
    """
    address = address_of(plan.machines)
    check_hosts(plan.machines[1:], plan.timeout)
    mark, was_free = uuid.uuid4().hex, not holds_run(plan.folder)
    words = plan
    for attempt in range(plan.restarts + 1):
        with Group(plan.machines, words.command(), address, plan.timeout, plan.port, mark) as group:
            code = group.wait()
        if code != LOST or attempt == plan.restarts or group.signalled:
            return code
        words = next_try(plan, mark, was_free)
        where = "from the last checkpoint" if words.resume else "from the start"
        tell([f"restart {attempt + 1} of {plan.restarts}, {where}"])
    return code


def next_try(plan: Launch, mark: str, was_free: bool) -> Launch:
    """The try after one that lost a process, of ``plan``, which is the first.

    A run that lay in the folder before is not this launch's: to resume it would end with its model instead of the one
    that was asked for. So without a checkpoint of its own a try has the first one's words.

    Args:
        mark: what this launch's workers write into the run's manifest.
        was_free: no run had begun in the folder before the first try; what is there and saved nothing is this launch's.
    """
    if _mark_in(plan.folder) == mark:
        return replace(plan, resume=True, overwrite=False)
    if was_free and not (plan.folder / MANIFEST).is_file():
        return replace(plan, overwrite=True)
    return plan


def _mark_in(folder: Path) -> str:
    try:
        return str(read_manifest(folder).get(LAUNCH, ""))
    except CheckpointError:  # none is there, or it is damaged: the next try's worker 0 says so
        return ""
