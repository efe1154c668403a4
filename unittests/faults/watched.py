"""The training program, watched while it writes one checkpoint: every operation on its folder is noted, and at one of
them it can be killed as a power failure or ``kill -9`` would, with no chance to tidy up.

``python watched.py '{"folder": …, "step": …, "at": …}' CONFIG …``: with ``at`` the process kills itself at that
operation, counted from 1; with ``journal`` it writes what it saw, one JSON pair (operation, file) a line; with
``image`` and ``copies`` it copies the image of a mounted file system at every operation, as it is on the device.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

HALF = "half a file"
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
# What Python tells of before it happens (docs.python.org, "Audit events table").
EVENTS = ("os.rename", "os.remove", "os.mkdir", "os.rmdir")


class Watch:
    """Counts the operations below ``folder`` while the checkpoint of ``step`` is written."""

    def __init__(
        self, folder: str, step: int, at: int = 0, journal: str = os.devnull, image: str = "", copies: str = ""
    ) -> None:
        self.folder = os.path.abspath(folder)
        self.step = step
        self.at = at
        self.image = image
        self.copies = copies
        self.journal = Path(journal)
        self.count = 0
        self.watching = False

    def audited(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Python's audit hook."""
        if not self.watching:
            return
        if event == "open" and isinstance(arguments[0], str) and arguments[2] & WRITES:
            self.met("open", arguments[0])
        elif event in EVENTS:
            self.met(event, os.fspath(arguments[1] if event == "os.rename" else arguments[0]))

    def met(self, operation: str, path: str) -> bool:
        """Note an operation that is about to happen; True where the process is to die in the middle of it."""
        path = os.path.abspath(path)
        if not self.watching or not path.startswith(self.folder):
            return False
        self.watching = False  # what follows is not the program's
        self.count += 1
        with self.journal.open("a", encoding="utf-8") as file:
            file.write(json.dumps([operation, path]) + "\n")
        if self.copies:
            shutil.copyfile(self.image, f"{self.copies}/{self.count:03d}.img")
        if self.count == self.at and operation != HALF:
            os.kill(os.getpid(), signal.SIGKILL)
        self.watching = True
        return self.count == self.at


def watch(seen: Watch) -> None:
    """Put ``seen`` where the program writes."""
    from fairface.mx import mx
    from fairface.training.run_folder import RunFolder

    def synced(handle: int, before: Callable[[int], None] = os.fsync) -> None:
        seen.met("fsync", os.readlink(f"/proc/self/fd/{handle}"))
        before(handle)

    def saved(name: str, arrays: Any, before: Callable[[str, Any], None] = mx.nd.save) -> None:
        seen.met("nd.save", name)
        before(name, arrays)
        if seen.met(HALF, name):
            os.truncate(name, os.path.getsize(name) // 2)
            os.kill(os.getpid(), signal.SIGKILL)

    def checkpoint(folder: RunFolder, step: int, *rest: Any, before: Callable[..., None] = RunFolder.save) -> None:
        seen.watching = step == seen.step
        before(folder, step, *rest)
        seen.met("done", seen.folder)
        seen.watching = False

    os.fsync = synced
    mx.nd.save = saved
    RunFolder.save = checkpoint  # type: ignore[method-assign]
    sys.addaudithook(seen.audited)


if __name__ == "__main__":
    from fairface.programs.start import start

    watch(Watch(**json.loads(sys.argv[1])))
    start("train", "train.py", sys.argv[2:])
