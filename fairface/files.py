"""Files that are whole or not there at all, and paths that stay where they belong."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import stat
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from fairface.errors import CheckpointError, DataError

OWNER_ONLY = 0o600  # of embeddings and landmarks, which are personal data
_LFS_POINTER = b"version https://git-lfs.github.com/spec/"


@contextmanager
def atomic_write(
    path: str | os.PathLike[str], mode: str = "wb", personal: bool = False, **kwargs: Any
) -> Iterator[IO[Any]]:
    """Open a temporary file beside ``path`` for writing and rename it to ``path`` when the block ends well.

    Whatever goes wrong inside the block (a full disk, a file-size limit, Ctrl-C), ``path`` keeps what it held before
    and the temporary file is removed. ``personal`` data (embeddings, landmarks) can be read by the owner only, at every
    moment and whatever the umask.

    Raises:
        DataError: the file cannot be written; the message names it.
    """
    target = Path(path)
    temporary: str | None = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent)
        os.fchmod(handle, OWNER_ONLY if personal else 0o666 & ~_umask())
        with os.fdopen(handle, mode, **kwargs) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
        temporary = None
    except OSError as error:
        if isinstance(error, FileNotFoundError) and error.filename not in (None, str(target), temporary):
            raise
        raise DataError(
            f"{target}: cannot be written ({error.strerror or error}); free space or choose another folder"
        ) from error
    finally:
        if temporary is not None:
            with suppress(OSError):
                os.unlink(temporary)


def open_personal(path: str | os.PathLike[str], mode: str, **kwargs: Any) -> IO[Any]:
    """:func:`open`, for a file of personal data that grows: only its owner can read it, also where it was there."""

    def opener(name: str, flags: int) -> int:
        handle = os.open(name, flags, OWNER_ONLY)
        os.fchmod(handle, OWNER_ONLY)
        return handle

    return open(path, mode, opener=opener, **kwargs)


def remove_partial(folder: str | os.PathLike[str]) -> None:
    """Remove, at any depth, what :func:`atomic_write` left when its process was killed; nobody else writes there."""
    for path in Path(folder).rglob(".*.part"):
        path.unlink(missing_ok=True)


def refuse_inputs(outputs: Iterable[str | os.PathLike[str]], inputs: Iterable[str | os.PathLike[str]]) -> None:
    """Refuse to write over what is read; empty names are passed over.

    Raises:
        DataError: an output is one of the inputs, under whichever name.
    """
    read = {Path(name).resolve() for name in inputs if str(name)}
    for name in outputs:
        if str(name) and Path(name).resolve() in read:
            raise DataError(f"{name}: is read by this run and would be overwritten; name another file to write")


def write_json(path: str | os.PathLike[str], content: Any, personal: bool = False) -> None:
    """Write ``content`` as JSON, whole or not at all; ``personal`` as in :func:`atomic_write`.

    Raises:
        DataError: the file cannot be written.
    """
    with atomic_write(path, "w", personal=personal, encoding="utf-8") as file:
        file.write(json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def take_lock(handle: int) -> bool:
    """Lock an open file or folder for this process; False where another process holds it.

    The system takes the lock back when the process ends, however it ends. On a file system without locks nothing can be
    known, and nothing is refused.
    """
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return not isinstance(error, BlockingIOError)
    return True


def sync(path: str | os.PathLike[str]) -> None:
    """Have what was written to a file, or the names in a folder, on the disk before going on.

    A rename outlives a power cut only when its folder was synced, and the file's content only when the file was.
    """
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current


def inside(root: str | os.PathLike[str], name: str | os.PathLike[str]) -> Path:
    """Join ``name`` to ``root`` and refuse whatever would leave ``root`` (absolute names, ``..``, links that lead out).

    Raises:
        DataError: the joined path is not below ``root``, or no path.
    """
    if "\0" in os.fspath(name):
        raise DataError(f"{os.fspath(name)!r} holds a zero byte, which no file's name has; correct it")
    base = Path(root).resolve()
    joined = (base / name).resolve()
    if joined != base and base not in joined.parents:
        raise DataError(f"{os.fspath(name)!r} would leave the folder {root}; names must be relative and stay below it")
    return joined


def read_whole(path: str | os.PathLike[str]) -> bytes:
    """The bytes of a file, or of a pipe that the user names (``<(zcat pairs.gz)``); a device may never end.

    Raises:
        OSError: it cannot be read.
        DataError: it is a device, such as a link to ``/dev/zero`` in a data set of somebody else's.
    """
    with open(path, "rb") as file:
        mode = os.fstat(file.fileno()).st_mode
        if (stat.S_ISCHR(mode) or stat.S_ISBLK(mode)) and not file.isatty() and not os.path.samefile(path, os.devnull):
            raise DataError(f"{path}: is a device, not a file; name a file, or remove the link that leads there")
        return file.read()


def refuse_lfs_pointer(path: Path) -> None:
    """Raise where a file holds a Git LFS pointer in place of its content; a file that cannot be read is left to others.

    Raises:
        CheckpointError: it is such a pointer (https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md).
    """
    try:
        with path.open("rb") as file:
            start = file.read(len(_LFS_POINTER))
    except OSError:
        return
    if start == _LFS_POINTER:
        raise CheckpointError(
            f"{path}: is a Git LFS pointer, not the file itself; fetch the file with `git lfs pull`, or download it"
        )


def sha256(path: Path) -> str:
    """The file's SHA-256 sum, 64 hexadecimal digits."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
