"""The data in a pickle, read without running it.

A pickle is a program for a stack machine. What makes it dangerous is that it may import names ("globals") and call
them. This is that machine without either: a name stays a name, and the only calls are those that the caller offers,
each a function of ours that makes data. Any other call is refused and named. ``.bin`` sets
(:mod:`fairface.data.pairsets.bin_set`) and PyTorch's files (:mod:`fairface.interop.torch.file`) are read with it.
"""

from __future__ import annotations

import pickletools
import struct
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Set
from typing import IO, Any, NamedTuple

Call = Callable[..., Any]

_BYTES_OF_PYTHON_2 = frozenset({"STRING", "BINSTRING", "SHORT_BINSTRING"})
_LITERALS = _BYTES_OF_PYTHON_2 | {
    "INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT", "UNICODE", "BINUNICODE",
    "SHORT_BINUNICODE", "BINUNICODE8", "BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8",
}  # fmt: skip
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False, "EMPTY_TUPLE": ()}
_STORE = frozenset({"PUT", "BINPUT", "LONG_BINPUT"})
_FETCH = frozenset({"GET", "BINGET", "LONG_BINGET"})
_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
_NOTHING = frozenset({"FRAME"})
_NEWEST_PROTOCOL = 5
_LONGEST_REASON = 200  # characters: a damaged number can be as long as the file


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


class Unfinished(ABC):
    """An object of ours that a call made and whose state comes later in the pickle."""

    __slots__ = ()

    @abstractmethod
    def set_state(self, state: Any) -> None:
        """Take the state; it may be anything."""


class UnsafePickleError(Exception):
    """The pickle asks for something that plain data do not need."""


class DamagedPickleError(Exception):
    """The pickle ends too early or makes no sense."""


class PickleMachine:
    """Reads one pickle after the other from a file.

    Args:
        calls: what may be called, by name.
        persistent: turns the id of an object outside the pickle (a tensor's storage) into that object; None: there is
            no such object.
        names: the only names that may stand in the pickle; None: any. Objects of unknown classes become
            :class:`Inert` (training checkpoints carry settings and callbacks of classes that nobody needs to read the
            weights); where ``names`` are given they are refused.
        old_strings_are_bytes: a string of Python 2 is bytes, not text.
    """

    def __init__(
        self, calls: Mapping[Name, Call], persistent: Call | None = None, names: Set[Name] | None = None,
        old_strings_are_bytes: bool = False,
    ) -> None:  # fmt: skip
        self._calls = calls
        self._persistent = persistent
        self._names = names
        self._to_bytes = _BYTES_OF_PYTHON_2 if old_strings_are_bytes else frozenset()
        self._operations: dict[str, Callable[[Any], object]] = {
            "MARK": self._mark, "POP": self._pop, "POP_MARK": self._take_mark, "DUP": self._duplicate,
            "TUPLE": self._tuple, "LIST": self._list, "DICT": self._dict, "EMPTY_DICT": self._empty_dict,
            "EMPTY_LIST": self._empty_list, "EMPTY_SET": self._empty_set, "FROZENSET": self._frozenset,
            "APPEND": self._append, "APPENDS": self._appends, "SETITEM": self._set_item, "SETITEMS": self._set_items,
            "ADDITEMS": self._take_mark, "GLOBAL": self._global, "STACK_GLOBAL": self._stack_global,
            "REDUCE": self._reduce, "NEWOBJ": self._new_object, "BUILD": self._build, "BINPERSID": self._outside,
            "MEMOIZE": self._memoize, "PROTO": self._protocol,
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
        try:
            for opcode, argument, _ in pickletools.genops(file):
                if opcode.name == "STOP":
                    return self._stack.pop()
                self._do(opcode.name, argument)
        except (ValueError, LookupError, TypeError, OverflowError, MemoryError, struct.error) as error:
            reason = " ".join(str(error).split())[:_LONGEST_REASON] or type(error).__name__
            raise DamagedPickleError(reason) from error
        finally:
            self._stack, self._marks, self._memo = [], [], {}  # or the data would live as long as the machine
        raise DamagedPickleError("it ends too early")

    def _do(self, name: str, argument: Any) -> None:
        if name in _LITERALS:
            self._stack.append(argument.encode("latin1") if name in self._to_bytes else argument)
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
            raise UnsafePickleError(f"it uses {name}, which plain data does not need")

    def _protocol(self, number: int) -> None:
        if number > _NEWEST_PROTOCOL:
            raise ValueError(f"its protocol {number} is not known")

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
        self._name(Name(module, name))

    def _stack_global(self, _: Any) -> None:
        name, module = self._stack.pop(), self._stack.pop()
        if not isinstance(module, str) or not isinstance(name, str):
            raise UnsafePickleError("it imports something whose name is not text")
        self._name(Name(module, name))

    def _name(self, name: Name) -> None:
        if self._names is not None and name not in self._names:
            raise UnsafePickleError(f"it asks for {name}")
        self._stack.append(name)

    def _reduce(self, _: Any) -> None:
        arguments, function = self._stack.pop(), self._stack.pop()
        call = self._calls.get(function) if isinstance(function, Name) else None
        if call is None:
            raise UnsafePickleError(f"it calls {function if isinstance(function, Name) else _kind(function)}")
        if not isinstance(arguments, tuple):
            raise TypeError("arguments are not a tuple")
        self._stack.append(call(*arguments))

    def _new_object(self, _: Any) -> None:
        _, cls = self._stack.pop(), self._stack.pop()
        if not isinstance(cls, Name) or self._names is not None:
            raise UnsafePickleError(f"it makes an object of {_kind(cls)}")
        self._stack.append(Inert(cls))

    def _build(self, _: Any) -> None:
        state = self._stack.pop()
        target = self._stack[-1]
        if isinstance(target, Unfinished):
            target.set_state(state)
        elif not isinstance(target, (Inert, dict)):
            raise UnsafePickleError(f"it changes {_kind(target)}")

    def _outside(self, _: Any) -> None:
        if self._persistent is None:
            raise UnsafePickleError("it refers to objects outside the file")
        self._stack.append(self._persistent(self._stack.pop()))


def _kind(value: Any) -> str:
    if isinstance(value, Inert):
        return f"an object of {value.cls}"
    return str(value) if isinstance(value, Name) else f"a {type(value).__name__}"
