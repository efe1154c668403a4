"""What a verification set's pickle may call: functions of ours that make bytes and arrays of numbers and bools."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fairface.safe_pickle import Call, Name, Unfinished, UnsafePickleError

_DTYPES = {"b1": np.dtype(np.bool_)} | {
    name: np.dtype(name) for name in ("u1", "u2", "u4", "u8", "i1", "i2", "i4", "i8", "f4", "f8")
}
_ORDERS = ("|", "<", ">", "=")  # of bytes; "=" is this machine's


class PlainArray(Unfinished):
    """A numpy array in the making: ``values`` is filled when its state comes."""

    __slots__ = ("values",)

    def __init__(self) -> None:
        self.values: NDArray[Any] = np.zeros(0, np.uint8)

    def set_state(self, state: Any) -> None:
        """``(version, shape, dtype, whether in Fortran's order, bytes)``."""
        _, shape, kind, fortran, data = state
        self.values = _array(data, kind, shape, "F" if fortran else "C")


class _PlainType(Unfinished):
    """A type of numbers or bools; its state says in which order their bytes are."""

    __slots__ = ("dtype",)

    def __init__(self, dtype: np.dtype[Any]) -> None:
        self.dtype = dtype

    def set_state(self, state: Any) -> None:
        if not isinstance(state, tuple) or len(state) < 2 or _text(state[1]) not in _ORDERS:
            raise UnsafePickleError("a numpy type of an unknown form")
        self.dtype = self.dtype.newbyteorder(_text(state[1]))  # type: ignore[arg-type]


def _bytes(text: Any, encoding: Any) -> bytes:
    """``_codecs.encode(text, 'latin1')``: how pickle protocols 0 to 2 write bytes."""
    if not isinstance(text, str) or _text(encoding) != "latin1":
        raise UnsafePickleError("it encodes text other than bytes")
    return text.encode("latin1")


def _type_of(name: Any, *_: Any) -> _PlainType:
    """``numpy.dtype``."""
    short = _text(name).lstrip("|")
    if short not in _DTYPES:
        raise UnsafePickleError(f"it holds numpy values of the type {short[:20]}, not numbers or bools")
    return _PlainType(_DTYPES[short])


def _empty_array(*_: Any) -> PlainArray:
    """``numpy.core.multiarray._reconstruct``."""
    return PlainArray()


def _array_from_buffer(data: Any, kind: Any, shape: Any, order: Any) -> PlainArray:
    """``numpy.core.numeric._frombuffer``: arrays of protocol 5."""
    result = PlainArray()
    result.values = _array(data, kind, shape, order)
    return result


def _scalar(kind: Any, data: Any) -> float | bool:
    """``numpy.core.multiarray.scalar``."""
    return _array(data, kind, (1,), "C").tolist()[0]  # type: ignore[no-any-return]


def _array(data: Any, kind: Any, shape: Any, order: Any) -> NDArray[Any]:
    text_order = _text(order)
    if isinstance(data, str):
        data = data.encode("latin1")
    if not isinstance(kind, _PlainType) or not isinstance(data, (bytes, bytearray)) or text_order not in ("C", "F"):
        raise UnsafePickleError("it holds a numpy array of an unknown form")
    if not isinstance(shape, tuple) or not all(isinstance(length, int) and length >= 0 for length in shape):
        raise UnsafePickleError("it holds a numpy array of an unknown shape")
    values = np.frombuffer(bytes(data), np.uint8 if kind.dtype == np.bool_ else kind.dtype)
    if kind.dtype == np.bool_:
        values = values != 0  # whatever the byte is
    return values.reshape(shape, order="C" if text_order == "C" else "F")


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode("latin1")
    if not isinstance(value, str):
        raise UnsafePickleError("a name is no text")
    return value


CALLS: Mapping[Name, Call] = {
    Name("_codecs", "encode"): _bytes,
    Name("numpy", "dtype"): _type_of,
    **{
        Name(f"numpy.{core}.{module}", name): call
        for core in ("core", "_core")
        for module, name, call in (
            ("multiarray", "_reconstruct", _empty_array),
            ("multiarray", "scalar", _scalar),
            ("numeric", "_frombuffer", _array_from_buffer),
        )
    },
}
# The class of an array stands in its pickle, as an argument; it is never called.
NAMES = frozenset({*CALLS, Name("numpy", "ndarray")})
