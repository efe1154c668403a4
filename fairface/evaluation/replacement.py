"""Results made beside the earlier ones, and put in their place once all of them are there. No MXNet.

A hidden file in the folder (:data:`MARKER`) lists what was written there; no other file is ever replaced or removed.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from fairface.errors import ConfigError, DataError
from fairface.files import atomic_write, take_lock

MARKER = ".final_eval"
_UNFINISHED = ".part-"
Keep = Callable[[Path], bool]  # whether a file stays where it is


@contextmanager
def fresh_output(output: Path, keep: Keep) -> Iterator[Path]:
    """An empty folder to write to; what lies in it at the end replaces the earlier evaluation's files in ``output``.

    Of these, those that are not written again go, unless ``keep`` says otherwise. When the block does not end well,
    ``output`` stays as it was. What an evaluation that was killed left unfinished goes with the next.

    Raises:
        ConfigError: another evaluation is writing to ``output``.
        DataError: it cannot be written to.
    """
    existed = output.exists()
    try:
        output.mkdir(parents=True, exist_ok=True)
        handle = os.open(output, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise DataError(f"{output}: cannot be written to ({error.strerror}); choose another --output") from error
    try:
        if not take_lock(handle):
            raise ConfigError(f"{output}: another evaluation is writing there; wait for it or choose another --output")
        for left in output.glob(f"{_UNFINISHED}*"):
            shutil.rmtree(left, ignore_errors=True)
        folder = Path(tempfile.mkdtemp(prefix=_UNFINISHED, dir=output))
        try:
            yield folder
            _replace(folder, output, keep)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(handle)
        if not existed:
            with suppress(OSError):  # it holds results
                output.rmdir()


def _replace(folder: Path, output: Path, keep: Keep) -> None:
    """All names are marked before the first file moves: killed in between, the next evaluation knows all of them."""
    new = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir()}
    before = marked(output)
    _mark(output, before | new)
    for name in sorted(new):
        (output / name).parent.mkdir(parents=True, exist_ok=True)
        os.replace(folder / name, output / name)
    kept = {name for name in before - new if not _removed(output, name, keep)}
    _mark(output, kept | new)


def _removed(output: Path, name: str, keep: Keep) -> bool:
    """Take away an earlier evaluation's file and folders that became empty; what is kept, and folders, stay."""
    path = output / name
    if path.is_dir() or keep(path):
        return False
    if is_ours(output, name, {name}):
        path.unlink(missing_ok=True)
        for parent in path.relative_to(output).parents[:-1]:
            with suppress(OSError):  # it holds something else
                (output / parent).rmdir()
    return True


def marked(output: Path) -> set[str]:
    """What evaluations wrote into ``output``, as paths relative to it."""
    try:
        return set((output / MARKER).read_text(encoding="utf-8", errors="replace").splitlines())
    except (FileNotFoundError, NotADirectoryError):
        return set()


def _mark(output: Path, names: Iterable[str]) -> None:
    with atomic_write(output / MARKER, "w", encoding="utf-8") as file:
        file.writelines(f"{name}\n" for name in sorted(names))


def is_ours(output: Path, name: str, written: set[str]) -> bool:
    """Whether the file, or a folder that it lies in, was ``written``, and no link leads out of ``output``."""
    path = Path(name)
    known = any(part.as_posix() in written for part in (path, *path.parents))
    return known and (output / path).parent.resolve().is_relative_to(output.resolve())
