"""The run's log: a line for people, a JSON line for programs, TensorBoard events."""

from __future__ import annotations

import json
import math
import sys
import time
from pathlib import Path
from typing import Any

from tqdm import tqdm

from fairface.cli import finite
from fairface.errors import DataError
from fairface.files import atomic_write


class RunLog:
    """Appends to ``log.jsonl``, prints beside the progress bar, feeds TensorBoard when it is installed and wanted.

    Args:
        folder: the run's folder.
        tensorboard: write event files below ``folder/tensorboard``.
        quiet: print nothing.
        name: of the file.
    """

    def __init__(
        self, folder: Path, tensorboard: bool = False, quiet: bool = False, name: str = "log.jsonl"
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / name
        self.quiet = quiet
        self.cut_off = False  # nobody reads what is said any more (a closed pipe, a closed terminal)
        self._writer: Any = None
        if tensorboard:
            try:
                from tensorboardX import SummaryWriter
            except ImportError:
                self.say("TensorBoard events are not written: tensorboardX is not installed (extra 'demo')")
            else:
                self._writer = SummaryWriter(str(folder / "tensorboard"))

    def say(self, text: str) -> None:
        """A line for people only."""
        if self.quiet or self.cut_off:
            return
        try:
            tqdm.write(text, file=sys.stderr)
        except OSError:  # BrokenPipeError, and EIO where the terminal is gone
            self.cut_off = True

    def record(self, event: str, step: int, values: dict[str, Any], text: str | None = None) -> None:
        """One JSON line ``{"event", "step", "time", …}``; numbers go to TensorBoard as ``event/key``.

        Raises:
            DataError: the log cannot be written.
        """
        line = {"event": event, "step": step, "time": round(time.time(), 3), **values}
        try:
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(finite(line)) + "\n")
        except OSError as error:
            raise DataError(f"{self.path}: cannot be written ({error.strerror}); free space, then --resume") from error
        if self._writer is not None:
            for key, value in values.items():
                if isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value):
                    self._writer.add_scalar(f"{event}/{key}", value, step)
        if text is not None:
            self.say(text)

    def forget_after(self, step: int) -> None:
        """Drop the lines of steps after ``step``, which a resumed run makes again, and lines that are damaged."""
        if not self.path.is_file():
            return
        lines = self.path.read_text(encoding="utf-8", errors="replace").splitlines()
        steps = [_step_of(line) for line in lines]
        kept = [line for line, of_line in zip(lines, steps, strict=True) if of_line is not None and of_line <= step]
        damaged = steps.count(None)
        if damaged:
            self.say(f"warning: {self.path}: {damaged} damaged lines were dropped")
        with atomic_write(self.path, "w", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in kept)

    def close(self) -> None:
        """Flush and close the event file."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None


def _step_of(line: str) -> int | None:
    """The step of a JSON line; None for one that was cut off when the process was killed, or is damaged."""
    try:
        return int(json.loads(line)["step"])
    except (ValueError, KeyError, TypeError, OverflowError):
        return None
