"""The rows of a landmarks table as they come in, so that a run that is killed can be taken up again."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import IO

from fairface.errors import DataError
from fairface.faces.landmarks import COLUMNS, Landmarks, read_landmarks
from fairface.files import open_personal


class Journal:
    """A hidden file beside the table ``folder/name`` to which rows are added; ``rows`` holds those of earlier runs.

    Without ``resume`` it starts empty and the earlier rows are forgotten.

    Raises:
        DataError: the table or the journal of an earlier run is damaged, or the journal cannot be written.
    """

    def __init__(self, folder: Path, name: str, resume: bool) -> None:
        self._path = folder / f".{name}.journal"
        self._file: IO[str] | None = None
        self.rows: dict[str, Landmarks] = {}
        if not resume:
            (folder / name).unlink(missing_ok=True)
            self.remove()
            return
        if (folder / name).exists():
            self.rows |= read_landmarks(folder / name)
        if self._path.exists():
            _drop_partial_line(self._path)
            if self._path.stat().st_size:
                self.rows |= read_landmarks(self._path)

    def __enter__(self) -> Journal:
        try:
            self._file = open_personal(self._path, "a", newline="", encoding="utf-8")
        except OSError as error:
            raise DataError(f"{self._path}: cannot be written ({error.strerror}); choose another folder") from error
        if self._file.tell() == 0:
            csv.writer(self._file, lineterminator="\n").writerow(COLUMNS)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if self._file is not None:
                self._file.close()
        except OSError as trouble:  # what could not be written is tried again; the first error says it already
            if error is None:
                raise self._not_written(trouble) from trouble

    def add(self, rows: Iterable[Landmarks]) -> None:
        """Add rows; they are on disk when this returns.

        Raises:
            DataError: the disk is full or the file cannot be written.
        """
        if self._file is None:
            raise ValueError("rows can be added inside the journal's with block only")
        try:
            csv.writer(self._file, lineterminator="\n").writerows(row.row() for row in rows)
            self._file.flush()
        except OSError as error:
            raise self._not_written(error) from error

    def _not_written(self, error: OSError) -> DataError:
        return DataError(f"{self._path}: cannot be written ({error.strerror}); free space and resume")

    def remove(self) -> None:
        """Delete the journal, once its rows are in the table."""
        self._path.unlink(missing_ok=True)


def _drop_partial_line(path: Path) -> None:
    content = path.read_bytes()
    os.truncate(path, content.rfind(b"\n") + 1)
