"""The run's log: lines for people, on the terminal and in a file; JSON lines for programs; TensorBoard events."""

from __future__ import annotations

import json
import math
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from fairface.cli import finite
from fairface.errors import DataError
from fairface.files import atomic_write
from fairface.parsing import parse_json
from fairface.printable import printable
from fairface.quantity import quantity


class RunLog:
    """Appends to ``log.jsonl`` and ``train.log``, prints beside the progress bar, feeds TensorBoard when it is
    installed and wanted.

    ``train.log`` is the history of the run's folder: all that was said, each line with its time, also when quiet, and
    also what a resumed run makes again. Lines are held back until :meth:`begin_history`, since a start that is refused
    changes nothing in the folder.

    Args:
        folder: the run's folder.
        tensorboard: write event files below ``folder/tensorboard``.
        quiet: print nothing.
        name: of the file for programs.
        history: name of the file for people; empty = none.
    """

    def __init__(
        self, folder: Path, tensorboard: bool = False, quiet: bool = False, name: str = "log.jsonl",
        history: str = "train.log",
    ) -> None:  # fmt: skip
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / name
        self.history = folder / history if history else None
        self._held: list[str] | None = []  # lines before the history begins; None since then
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
        """A line for people only, printed and kept.

        Raises:
            DataError: ``train.log`` cannot be written.
        """
        self.keep(text)
        if self.quiet or self.cut_off:
            return
        try:
            tqdm.write(printable(text), file=sys.stderr)
        except OSError:  # BrokenPipeError, and EIO where the terminal is gone
            self.cut_off = True

    def keep(self, text: str) -> None:
        """A line for people in ``train.log``, with the local time; it is not printed."""
        if self.history is None:
            return
        when = time.strftime("%Y-%m-%d %H:%M:%S%z", time.localtime(time.time()))
        line = f"{when}  {printable(text)}\n"
        if self._held is None:
            _append(self.history, line)
        else:
            self._held.append(line)

    def begin_history(self) -> None:
        """Write what was held back to ``train.log``, and every line from now on at once.

        Raises:
            DataError: it cannot be written.
        """
        held, self._held = self._held, None
        if self.history is not None and held:
            _append(self.history, "".join(held))

    def record(self, event: str, step: int, values: dict[str, Any], text: str | None = None) -> None:
        """One JSON line ``{"event", "step", "time", …}``; numbers go to TensorBoard as ``event/key``.

        Raises:
            DataError: the log cannot be written.
        """
        line = {"event": event, "step": step, "time": round(time.time(), 3), **values}
        _append(self.path, json.dumps(finite(line)) + "\n")
        if self._writer is not None:
            for key, value in values.items():
                if isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value):
                    self._writer.add_scalar(f"{event}/{key}", value, step)
        if text is not None:
            self.say(text)

    def forget_after(self, step: int) -> None:
        """Drop the JSON lines of steps after ``step``, which a resumed run makes again, and lines that are damaged."""
        if not self.path.is_file():
            return
        lines = self.path.read_text(encoding="utf-8", errors="replace").splitlines()
        steps = [_step_of(line) for line in lines]
        kept = [line for line, of_line in zip(lines, steps, strict=True) if of_line is not None and of_line <= step]
        damaged = steps.count(None)
        if damaged:
            self.say(f"warning: {self.path}: {quantity(damaged, 'damaged line was', 'damaged lines were')} dropped")
        self._keep_lines(kept)

    def forget_event(self, event: str, step: int) -> None:
        """Drop the JSON lines of ``step`` whose event begins so, which are made again; :meth:`forget_after` came
        before."""
        if self.path.is_file():
            lines = self.path.read_text(encoding="utf-8").splitlines()
            kept = [line for line in lines if _step_of(line) != step or not parse_json(line)["event"].startswith(event)]
            self._keep_lines(kept)

    def _keep_lines(self, lines: Sequence[str]) -> None:
        with atomic_write(self.path, "w", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in lines)

    def close(self) -> None:
        """Flush and close the event file."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None


def _append(path: Path, text: str) -> None:
    try:
        with path.open("a", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
    except OSError as error:
        raise DataError(f"{path}: cannot be written ({error.strerror}); free space, then --resume") from error


def _step_of(line: str) -> int | None:
    """The step of a JSON line; None for one that was cut off when the process was killed, or is damaged."""
    try:
        return int(parse_json(line)["step"])
    except (ValueError, KeyError, TypeError, OverflowError):
        return None
