"""What Paddle saves (.pdparams): a pickle of NumPy arrays by name, read without unpickling anything.

A pickle is a program for a machine that imports and calls whatever it names. Here its instructions are taken apart by
the standard library's `pickletools`, which runs none of them, and followed as far as arrays need it: what they name is
compared with the few names by which NumPy writes arrays, and never looked up. So nothing can be run, no size that a
file states is believed, and an array is no larger than the bytes that are there.
"""

from __future__ import annotations

import mmap
import pickletools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import IO, Any, cast

import numpy as np
import numpy.typing as npt

from ..errors import WeightsError, one_line
from .files import file_size, kind_of, os_reason
from .npy import NUMBERS
from .stored import MAX_ARRAYS, StoredArray

# Beside the arrays: what Paddle itself calls each of them.
NAMES = "StructuredToParameterName@@"

MAX_INSTRUCTIONS = 50 * MAX_ARRAYS  # an array takes about 40
MAX_RANK = 32  # of NumPy's arrays

_ARRAY, _NUMBERS, _BYTES = "numpy.ndarray", "numpy.dtype", "_codecs.encode"
# NumPy 2 moved it; both write files.
_RECONSTRUCT = frozenset({"numpy.core.multiarray._reconstruct", "numpy._core.multiarray._reconstruct"})
_NAMED = frozenset({_ARRAY, _NUMBERS, _BYTES, *_RECONSTRUCT})


def read_paddle(path: Path) -> dict[str, StoredArray]:
    """Return the arrays of a file that `paddle.save` wrote of a network's state, by name.

    Parameters
    ----------
    path : Path

    Raises
    ------
    WeightsError
        If it is no such file, too large or damaged, or holds anything but arrays of numbers.
    """
    file_size(path)
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            if content[:1] != b"\x80":
                raise ValueError(kind_of(content[:8]) or "it does not begin as one")
            held = _Machine().run(content)
    except OSError as reason:
        raise WeightsError(f"{path}: cannot be read ({os_reason(reason)})") from None
    except Exception as reason:  # pickletools raises nearly anything on malformed files
        raise WeightsError(f"{path}: not a .pdparams of arrays alone ({one_line(reason)})") from None
    return {name: _stored(array, name, path) for name, array in held.items()}


@dataclass(frozen=True)
class _Named:
    """Something that a pickle would import."""

    name: str


@dataclass
class _Numbers:
    """A dtype: kind and bytes, and in which order these are."""

    code: str
    order: str = "|"


@dataclass
class _Array:
    """An array; what it is made of is told after it was made."""

    state: Any = None


@dataclass(frozen=True)
class _Text:
    """Bytes as protocol 2 has them: a text of as many characters."""

    text: str


class _Mark:
    """Where a tuple, or a dictionary's entries, begin on the stack."""


class _Machine:
    """Follows a pickle's instructions, those that a dictionary of arrays is written with."""

    def __init__(self) -> None:
        self._stack: list[Any] = []
        self._memo: dict[int, Any] = {}

    def run(self, content: mmap.mmap) -> dict[str, _Array]:
        """Return the arrays of the dictionary that a pickle makes, by name; a ValueError if it makes anything else."""
        for count, (instruction, argument, _) in enumerate(pickletools.genops(cast("IO[bytes]", content))):
            if count > MAX_INSTRUCTIONS:
                raise ValueError("more instructions than arrays take")
            self._follow(instruction.name, argument)
        held = self._pop()
        if self._stack or not isinstance(held, dict):
            raise ValueError(f"it holds {_described(held)}, not a dictionary of arrays")
        held.pop(NAMES, None)
        if not held or len(held) > MAX_ARRAYS:
            raise ValueError(f"it holds {len(held)} arrays")
        for name, array in held.items():
            if not isinstance(array, _Array):
                raise ValueError(f"'{one_line(name, 80)}' is {_described(array)}, not an array")
        return held

    def _follow(self, instruction: str, argument: Any) -> None:
        if instruction in _PUSHED:
            self._stack.append(argument)
        elif instruction in _CONSTANTS:
            self._stack.append(_CONSTANTS[instruction]())
        elif instruction in _TUPLES:
            self._stack.append(tuple(reversed([self._pop() for _ in range(_TUPLES[instruction])])))
        elif instruction in _OTHERS:
            _OTHERS[instruction](self, argument)
        elif instruction not in _IGNORED:
            raise ValueError(f"instruction {instruction}, which no array is written with")

    def _pop(self) -> Any:
        if not self._stack:
            raise ValueError("it takes more than it has")
        return self._stack.pop()

    def _since_mark(self) -> list[Any]:
        for place in range(len(self._stack) - 1, -1, -1):
            if isinstance(self._stack[place], _Mark):
                found = self._stack[place + 1 :]
                del self._stack[place:]
                return found
        raise ValueError("it takes more than it has")

    def _put(self, place: int | None) -> None:
        """Keep what is on top of the stack."""
        top = self._pop()
        self._stack.append(top)
        self._memo[len(self._memo) if place is None else place] = top

    def _get(self, place: int) -> None:
        if place not in self._memo:
            raise ValueError("it refers to what is not there")
        self._stack.append(self._memo[place])

    def _name(self, given: str | None) -> None:
        """Name something to be imported: one of what arrays are written with."""
        if given is None:
            name, module = self._pop(), self._pop()
        else:
            module, _, name = given.rpartition(" ")
        full = f"{module}.{name}" if isinstance(module, str) and isinstance(name, str) else "something"
        if full not in _NAMED:
            raise ValueError(f"it names {one_line(full, 80)}, which no array is written with; not run")
        self._stack.append(_Named(full))

    def _call(self, _: None) -> None:
        """Call what was named; here one of three descriptions is made."""
        given, called = self._pop(), self._pop()
        name = called.name if isinstance(called, _Named) else ""
        if name in _RECONSTRUCT and _is_empty_array(given):
            made: Any = _Array()
        elif name == _NUMBERS and _is_one_text(given, of=3):
            made = _Numbers(given[0])
        elif name == _BYTES and _is_one_text(given, of=2) and given[1] == "latin1":
            made = _Text(given[0])
        else:
            raise ValueError(f"it calls {_described(called)} in a way that no array does")
        self._stack.append(made)

    def _build(self, _: None) -> None:
        """Tell an array, or a dtype, what it is made of."""
        state, built = self._pop(), self._pop()
        if isinstance(built, _Array) and built.state is None and isinstance(state, tuple):
            built.state = state
        elif isinstance(built, _Numbers) and _is_plain_order(state):
            built.order = state[1]
        else:
            raise ValueError(f"it changes {_described(built)} in a way that no array does")
        self._stack.append(built)

    def _set(self, entries: list[Any]) -> None:
        target = self._pop()
        if not isinstance(target, dict) or len(entries) % 2:
            raise ValueError(f"it sets entries of {_described(target)}")
        for name, value in zip(entries[::2], entries[1::2], strict=True):
            if not isinstance(name, str):  # nothing else is hashed: what is nested deeply would overflow the stack
                raise ValueError(f"{_described(name)} where a name should be")
            target[name] = value
        self._stack.append(target)

    def _set_one(self, _: None) -> None:
        value, name = self._pop(), self._pop()
        self._set([name, value])


_WHOLE_NUMBERS = ("BININT", "BININT1", "BININT2", "LONG1")
_TEXTS = ("SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8", "SHORT_BINBYTES", "BINBYTES", "BINBYTES8")
_PUSHED = frozenset((*_WHOLE_NUMBERS, *_TEXTS))
_CONSTANTS: Mapping[str, Callable[[], Any]] = {
    "EMPTY_DICT": dict,
    "EMPTY_TUPLE": tuple,
    "NONE": lambda: None,
    "NEWTRUE": lambda: True,
    "NEWFALSE": lambda: False,
    "MARK": _Mark,
}
_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
_OTHERS: Mapping[str, Callable[[_Machine, Any], None]] = {
    "TUPLE": lambda machine, _: machine._stack.append(tuple(machine._since_mark())),
    "BINPUT": _Machine._put,
    "LONG_BINPUT": _Machine._put,
    "MEMOIZE": _Machine._put,
    "BINGET": _Machine._get,
    "LONG_BINGET": _Machine._get,
    "GLOBAL": _Machine._name,
    "STACK_GLOBAL": _Machine._name,
    "REDUCE": _Machine._call,
    "BUILD": _Machine._build,
    "SETITEM": _Machine._set_one,
    "SETITEMS": lambda machine, _: machine._set(machine._since_mark()),
}
_IGNORED = frozenset({"PROTO", "FRAME", "STOP"})


def _is_empty_array(given: Any) -> bool:
    """Return whether what is given makes an array that is yet to be filled, as NumPy writes it."""
    if not (isinstance(given, tuple) and len(given) == 3 and isinstance(given[0], _Named)):
        return False
    return given[0].name == _ARRAY and given[1] == (0,) and given[2] in (b"b", _Text("b"))


def _is_one_text(given: Any, of: int) -> bool:
    return isinstance(given, tuple) and len(given) == of and isinstance(given[0], str)


def _is_plain_order(state: Any) -> bool:
    """Return whether a dtype's state says of numbers in which order their bytes are, and of nothing else."""
    if not (isinstance(state, tuple) and len(state) == 8 and isinstance(state[1], str)):
        return False
    return state[1] in ("<", ">", "|", "=") and state[2:5] == (None, None, None)


def _stored(array: _Array, name: str, path: Path) -> StoredArray:
    """Return an array whose shape fits its bytes."""
    try:
        _, shape, numbers, in_columns, content = array.state
        if not (isinstance(shape, tuple) and len(shape) <= MAX_RANK and all(type(n) is int for n in shape)):
            raise ValueError("its shape is none")
        dtype = _dtype(numbers)
        if min(shape, default=0) < 0 or prod(shape) * dtype.itemsize != _length(content):
            raise ValueError(f"{_length(content)} bytes are not the {dtype} of the shape {one_line(shape, 60)}")
        order = "F" if in_columns else "C"
    except (TypeError, ValueError) as reason:
        raise WeightsError(f"{path}: '{one_line(name, 80)}' is not an array of numbers ({one_line(reason)})") from None

    def read() -> npt.NDArray[Any]:
        try:
            raw = content.text.encode("latin1") if isinstance(content, _Text) else content
        except UnicodeEncodeError:
            raise WeightsError(f"{path}: '{one_line(name, 80)}' holds a text that is no bytes") from None
        return np.frombuffer(raw, dtype).reshape(shape, order=order)  # type: ignore[call-overload]

    return StoredArray(shape, read)


def _dtype(numbers: Any) -> np.dtype[Any]:
    """Return the dtype that is described: a letter, the bytes of a number, their order."""
    if not isinstance(numbers, _Numbers) or len(numbers.code) not in (2, 3) or numbers.code[0] not in NUMBERS:
        raise ValueError("it holds no numbers")
    return np.dtype(numbers.order + numbers.code)


def _length(content: Any) -> int:
    """Return the number of an array's bytes."""
    if isinstance(content, (bytes, _Text)):
        return len(content.text if isinstance(content, _Text) else content)
    raise ValueError("it has no bytes")


def _described(value: Any) -> str:
    """Return what something on the stack is, for a message."""
    if isinstance(value, _Named):
        return value.name
    kinds: Mapping[type, str] = {_Array: "an array", _Numbers: "a dtype", _Text: "bytes", _Mark: "a mark"}
    return kinds.get(type(value), f"a {type(value).__name__}")
