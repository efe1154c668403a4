"""A pickle reader that runs no code: lists, tuples, bytes, strings, numbers, booleans and plain numpy arrays only.

What pickle calls "globals", names of functions and classes to import, is how a pickle runs code. Nothing is imported
here: the few names that numpy's arrays and old bytes need are answered by stand-ins of our own, which take nothing but
uint8 and bool; every other name is refused.
"""

from __future__ import annotations

import os
import pickle
import pickletools
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

_NUMBERING = ("PUT", "BINPUT", "LONG_BINPUT")
_DTYPES = {"u1": np.dtype(np.uint8), "b1": np.dtype(np.bool_)}


class UnsafePickleError(Exception):
    """The pickle asks for something that plain data do not need."""


class _StandIn:
    """Takes the place of a name; it keeps no state that a pickle could change."""

    __slots__ = ()

    def __call__(self, *arguments: Any) -> Any:
        raise UnsafePickleError("it makes an object of a class")

    def __setstate__(self, state: Any) -> None:
        raise UnsafePickleError("it changes a function")


class _Bytes(_StandIn):
    """``_codecs.encode(text, 'latin1')``: how pickle protocols 0 to 2 write bytes."""

    __slots__ = ()

    def __call__(self, *arguments: Any) -> bytes:
        text, encoding = arguments
        if not isinstance(text, str) or _text(encoding) != "latin1":
            raise UnsafePickleError("it encodes text other than bytes")
        return text.encode("latin1")


class _PlainType:
    """A uint8 or bool type; its state says nothing more."""

    __slots__ = ("dtype",)

    def __init__(self, dtype: np.dtype[Any]) -> None:
        self.dtype = dtype

    def __setstate__(self, state: Any) -> None:
        if not isinstance(state, tuple):
            raise UnsafePickleError("a numpy type of an unknown form")


class _TypeOf(_StandIn):
    """``numpy.dtype``."""

    __slots__ = ()

    def __call__(self, *arguments: Any) -> _PlainType:
        name = _text(arguments[0]).lstrip("|")
        if name not in _DTYPES:
            raise UnsafePickleError(f"it holds numpy values of the type {name[:20]}, not uint8 or bool")
        return _PlainType(_DTYPES[name])


class PlainArray:
    """A numpy array in the making: ``values`` is filled when its state comes."""

    __slots__ = ("values",)

    def __init__(self) -> None:
        self.values: NDArray[Any] = np.zeros(0, np.uint8)

    def __setstate__(self, state: Any) -> None:
        _, shape, kind, fortran, data = state
        self.values = _array(data, kind, shape, "F" if fortran else "C")


class _EmptyArray(_StandIn):
    """``numpy.core.multiarray._reconstruct``."""

    __slots__ = ()

    def __call__(self, *arguments: Any) -> PlainArray:
        return PlainArray()


class _ArrayFromBuffer(_StandIn):
    """``numpy.core.numeric._frombuffer(data, dtype, shape, order)``: arrays of protocol 5."""

    __slots__ = ()

    def __call__(self, *arguments: Any) -> PlainArray:
        result = PlainArray()
        result.values = _array(*arguments)
        return result


class _Scalar(_StandIn):
    """``numpy.core.multiarray.scalar(dtype, data)``."""

    __slots__ = ()

    def __call__(self, *arguments: Any) -> int | bool:
        kind, data = arguments
        return _array(data, kind, (1,), "C").tolist()[0]  # type: ignore[no-any-return]


def _array(data: Any, kind: Any, shape: Any, order: Any) -> NDArray[Any]:
    text_order = _text(order)
    if isinstance(data, str):
        data = data.encode("latin1")
    if not isinstance(kind, _PlainType) or not isinstance(data, (bytes, bytearray)) or text_order not in ("C", "F"):
        raise UnsafePickleError("it holds a numpy array of an unknown form")
    if not isinstance(shape, tuple) or not all(isinstance(side, int) and side >= 0 for side in shape):
        raise UnsafePickleError("it holds a numpy array of an unknown shape")
    flat = np.frombuffer(bytes(data), np.uint8)
    values = flat != 0 if kind.dtype == np.bool_ else flat
    return values.reshape(shape, order="C" if text_order == "C" else "F")


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode("latin1")
    if not isinstance(value, str):
        raise UnsafePickleError("a name is no text")
    return value


_NUMERIC = {"_reconstruct": _EmptyArray(), "scalar": _Scalar(), "_frombuffer": _ArrayFromBuffer()}
_NAMES: dict[tuple[str, str], _StandIn] = {
    ("_codecs", "encode"): _Bytes(),
    ("numpy", "ndarray"): _StandIn(),
    ("numpy", "dtype"): _TypeOf(),
    **{
        (f"numpy.{core}.multiarray", name): _NUMERIC[name]
        for core in ("core", "_core")
        for name in ("_reconstruct", "scalar")
    },
    **{(f"numpy.{core}.numeric", "_frombuffer"): _NUMERIC["_frombuffer"] for core in ("core", "_core")},
}


def check_numbering(file: IO[bytes]) -> None:
    """Refuse a pickle that numbers its objects beyond what its length allows; the file is read from its beginning.

    The reader makes room for every number up to the highest: a few damaged bytes could ask for tens of gigabytes.

    Raises:
        pickle.UnpicklingError: a number is too high.
        ValueError: it is no pickle.
    """
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    for opcode, argument, position in pickletools.genops(file):
        if opcode.name in _NUMBERING and (argument or 0) > size:
            raise pickle.UnpicklingError(f"it numbers an object {argument} at byte {position}")
    file.seek(0)


class PlainUnpickler(pickle.Unpickler):
    """Reads plain data; numpy arrays come as :class:`PlainArray`."""

    def __init__(self, file: IO[bytes]) -> None:
        # Pickles of Python 2 hold images as its strings, which are bytes.
        super().__init__(file, encoding="bytes")

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _NAMES:
            raise UnsafePickleError(f"it asks for {module}.{name}")
        return _NAMES[module, name]

    def persistent_load(self, pid: Any) -> Any:
        raise UnsafePickleError("it refers to objects outside the file")
