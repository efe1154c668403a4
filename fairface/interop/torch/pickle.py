"""The data in a PyTorch pickle, read without running it.

A pickle is a program for a stack machine. What makes it dangerous is that it may import names ("globals") and call
them. This is that machine without either: a name stays a name, and the only calls are those that the caller offers,
each a function of ours that makes data. Any other call is refused and named; an object of an unknown class becomes an
:class:`Inert`, which holds nothing (training checkpoints carry settings and callbacks of classes that nobody needs to
read the weights).
"""

from __future__ import annotations

import pickletools
import struct
from collections.abc import Callable, Mapping
from typing import IO, Any, NamedTuple

from fairface.data.pairsets.safe_pickle import UnsafePickleError

Call = Callable[..., Any]

_LITERALS = frozenset(
    (
        "INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT", "STRING", "BINSTRING",
        "SHORT_BINSTRING", "UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8", "BINBYTES", "SHORT_BINBYTES",
        "BINBYTES8",
    )
)  # fmt: skip
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False, "EMPTY_TUPLE": ()}
_STORE = frozenset({"PUT", "BINPUT", "LONG_BINPUT"})
_FETCH = frozenset({"GET", "BINGET", "LONG_BINGET"})
_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
_NOTHING = frozenset({"PROTO", "FRAME"})


class Name(NamedTuple):
    """A name that the pickle would have imported."""

    module: str
    name: str

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"


class Inert:
    """An object of a class that is not known here. Whatever the pickle does to it is dropped."""

    __slots__ = ("cls",)

    def __init__(self, cls: object = "") -> None:
        self.cls = cls


class DamagedPickleError(Exception):
    """The pickle ends too early or makes no sense."""


class PickleMachine:
    """Reads one pickle after the other from a file.

    Args:
        calls: what may be called, by name.
        persistent: turns the id of an object outside the pickle (a tensor's storage) into that object.
    """

    def __init__(self, calls: Mapping[Name, Call], persistent: Call) -> None:
        self._calls = calls
        self._persistent = persistent
        self._operations: dict[str, Callable[[Any], object]] = {
            "MARK": self._mark, "POP": self._pop, "POP_MARK": self._take_mark, "DUP": self._duplicate,
            "TUPLE": self._tuple, "LIST": self._list, "DICT": self._dict, "EMPTY_DICT": self._empty_dict,
            "EMPTY_LIST": self._empty_list, "EMPTY_SET": self._empty_set, "FROZENSET": self._frozenset,
            "APPEND": self._append, "APPENDS": self._appends, "SETITEM": self._set_item, "SETITEMS": self._set_items,
            "ADDITEMS": self._take_mark, "GLOBAL": self._global, "STACK_GLOBAL": self._stack_global,
            "REDUCE": self._reduce, "NEWOBJ": self._new_object, "BUILD": self._build, "BINPERSID": self._outside,
            "MEMOIZE": self._memoize,
        }  # fmt: skip
        self._stack: list[Any] = []
        self._marks: list[int] = []
        self._memo: dict[int, Any] = {}

    def load(self, file: IO[bytes]) -> Any:
        """The next pickle's object; ``file`` stands behind it afterwards.

        Raises:
            UnsafePickleError: it calls something, or does what plain data do not need.
            DamagedPickleError: it is cut off or makes no sense.
        """
        self._stack, self._marks, self._memo = [], [], {}
        try:
            for opcode, argument, _ in pickletools.genops(file):
                if opcode.name == "STOP":
                    return self._stack.pop()
                self._do(opcode.name, argument)
        except (ValueError, IndexError, KeyError, TypeError, OverflowError, MemoryError, struct.error) as error:
            raise DamagedPickleError(str(error).split("\n")[0]) from error
        raise DamagedPickleError("it ends too early")

    def _do(self, name: str, argument: Any) -> None:
        if name in _LITERALS:
            self._stack.append(argument)
        elif name in _STORE:
            self._memo[argument] = self._stack[-1]
        elif name in _FETCH:
            self._stack.append(self._memo[argument])
        elif name in _CONSTANTS:
            self._stack.append(_CONSTANTS[name])
        elif name in _TUPLES:
            count = _TUPLES[name]
            if len(self._stack) < count:
                raise IndexError("too few values for a tuple")
            self._stack[-count:] = [tuple(self._stack[-count:])]
        elif name in self._operations:
            self._operations[name](argument)
        elif name not in _NOTHING:
            raise UnsafePickleError(f"it uses {name}, which plain data do not need")

    def _mark(self, _: Any) -> None:
        self._marks.append(len(self._stack))

    def _take_mark(self, _: Any = None) -> list[Any]:
        start = self._marks.pop()
        values = self._stack[start:]
        del self._stack[start:]
        return values

    def _pop(self, _: Any) -> None:
        self._stack.pop()

    def _duplicate(self, _: Any) -> None:
        self._stack.append(self._stack[-1])

    def _memoize(self, _: Any) -> None:
        self._memo[len(self._memo)] = self._stack[-1]

    def _tuple(self, _: Any) -> None:
        self._stack.append(tuple(self._take_mark()))

    def _list(self, _: Any) -> None:
        self._stack.append(self._take_mark())

    def _dict(self, _: Any) -> None:
        values = self._take_mark()
        self._stack.append({})
        self._fill(values)

    def _empty_dict(self, _: Any) -> None:
        self._stack.append({})

    def _empty_list(self, _: Any) -> None:
        self._stack.append([])

    def _empty_set(self, _: Any) -> None:
        self._stack.append(Inert("set"))

    def _frozenset(self, _: Any) -> None:
        self._take_mark()
        self._stack.append(Inert("frozenset"))

    def _append(self, _: Any) -> None:
        self._extend([self._stack.pop()])

    def _appends(self, _: Any) -> None:
        self._extend(self._take_mark())

    def _extend(self, values: list[Any]) -> None:
        target = self._stack[-1]
        if isinstance(target, list):
            target.extend(values)
        elif not isinstance(target, Inert):
            raise UnsafePickleError(f"it appends to {_kind(target)}")

    def _set_item(self, _: Any) -> None:
        value, key = self._stack.pop(), self._stack.pop()
        self._fill([key, value])

    def _set_items(self, _: Any) -> None:
        self._fill(self._take_mark())

    def _fill(self, values: list[Any]) -> None:
        target = self._stack[-1]
        if isinstance(target, Inert):
            return
        if not isinstance(target, dict):
            raise UnsafePickleError(f"it sets items of {_kind(target)}")
        for key, value in zip(values[::2], values[1::2], strict=True):
            # A tuple could be nested so deeply that hashing it overflows the stack.
            if not isinstance(key, (str, int, float, bytes, Inert, Name, type(None))):
                raise UnsafePickleError(f"a key of a dictionary is {_kind(key)}")
            target[key] = value

    def _global(self, argument: Any) -> None:
        module, _, name = argument.partition(" ")
        self._stack.append(Name(module, name))

    def _stack_global(self, _: Any) -> None:
        name, module = self._stack.pop(), self._stack.pop()
        if not isinstance(module, str) or not isinstance(name, str):
            raise UnsafePickleError("it imports something whose name is no text")
        self._stack.append(Name(module, name))

    def _reduce(self, _: Any) -> None:
        arguments, function = self._stack.pop(), self._stack.pop()
        call = self._calls.get(function) if isinstance(function, Name) else None
        if call is None:
            raise UnsafePickleError(f"it calls {function if isinstance(function, Name) else _kind(function)}")
        if not isinstance(arguments, tuple):
            raise TypeError("arguments are no tuple")
        self._stack.append(call(*arguments))

    def _new_object(self, _: Any) -> None:
        _, cls = self._stack.pop(), self._stack.pop()
        if not isinstance(cls, Name):
            raise UnsafePickleError(f"it makes an object of {_kind(cls)}")
        self._stack.append(Inert(cls))

    def _build(self, _: Any) -> None:
        self._stack.pop()
        if not isinstance(self._stack[-1], (Inert, dict)):
            raise UnsafePickleError(f"it changes {_kind(self._stack[-1])}")

    def _outside(self, _: Any) -> None:
        self._stack.append(self._persistent(self._stack.pop()))


def _kind(value: Any) -> str:
    if isinstance(value, Inert):
        return f"an object of {value.cls}"
    return str(value) if isinstance(value, Name) else f"a {type(value).__name__}"
