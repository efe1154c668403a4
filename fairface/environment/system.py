"""What the operating system must bring: two libraries that the MXNet wheel does not carry."""

from __future__ import annotations

import ctypes
import platform
import shutil
from collections.abc import Callable

from fairface.environment import SetupError

Which = Callable[[str], "str | None"]

# file -> package by package manager
LIBRARIES = {
    "libgomp.so.1": {"apt-get": "libgomp1", "dnf": "libgomp", "zypper": "libgomp1", "pacman": "gcc-libs"},
    "libquadmath.so.0": {
        "apt-get": "libquadmath0", "dnf": "libquadmath", "zypper": "libquadmath0", "pacman": "gcc-libs",
    },
}  # fmt: skip
COMMANDS = {
    "apt-get": "apt-get install -y", "dnf": "dnf install -y", "zypper": "zypper install", "pacman": "pacman -S",
}  # fmt: skip


def check_libraries(load: Callable[[str], object] = ctypes.CDLL, which: Which = shutil.which) -> None:
    """Load the system libraries once.

    Raises:
        SetupError: some are missing; the message has the command that installs them.
    """
    lacking = []
    for library in LIBRARIES:
        try:
            load(library)
        except OSError:
            lacking.append(library)
    if lacking:
        manager = next((name for name in COMMANDS if which(name)), "apt-get")
        packages = " ".join(dict.fromkeys(LIBRARIES[library][manager] for library in lacking))
        raise SetupError(
            f"missing system library {', '.join(lacking)}; install with: sudo {COMMANDS[manager]} {packages}"
        )


def check_platform(system: str | None = None, machine: str | None = None) -> None:
    """MXNet 1.9.1 is published for Linux x86-64.

    Raises:
        SetupError: this is another platform.
    """
    system, machine = system or platform.system(), machine or platform.machine()
    if (system, machine) != ("Linux", "x86_64"):
        raise SetupError(
            f"{system} {machine}: MXNet 1.9.1 has wheels for Linux x86-64 only; use such a machine or the Dockerfile, "
            "or activate an environment that has its own build of MXNet"
        )
