"""Start the training program in a place of its own: on this machine, or by ssh on another."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import fairface
from fairface.hardware import physical_cores
from fairface.workers.place import Place

ROOT = str(Path(fairface.__file__).resolve().parents[1])
SSH = ("ssh", "-o", "BatchMode=yes")  # asks nobody for a password
HANDED_ON = ("DMLC_", "FAIRFACE_", "MXNET_", "OMP_", "PS_")  # variables of these names go to other machines too
CONNECT = 10  # seconds in which a machine answers ssh


@dataclass(frozen=True)
class Command:
    """What each process runs.

    Attributes:
        config: file with the run's configuration; another machine gets its content as standard input.
        options: further words.
    """

    config: Path
    options: Sequence[str] = ()

    def start(self, place: Place, said: IO[bytes] | None, host: str = "") -> subprocess.Popen[bytes]:
        """Start it.

        Args:
            place: of the new process.
            said: takes what it says; None = this process's own streams.
            host: by ssh on this machine; empty = here.
        """
        with ExitStack() as open_files:
            if host:
                command = by_ssh(host, remote_line(place, self.options))
                source: IO[bytes] | int = open_files.enter_context(self.config.open("rb"))
                environment = dict(os.environ)
            else:
                command = [sys.executable, "-m", "fairface", "train", str(self.config), *self.options]
                source = subprocess.DEVNULL
                environment = local_environment(place)
            return subprocess.Popen(
                command, env=environment, stdin=source, stdout=said, stderr=said,
                start_new_session=True,  # a terminal's Ctrl-C reaches the workers through the launching process alone
            )  # fmt: skip


def local_environment(place: Place) -> dict[str, str]:
    """This process's environment, with the place and an equal part of the cores."""
    path = os.pathsep.join(filter(None, [ROOT, os.environ.get("PYTHONPATH", "")]))
    return {
        "OMP_NUM_THREADS": str(cores_for(place.local_size)),
        **os.environ,
        **place.environment(),
        "PYTHONPATH": path,
    }


def cores_for(workers: int) -> int:
    """Cores of this machine for each of its workers."""
    return max(1, physical_cores() // workers)


def by_ssh(host: str, line: str) -> list[str]:
    """The command that runs a shell's line on another machine."""
    return [*SSH, "-o", f"ConnectTimeout={CONNECT}", host, line]


def remote_line(place: Place, options: Sequence[str]) -> str:
    """A shell's line: this program by the same interpreter in the same folder, its configuration from standard input.

    A socket, as ssh may give for standard input, cannot be opened by name; a pipe can.
    """
    handed_on = {name: value for name, value in os.environ.items() if name.startswith(HANDED_ON)}
    settings = {**handed_on, **place.environment(), "PYTHONPATH": ROOT}
    words = ["env", *(f"{name}={value}" for name, value in settings.items()), sys.executable, "-m", "fairface", "train",
             "/dev/stdin", *options]  # fmt: skip
    return f"cd {shlex.quote(str(Path.cwd()))} && cat | {shlex.join(words)}"
