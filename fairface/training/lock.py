"""One process at a time in a run's folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fairface.errors import CheckpointError, DataError
from fairface.files import sync, take_lock

LOCK = ".lock"


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the folder's lock; the system takes it back when the process ends, however it ends.

    A folder that was made for the lock and in which nothing was written goes again.

    Raises:
        CheckpointError: another process trains in this folder.
        DataError: the folder cannot be made or written to.
    """
    made = not folder.exists()
    path = folder / LOCK
    try:
        _make(folder)
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        raise DataError(f"{path}: cannot be written ({error.strerror}); choose another output folder") from error
    try:
        if not take_lock(handle):
            raise CheckpointError(f"{folder}: another process trains in it; wait for it, or give this run another name")
        yield
    finally:
        if made and [entry.name for entry in folder.iterdir()] == [LOCK]:
            path.unlink()
            folder.rmdir()
        os.close(handle)


def _make(folder: Path) -> None:
    """Make a folder and those above it, so that a power cut leaves them there."""
    if folder.is_dir():
        return
    _make(folder.parent)
    folder.mkdir(exist_ok=True)
    sync(folder.parent)
