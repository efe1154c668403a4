"""PyTorch's checkpoint files, written by hand: what the format allows, and what it should not."""

from __future__ import annotations

import struct
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

LEGACY_MAGIC = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."
KINDS = {"f4": "FloatStorage", "f8": "DoubleStorage", "f2": "HalfStorage", "u2": "BFloat16Storage", "i8": "LongStorage",
         "i4": "IntStorage", "u1": "ByteStorage", "b1": "BoolStorage"}  # fmt: skip


@dataclass
class Global:
    """A name to import."""

    module: str
    name: str


@dataclass
class Call:
    """``function(*arguments)``; with ``new`` the way in which pickle makes an object of a class."""

    function: Any
    arguments: tuple[Any, ...] = ()
    new: bool = False


@dataclass
class Built:
    """An object that is given a state."""

    value: Any
    state: Any


@dataclass
class Stored:
    """The persistent id of a storage."""

    pid: tuple[Any, ...]


@dataclass
class Raw:
    """Opcodes as they are."""

    code: bytes


def tensor(array: np.ndarray, key: str, **changes: Any) -> Call:
    """An array as a tensor over the storage ``key``; ``changes`` replace kind, count, offset, shape or strides."""
    spec = {"kind": KINDS[array.dtype.str[1:]], "count": array.size, "offset": 0, "shape": array.shape,
            "strides": tuple(step // array.itemsize for step in array.strides), **changes}  # fmt: skip
    storage = Stored(("storage", Global("torch", spec["kind"]), key, "cpu", spec["count"]))
    hooks = Call(Global("collections", "OrderedDict"))
    return Call(
        Global("torch._utils", "_rebuild_tensor_v2"),
        (storage, spec["offset"], spec["shape"], spec["strides"], False, hooks),
    )


def pickled(value: Any) -> bytes:
    """A pickle of protocol 2."""
    return b"\x80\x02" + _code(value) + b"."


def _code(value: Any) -> bytes:
    if isinstance(value, Raw):
        return value.code
    if isinstance(value, Global):
        return f"c{value.module}\n{value.name}\n".encode()
    if isinstance(value, Call):
        return _code(value.function) + _code(value.arguments) + (b"\x81" if value.new else b"R")
    if isinstance(value, Built):
        return _code(value.value) + _code(value.state) + b"b"
    if isinstance(value, Stored):
        return _code(value.pid) + b"Q"
    if isinstance(value, dict):
        return b"}(" + b"".join(_code(key) + _code(item) for key, item in value.items()) + b"u"
    if isinstance(value, (tuple, list)):
        items = b"".join(map(_code, value))
        return b"(" + items + b"t" if isinstance(value, tuple) else b"](" + items + b"e"
    if value is None or isinstance(value, bool):
        return {None: b"N", True: b"\x88", False: b"\x89"}[value]
    if isinstance(value, int):
        return b"\x8a\x09" + value.to_bytes(9, "little", signed=True)
    if isinstance(value, float):
        return b"G" + struct.pack(">d", value)
    return b"X" + struct.pack("<I", len(value.encode())) + value.encode()


def write_zip(path: Path, value: Any, storages: dict[str, bytes], extra: dict[str, bytes] | None = None,
              compression: int = zipfile.ZIP_STORED) -> Path:  # fmt: skip
    """``value`` as ``torch.save`` writes it since PyTorch 1.6."""
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr("archive/data.pkl", pickled(value))
        for key, data in storages.items():
            archive.writestr(f"archive/data/{key}", data)
        for name, data in (extra or {}).items():
            archive.writestr(f"archive/{name}", data)
    return path


def write_legacy(path: Path, value: Any, storages: dict[str, np.ndarray], little: bool = True) -> Path:
    """``value`` as ``torch.save`` wrote it before."""
    system = {"protocol_version": 1001, "little_endian": little, "type_sizes": {"short": 2, "int": 4, "long": 4}}
    order = "<" if little else ">"
    data = LEGACY_MAGIC + pickled(1001) + pickled(system) + pickled(value) + pickled(list(storages))
    for array in storages.values():
        data += struct.pack(f"{order}q", array.size) + array.astype(array.dtype.newbyteorder(order)).tobytes()
    path.write_bytes(data)
    return path


def write_state(path: Path, arrays: dict[str, np.ndarray]) -> Path:
    """A plain state dict."""
    contiguous = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    value = {name: tensor(array, str(key)) for key, (name, array) in enumerate(contiguous.items())}
    return write_zip(path, value, {str(key): array.tobytes() for key, array in enumerate(contiguous.values())})
