"""What a PyTorch pickle describes a tensor by: a run of numbers ("storage") and a view onto it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any
from weakref import WeakValueDictionary

import numpy as np
from numpy.typing import NDArray

from fairface.safe_pickle import Call, DamagedPickleError, Inert, Name

Array = NDArray[Any]

_BFLOAT16 = np.dtype([("bfloat16", "<u2")])  # numpy has no such type: the upper half of a float32
_TYPES: Mapping[str, np.dtype[Any]] = {
    "FloatStorage": np.dtype("<f4"), "DoubleStorage": np.dtype("<f8"), "HalfStorage": np.dtype("<f2"),
    "BFloat16Storage": _BFLOAT16, "LongStorage": np.dtype("<i8"), "IntStorage": np.dtype("<i4"),
    "ShortStorage": np.dtype("<i2"), "CharStorage": np.dtype("i1"), "ByteStorage": np.dtype("u1"),
    "BoolStorage": np.dtype("?"),
}  # fmt: skip


class Storage:
    """A run of ``count`` numbers of the type ``dtype``; ``read`` gives their bytes."""

    def __init__(self, dtype: np.dtype[Any], count: int, read: Callable[[], bytes]) -> None:
        self.dtype, self.count, self.read = dtype, count, read

    @property
    def size(self) -> int:
        """In bytes."""
        return self.count * self.dtype.itemsize

    def values(self) -> Array:
        """All numbers, one-dimensional, read-only, in this machine's byte order; bfloat16 as float32."""
        flat = np.frombuffer(self.read(), self.dtype, self.count)
        if self.dtype.names:
            flat = (flat["bfloat16"].astype(np.uint32) << 16).view(np.float32)
        return flat.astype(flat.dtype.newbyteorder("="), copy=False)


class StorageTable:
    """The storages that a pickle names, each once.

    Args:
        read: gives the bytes of the storage with a key.
        big_endian: byte order of the file.
    """

    def __init__(self, read: Callable[[str], bytes], big_endian: bool = False) -> None:
        self._read = read
        self._big_endian = big_endian
        self.by_key: dict[str, Storage] = {}

    def of(self, pid: Any) -> Storage:
        """The storage of the persistent id ``("storage", type, key, device, count[, None])``.

        Raises:
            DamagedPickleError: another form, an unknown type, or one that contradicts an earlier id.
        """
        if not isinstance(pid, tuple) or len(pid) not in (5, 6) or pid[0] != "storage" or pid[5:] not in ((), (None,)):
            raise DamagedPickleError("a tensor's storage has an unknown form")
        _, kind, key, _, count = pid[:5]
        dtype = _TYPES.get(kind.name) if isinstance(kind, Name) and kind.module == "torch" else None
        if dtype is None:
            raise DamagedPickleError(f"a tensor is stored as {kind}, which is not known")
        if not isinstance(key, str) or type(count) is not int or count < 0:
            raise DamagedPickleError("a tensor's storage has an unknown form")
        if self._big_endian:
            dtype = dtype.newbyteorder(">")
        storage = self.by_key.setdefault(key, Storage(dtype, count, lambda: self._read(key)))
        if (storage.dtype, storage.count) != (dtype, count):
            raise DamagedPickleError(f"storage {key} is described in two ways")
        return storage


class Tensor:
    """A view onto a storage, in numbers of elements.

    Raises:
        DamagedPickleError: a form that is not known, or a view that leaves its storage.
    """

    def __init__(self, storage: Any, offset: Any, shape: Any, strides: Any, *_: Any) -> None:
        sizes = (offset, *shape, *strides) if isinstance(shape, tuple) and isinstance(strides, tuple) else (None,)
        if not isinstance(storage, Storage) or not all(type(size) is int and size >= 0 for size in sizes):
            raise DamagedPickleError("a tensor has an unknown form")
        if len(shape) != len(strides) or math.prod(shape) > storage.count:
            raise DamagedPickleError("a tensor is larger than its storage")
        last = offset + sum((length - 1) * step for length, step in zip(shape, strides, strict=True))
        if math.prod(shape) and last >= storage.count:
            raise DamagedPickleError("a tensor reaches beyond its storage")
        self.storage, self.offset, self.shape, self.strides = storage, offset, shape, strides

    def array(self, read: WeakValueDictionary[int, Array]) -> Array:
        """The values, read-only. ``read`` holds storages in use, so that tensors that share one read it once."""
        flat = read.get(id(self.storage))
        if flat is None:
            flat = read[id(self.storage)] = self.storage.values()
        if not math.prod(self.shape):
            return np.zeros(self.shape, flat.dtype)
        strides = [step * flat.itemsize for step in self.strides]
        return np.lib.stride_tricks.as_strided(flat[self.offset :], self.shape, strides, writeable=False)


def _ordered_dict(items: Any = ()) -> dict[Any, Any]:
    return {key: value for key, value in items if isinstance(key, str)}


def _parameter(data: Any, *_: Any) -> Any:
    return data


def _inert(*_: Any) -> Inert:
    return Inert()


def _size(values: Any = ()) -> tuple[Any, ...]:
    return tuple(values)


# Calls that make data, and calls whose result nobody needs to read a net's weights.
CALLS: Mapping[Name, Call] = {
    Name("torch._utils", "_rebuild_tensor"): Tensor,
    Name("torch._utils", "_rebuild_tensor_v2"): Tensor,
    Name("torch._utils", "_rebuild_parameter"): _parameter,
    Name("torch._utils", "_rebuild_parameter_with_state"): _parameter,
    Name("torch", "Size"): _size,
    Name("collections", "OrderedDict"): _ordered_dict,
    **{
        Name(*name.rsplit(".", 1)): _inert  # type: ignore[misc]
        for name in (
            "torch.device", "collections.Counter", "collections.defaultdict", "builtins.set", "builtins.frozenset",
            "__builtin__.set", "__builtin__.frozenset", "_codecs.encode", "numpy.dtype",
            "numpy.core.multiarray.scalar", "numpy._core.multiarray.scalar", "numpy.core.multiarray._reconstruct",
            "numpy._core.multiarray._reconstruct", "pathlib.PosixPath", "pathlib.WindowsPath",
            "pathlib._local.PosixPath", "pathlib._local.WindowsPath",
        )
    },
}  # fmt: skip
