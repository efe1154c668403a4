"""Several workers of one program, each of them within reach."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from pathlib import Path


def children_of(parent: int) -> list[int]:
    """The processes that another started, itself."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has just ended
            if int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1]) == parent:
                found.append(int(folder.name))
    return found


def children(launcher: int) -> dict[str, int]:
    """The processes that a launcher started, by ``scheduler``, ``server``, ``worker0`` …"""
    found = {}
    for process in children_of(launcher):
        try:
            content = Path(f"/proc/{process}/environ").read_text()
        except OSError:
            continue
        settings = dict(item.split("=", 1) for item in content.split("\0") if "=" in item)
        if "DMLC_ROLE" in settings:
            found[settings["DMLC_ROLE"] + settings.get("DMLC_WORKER_ID", "")] = process
    return found


def all_gone(processes: dict[str, int], seconds: float = 20) -> bool:
    """Whether none of the processes lives any more, after at most so long."""
    end = time.monotonic() + seconds
    while any(_lives(process) for process in processes.values()):
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
        return ") Z" not in Path(f"/proc/{process}/stat").read_text()
    except (ProcessLookupError, OSError):
        return False


KILL, PAUSE = signal.SIGKILL, signal.SIGSTOP
