"""A process's place among those that train together, as its environment tells it.

The variables are those of MXNet's tracker (``DMLC_*``), so that whatever starts processes for it starts ours.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import dataclass

from fairface.errors import ConfigError

WORKER, SERVER, SCHEDULER = "worker", "server", "scheduler"
ROLE, ADDRESS, PORT = "DMLC_ROLE", "DMLC_PS_ROOT_URI", "DMLC_PS_ROOT_PORT"
WORKERS, SERVERS, RANK = "DMLC_NUM_WORKER", "DMLC_NUM_SERVER", "DMLC_WORKER_ID"
LOCAL_RANK, LOCAL_SIZE = "FAIRFACE_LOCAL_RANK", "FAIRFACE_LOCAL_SIZE"
TIMEOUT, ROLL_CALL = "FAIRFACE_PEER_TIMEOUT", "FAIRFACE_ROLL_CALL"
NODE = "DMLC_NODE_HOST"  # the address that a process names to the others
MARK = "FAIRFACE_LAUNCH"
LOOPBACK = "127.0.0.1"
DEFAULT_TIMEOUT = 60.0  # seconds without a sign of life after which a process counts as dead


@dataclass(frozen=True)
class Place:
    """Who this process is and where the others are.

    Attributes:
        role: ``worker``, ``server`` or ``scheduler``.
        address, port: of the scheduler.
        workers, servers: how many there are.
        rank: a worker's number; None = by arrival.
        local_rank, local_size: a worker's number among those of its machine, and how many these are.
        timeout: seconds without a sign of life after which a process counts as dead.
        roll_call: address and port of the roll call; None = the scheduler holds it, at the port after its own.
        mark: of the launch that started this process, for the run's manifest; empty = none did.
    """

    role: str
    address: str
    port: int
    workers: int
    servers: int
    rank: int | None = None
    local_rank: int = 0
    local_size: int = 1
    timeout: float = DEFAULT_TIMEOUT
    roll_call: tuple[str, int] | None = None
    mark: str = ""

    @property
    def called_at(self) -> tuple[str, int]:
        """Where the roll call is."""
        return self.roll_call or (self.address, self.port + 1)

    def environment(self) -> dict[str, str]:
        """The variables that :func:`read_place` reads."""
        found = {
            ROLE: self.role, ADDRESS: self.address, PORT: str(self.port), WORKERS: str(self.workers),
            SERVERS: str(self.servers), LOCAL_RANK: str(self.local_rank), LOCAL_SIZE: str(self.local_size),
            TIMEOUT: str(self.timeout),
        }  # fmt: skip
        if self.address == LOOPBACK:  # all are on this machine; else a machine without a network has no address to name
            found[NODE] = LOOPBACK
        if self.rank is not None:
            found[RANK] = str(self.rank)
        if self.roll_call is not None:
            found[ROLL_CALL] = f"{self.roll_call[0]}:{self.roll_call[1]}"
        if self.mark:
            found[MARK] = self.mark
        return found


def read_place(environment: Mapping[str, str]) -> Place | None:
    """The place that the environment describes; None without ``DMLC_ROLE``.

    Raises:
        ConfigError: a variable is missing or cannot be used; it is named.
    """
    role = environment.get(ROLE, "")
    if not role:
        return None
    if role not in (WORKER, SERVER, SCHEDULER):
        raise ConfigError(f"{ROLE} is {role!r}; it is one of worker, server, scheduler")
    if not environment.get(ADDRESS):
        raise ConfigError(f"{ROLE} is set but {ADDRESS} is not; it is the address of the machine with the scheduler")
    workers = _number(environment, WORKERS, 1)
    rank = _number(environment, RANK, 0, workers - 1) if environment.get(RANK) else None
    size = _number(environment, LOCAL_SIZE, 1, workers) if environment.get(LOCAL_SIZE) else 1
    host, _, port = environment.get(ROLL_CALL, "").rpartition(":")
    if environment.get(ROLL_CALL) and not (host and port.isdigit()):
        raise ConfigError(f"{ROLL_CALL} is {environment[ROLL_CALL]!r}; it is written ADDRESS:PORT")
    return Place(
        role, environment[ADDRESS], _number(environment, PORT, 1, 65534), workers,
        _number(environment, SERVERS, 1), rank,
        _number(environment, LOCAL_RANK, 0, size - 1) if environment.get(LOCAL_RANK) else 0, size,
        _seconds(environment), (host, int(port)) if host else None, environment.get(MARK, ""),
    )  # fmt: skip


def free_port(address: str) -> int:
    """A port of this machine that nobody uses just now."""
    with socket.socket() as probe:
        probe.bind((address, 0))
        return int(probe.getsockname()[1])


def check_port(address: str, port: int) -> None:
    """Raise :class:`ConfigError` where somebody uses the port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError as error:
            raise ConfigError(f"port {port} cannot be used ({error.strerror}); name another one") from error


def _number(environment: Mapping[str, str], name: str, least: int, most: int = 2**31 - 1) -> int:
    text = environment.get(name, "")
    if not text.isdigit() or not least <= int(text) <= most:
        limit = f"from {least} to {most}" if most < 2**31 - 1 else f"of {least} or more"
        raise ConfigError(f"{name} is {text!r}; it is a number {limit}")
    return int(text)


def _seconds(environment: Mapping[str, str]) -> float:
    text = environment.get(TIMEOUT, str(DEFAULT_TIMEOUT))
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < 1e6:
        raise ConfigError(f"{TIMEOUT} is {text!r}; it is a number of seconds above 0")
    return seconds
