"""The machines of a run: a file with a line for each, this machine first; the others are reached by ssh."""

from __future__ import annotations

import ipaddress
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from fairface.errors import ConfigError
from fairface.workers.start import ROOT, by_ssh

_LINE = re.compile(r"(?P<name>[\w.@:%][\w.@:%-]*)(\s+slots=(?P<slots>[1-9]\d{0,4}))?")  # a name is never an option
_LOOK = 0.05  # seconds between two looks at who has answered


@dataclass(frozen=True)
class Host:
    """A machine.

    Attributes:
        name: as ssh takes it; ``user@`` may stand before it.
        slots: workers on it.
    """

    name: str
    slots: int = 1


def read_hosts(path: Path) -> tuple[Host, ...]:
    """The machines that a file names: ``name [slots=N]`` a line; what follows a # is left out.

    Raises:
        ConfigError: it cannot be read, names nobody or one machine twice, or a line is written otherwise.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read ({error}); --hosts takes a file with a machine a line") from error
    found: dict[str, Host] = {}
    for number, line in enumerate(lines, 1):
        text = line.partition("#")[0].strip()
        if not text:
            continue
        match = _LINE.fullmatch(text)
        if match is None:
            raise ConfigError(f"{path}: line {number} is {text!r}; write NAME or NAME slots=N")
        if match["name"] in found:
            raise ConfigError(f"{path}: line {number} names {match['name']} again; give it slots=N once")
        found[match["name"]] = Host(match["name"], int(match["slots"] or 1))
    if not found:
        raise ConfigError(f"{path}: names no machine; write one a line, this one first")
    return tuple(found.values())


def address_of(machines: Sequence[Host]) -> str:
    """This machine's address for the others, from the first line's name.

    Raises:
        ConfigError: the name has none, it is another machine's, or others cannot reach it.
    """
    first = machines[0].name
    address = _resolved(first)
    if not address:
        raise ConfigError(f"{first}: has no address here; the first line of --hosts names this machine")
    with socket.socket() as probe:
        try:
            probe.bind((address, 0))
        except OSError as error:
            raise ConfigError(
                f"{first} ({address}) is not this machine; start on the machine of the first line of --hosts"
            ) from error
    far = [host.name for host in machines[1:] if not _is_loopback(_resolved(host.name))]
    if far and _is_loopback(address):
        raise ConfigError(
            f"{first} is {address}, which {far[0]} cannot reach; write an address of this machine's network"
        )
    return address


def check_hosts(machines: Sequence[Host], patience: float) -> None:
    """Ask each machine, all at once, whether it has this program in the same place.

    Args:
        machines: others than this one.
        patience: seconds until all must have answered.

    Raises:
        ConfigError: some do not answer, or have no such program; they are named.
    """
    words = [sys.executable, "-c", "import fairface"]
    line = f"cd {shlex.quote(str(Path.cwd()))} && {shlex.join(['env', f'PYTHONPATH={ROOT}', *words])}"
    end = time.monotonic() + patience
    with ExitStack() as files:
        calls = []
        for host in machines:
            said = files.enter_context(tempfile.TemporaryFile())
            call = subprocess.Popen(
                by_ssh(host.name, line), stdin=subprocess.DEVNULL, stdout=said, stderr=said, start_new_session=True
            )
            calls.append((host.name, call, said))
        while any(call.poll() is None for _, call, _ in calls) and time.monotonic() < end:
            time.sleep(_LOOK)
        failed = [f"{name} {problem}" for name, call, said in calls if (problem := _problem(call, said, patience))]
    if failed:
        raise ConfigError(f"{'; '.join(failed)}; nothing was started")


def _problem(call: subprocess.Popen[bytes], said: IO[bytes], patience: float) -> str:
    """What is wrong with a machine that was asked; empty where nothing is. The call ends."""
    if call.poll() is None:
        os.killpg(call.pid, signal.SIGKILL)
        call.wait()
        return f"does not answer within {patience:g} s"
    if not call.returncode:
        return ""
    said.seek(0)
    lines = said.read().decode(errors="replace").strip().splitlines()
    return f"cannot be used ({lines[-1] if lines else f'ssh ended with {call.returncode}'})"


def _resolved(name: str) -> str:
    with suppress(OSError):
        return socket.gethostbyname(name.rpartition("@")[2])
    return ""


def _is_loopback(address: str) -> bool:
    return bool(address) and ipaddress.ip_address(address).is_loopback
