"""Training by several workers, tried again from the last checkpoint where a process was lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from fairface.checkpoints import MANIFEST
from fairface.cli import tell
from fairface.workers.group import Group
from fairface.workers.hosts import Host, address_of, check_hosts
from fairface.workers.rollcall import LOST
from fairface.workers.start import HERE, Command


@dataclass(frozen=True)
class Launch:
    """What is started.

    Attributes:
        config: file with the run's configuration.
        folder: the run's folder, which tells whether there is a checkpoint to go on from.
        workers: how many, on all machines together.
        options: further words of the training program, such as ``--quiet``.
        resume, overwrite: of the first try.
        restarts: tries after the first, each from the last checkpoint.
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
        return self.hosts or (Host(HERE, self.workers),)

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
    for attempt in range(plan.restarts + 1):
        with Group(plan.machines, plan.command(), address, plan.timeout, plan.port) as group:
            code = group.wait()
        if code != LOST or attempt == plan.restarts or group.signalled:
            return code
        saved = (plan.folder / MANIFEST).is_file()
        plan = replace(plan, resume=saved, overwrite=not saved)
        where = "from the last checkpoint" if saved else "from the start"
        tell([f"restart {attempt + 1} of {plan.restarts}, {where}"])
    return code
