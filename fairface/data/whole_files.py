"""Several files that appear together or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any

from fairface.errors import DataError
from fairface.files import atomic_write


@contextmanager
def whole_files(modes: Mapping[Path, str]) -> Iterator[list[IO[Any]]]:
    """Open a file for each path (``wb`` or ``w``); all are renamed into place when the block ends well, else none is.

    Everything is flushed to disk before the first file is renamed, so that a full disk leaves the old files alone.

    Raises:
        DataError: a file cannot be written; the message names it.
    """
    with ExitStack() as stack:
        files = [
            stack.enter_context(atomic_write(path, mode, encoding=None if "b" in mode else "utf-8"))
            for path, mode in modes.items()
        ]
        yield files
        for path, file in zip(modes, files, strict=True):
            try:
                file.flush()
                os.fsync(file.fileno())
            except OSError as error:
                raise DataError(
                    f"{path}: cannot be written ({error.strerror or error}); free space or choose another folder"
                ) from error
