"""PyTorch's checkpoint files, read without PyTorch and without running anything in them.

``torch.save`` writes a zip archive: ``<name>/data.pkl`` describes the objects, ``<name>/data/<key>`` holds a tensor's
storage, not compressed, and ``<name>/byteorder`` says ``little`` or ``big``. Before PyTorch 1.6 it wrote one stream
instead: a magic number, the protocol, the system, the objects and the storages' keys, all pickled, then the storages.
"""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import IO, Any
from weakref import WeakValueDictionary

from fairface.errors import CheckpointError
from fairface.files import refuse_lfs_pointer
from fairface.interop.torch.tensors import CALLS, Array, StorageTable, Tensor
from fairface.safe_pickle import DamagedPickleError, Inert, PickleMachine, UnsafePickleError

LARGEST_PICKLE = 16 << 20  # bytes; a net of 1000 layers takes 0.3 MB
_ZIP = b"PK\x03\x04"
_LEGACY = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."  # the magic number, pickled
_LEGACY_PROTOCOL = 1001
_LONGEST = 1 << 10  # bytes of the small texts in the archive


def read_torch(path: str | Path) -> dict[str, Array]:
    """The parameters in a PyTorch checkpoint: name to values, read-only.

    Takes a plain state dict (``torch.save(net.state_dict(), path)``), a Lightning checkpoint (its ``state_dict``),
    arcface_torch's ``checkpoint_gpu_N.pt`` (its ``state_dict_backbone``) and VirFace's snapshots (``backbone``,
    ``head`` and ``generator``, whose names begin their parameters'). What else these hold (optimizer, settings) is
    not read.

    Raises:
        CheckpointError: not readable, cut off, damaged, no state dict in it, or a pickle that runs code.
    """
    refuse_lfs_pointer(Path(path))
    with _described(path), open(path, "rb") as file:
        start = file.read(len(_LEGACY))
        file.seek(0)
        if start.startswith(_ZIP):
            return _read_zip(file)
        if start == _LEGACY:
            return _read_legacy(file)
        raise CheckpointError("is not a PyTorch checkpoint (neither of torch.save's two formats)")


@contextmanager
def _described(path: str | Path) -> Iterator[None]:
    """Turn whatever is wrong with the file into one line that names it."""
    try:
        yield
    except CheckpointError as error:
        raise CheckpointError(f"{path}: {error}") from error
    except UnsafePickleError as error:
        raise CheckpointError(
            f"{path}: is refused: its pickle holds more than data ({error}); "
            "save the weights alone with torch.save(net.state_dict(), file)"
        ) from error
    except (DamagedPickleError, zipfile.BadZipFile, zlib.error, struct.error, OSError, EOFError, ValueError,
            OverflowError, MemoryError, NotImplementedError, RuntimeError) as error:  # fmt: skip
        reason = getattr(error, "strerror", None) or " ".join(str(error).split()) or type(error).__name__
        raise CheckpointError(f"{path}: cannot be read: it is cut off or damaged ({reason}); get it again") from error


def _read_zip(file: IO[bytes]) -> dict[str, Array]:
    length = file.seek(0, 2)
    with zipfile.ZipFile(file) as archive:
        entries = {entry.filename: entry for entry in archive.infolist()}
        if sum(entry.file_size for entry in archive.infolist()) > length:
            raise CheckpointError("is refused: its parts claim to be larger than the file")
        described = [name for name in entries if name.count("/") == 1 and name.endswith("/data.pkl")]
        if len(described) != 1:
            raise CheckpointError("is a zip archive, but not one that torch.save wrote (it has no data.pkl)")
        folder = described[0].removesuffix("data.pkl")
        if f"{folder}constants.pkl" in entries:
            raise CheckpointError("is a TorchScript program; save the net's state_dict() instead")

        def read(name: str, limit: int = length) -> bytes:
            entry = entries.get(folder + name)
            if entry is None or entry.compress_type != zipfile.ZIP_STORED or entry.file_size > limit:
                raise CheckpointError(f"is damaged: {folder}{name} is missing, compressed or too large")
            return archive.read(entry)

        big_endian = f"{folder}byteorder" in entries and read("byteorder", _LONGEST).strip() == b"big"
        storages = StorageTable(lambda key: read(f"data/{key}"), big_endian)
        objects = PickleMachine(CALLS, storages.of).load(BytesIO(read("data.pkl", LARGEST_PICKLE)))
        for key, storage in storages.by_key.items():
            entry = entries.get(f"{folder}data/{key}")
            if entry is None or entry.file_size < storage.size:
                raise CheckpointError(f"is damaged: {folder}data/{key} is missing or too short")
        return _arrays(objects)


def _read_legacy(file: IO[bytes]) -> dict[str, Array]:
    length = file.seek(0, 2)
    file.seek(0)
    head = BytesIO(file.read(LARGEST_PICKLE))
    places: dict[str, tuple[int, int]] = {}  # of each storage: first byte, number of bytes

    def read(key: str) -> bytes:
        start, size = places[key]
        file.seek(start)
        return file.read(size)

    plain = PickleMachine({}, _no_storage)
    plain.load(head)  # the magic number
    protocol, system = plain.load(head), plain.load(head)
    if protocol != _LEGACY_PROTOCOL or not isinstance(system, dict):
        raise CheckpointError(f"is of torch.save's protocol {protocol!s:.20}, which is not known")
    big_endian = system.get("little_endian") is False
    storages = StorageTable(read, big_endian)
    objects = PickleMachine(CALLS, storages.of).load(head)
    keys = plain.load(head)
    if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys) or {*keys} != {*storages.by_key}:
        raise CheckpointError("is damaged: its list of storages does not fit its tensors")
    position = head.tell()
    for key in keys:
        storage = storages.by_key[key]
        file.seek(position)
        (count,) = struct.unpack(">q" if big_endian else "<q", file.read(8))
        if count != storage.count or position + 8 + storage.size > length:
            raise CheckpointError(f"is cut off or damaged at its storage {key}; get it again")
        places[key] = (position + 8, storage.size)
        position += 8 + storage.size
    return _arrays(objects)


def _no_storage(_: Any) -> Any:
    raise DamagedPickleError("a tensor where there should be none")


def _arrays(objects: Any) -> dict[str, Array]:
    read: WeakValueDictionary[int, Array] = WeakValueDictionary()
    found = {key: value.array(read) for key, value in _state_dict(objects).items() if isinstance(value, Tensor)}
    if not found:
        raise CheckpointError("holds no tensors by name; name a file with a net's state dict")
    return found


def _state_dict(objects: Any) -> Mapping[Any, Any]:
    if isinstance(objects, Inert):
        raise CheckpointError(f"holds an object of the class {objects.cls}; save its state_dict() instead")
    if not isinstance(objects, dict):
        raise CheckpointError("holds no state dict; save the net with torch.save(net.state_dict(), file)")
    for key in ("state_dict", "state_dict_backbone"):
        if isinstance(objects.get(key), dict):
            inner: dict[Any, Any] = objects[key]
            return {name: value for name, value in inner.items() if isinstance(name, str)}
    if isinstance(objects.get("backbone"), dict):
        parts = {block: part for block, part in objects.items() if isinstance(part, dict)}
        return {f"{block}.{name}": value for block, part in parts.items() for name, value in part.items()}
    return {name: value for name, value in objects.items() if isinstance(name, str)}
