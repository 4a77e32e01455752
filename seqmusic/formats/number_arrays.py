"""Arrays of numbers in an ``.npz`` file, also lists of arrays of different lengths.

Such lists are pickled, and whoever unpickles a file runs what its author wants. So nothing is
unpickled here: the opcodes of the pickle are read as data, and only arrays of plain numbers and
their lists are understood; whatever else the opcodes ask for is refused.

Source: Python's documentation of ``pickletools``; numpy's of the NPY format and of
``ndarray.__reduce__``.
"""

from __future__ import annotations

import pickletools
import tokenize
import zipfile
import zlib
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from seqmusic.errors import CorruptFileError, FormatError

MAX_BYTES = 64 * 2**20
Numbers = NDArray[Any]
_HEADER_BYTES = 10_000
_GLOBALS = {
    "numpy.core.multiarray _reconstruct": "array",
    "numpy._core.multiarray _reconstruct": "array",
    "numpy ndarray": "type",
    "numpy dtype": "dtype",
}
_CONSTANTS = {"NONE": None, "NEWFALSE": False, "NEWTRUE": True, "EMPTY_TUPLE": ()}
_VALUES = (
    *("BININT", "BININT1", "BININT2", "BINUNICODE", "SHORT_BINUNICODE"),
    *("BINBYTES", "SHORT_BINBYTES", "BINBYTES8"),
)
# What reading raises where the bytes are not those of arrays; numpy tokenizes a header it dislikes.
_WRONG_CONTENTS = (
    *(ValueError, LookupError, TypeError, AttributeError, OverflowError),
    *(SyntaxError, tokenize.TokenError),
)
_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}


def read_number_arrays(path: Path, key: str) -> list[Numbers]:
    """The arrays that a file holds under a key: the rows of an array, or a list of arrays.

    Raises:
        FormatError: there is no such file, it is too large, or it has no such key.
        CorruptFileError: it is no ``.npz`` file, or holds other things than numbers.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            if f"{key}.npy" not in names:
                found = ", ".join(names[:6]) or "nothing"
                raise FormatError(f"{path}: has no array {key!r}, but {found}"[:300])
            if (n_bytes := archive.getinfo(f"{key}.npy").file_size) > MAX_BYTES:
                raise FormatError(
                    f"{path}: {n_bytes:,} bytes of {key!r} are too many; at most {MAX_BYTES:,} "
                    "are read"
                )
            with archive.open(f"{key}.npy") as file:
                return _read_arrays(file)  # type: ignore[arg-type]
    except OSError as error:
        raise FormatError(f"{path}: cannot be read: {error.strerror or error}") from error
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
        raise CorruptFileError(f"{path}: is no .npz file: {error}"[:300]) from error
    except _WRONG_CONTENTS as error:
        raise CorruptFileError(f"{path}: {key!r} is no list of arrays: {error}"[:300]) from error


def _read_arrays(file: BinaryIO) -> list[Numbers]:
    version = np.lib.format.read_magic(file)
    read_header = np.lib.format.read_array_header_2_0
    if version == (1, 0):
        read_header = np.lib.format.read_array_header_1_0
    shape, is_fortran, dtype = read_header(file, max_header_size=_HEADER_BYTES)
    contents = file.read(MAX_BYTES)
    if dtype.hasobject:
        return _arrays_of_pickle(contents)
    array = np.frombuffer(contents, dtype, count=int(np.prod(shape)))
    return list(_plain(array).reshape(shape, order="F" if is_fortran else "C"))


def _arrays_of_pickle(contents: bytes) -> list[Numbers]:
    """The arrays in the pickle of an array of objects, whose opcodes are read as data."""
    reader = _OpcodeReader()
    for opcode, argument, _ in pickletools.genops(contents):
        if opcode.name not in ("PROTO", "FRAME", "STOP"):
            reader.read(opcode.name, argument)
    return [_array(item) for item in reader.stack[-1].state[4]]


class _Reduced:
    """An array or its type, with what it is made from."""

    def __init__(self, kind: str, arguments: tuple[Any, ...]) -> None:
        self.kind = kind
        self.arguments = arguments
        self.state: tuple[Any, ...] = ()


class _OpcodeReader:
    """The stack of a pickle, on which nothing but constants, tuples, lists and `_Reduced` lies."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self._marks: list[int] = []
        self._memo: dict[Any, Any] = {}

    def read(self, name: str, argument: Any) -> None:
        """Read one opcode.

        Raises:
            ValueError: arrays of numbers do not need it.
        """
        if name in _VALUES:
            self.stack.append(argument)
        elif name in _CONSTANTS:
            self.stack.append(_CONSTANTS[name])
        elif name == "EMPTY_LIST":
            self.stack.append([])
        elif name == "GLOBAL":
            self._push_global(argument)
        elif name in ("BINPUT", "LONG_BINPUT"):
            self._memo[argument] = self.stack[-1]
        elif name == "MEMOIZE":
            self._memo[len(self._memo)] = self.stack[-1]
        elif name in ("BINGET", "LONG_BINGET"):
            self.stack.append(self._memo[argument])
        else:
            self._combine(name)

    def _combine(self, name: str) -> None:
        """Read an opcode that makes one object of several."""
        if name == "MARK":
            self._marks.append(len(self.stack))
        elif name == "STACK_GLOBAL":
            self._push_global(" ".join(self._pop_after(len(self.stack) - 2)))
        elif name in _TUPLES:
            self.stack.append(tuple(self._pop_after(len(self.stack) - _TUPLES[name])))
        elif name == "TUPLE":
            self.stack.append(tuple(self._pop_after(self._marks.pop())))
        elif name == "APPENDS":
            items = self._pop_after(self._marks.pop())
            self.stack[-1].extend(items)
        elif name == "APPEND":
            (item,) = self._pop_after(len(self.stack) - 1)
            self.stack[-1].append(item)
        elif name == "REDUCE":
            kind, arguments = self._pop_after(len(self.stack) - 2)
            self.stack.append(_Reduced(kind, arguments))
        elif name == "BUILD":
            (state,) = self._pop_after(len(self.stack) - 1)
            self.stack[-1].state = state
        else:
            raise ValueError(f"it holds {name}, which arrays of numbers do not need")

    def _push_global(self, name: str) -> None:
        """Push what a module and the name of a function or class in it stand for here."""
        if name not in _GLOBALS:
            raise ValueError(f"it asks for {name}"[:80])
        self.stack.append(_GLOBALS[name])

    def _pop_after(self, position: int) -> list[Any]:
        items = self.stack[position:]
        del self.stack[position:]
        return items


def _array(item: _Reduced) -> Numbers:
    _, shape, dtype, is_fortran, contents = item.state
    number_type = np.dtype(dtype.arguments[0]).newbyteorder(dtype.state[1])
    array = np.frombuffer(contents, number_type)
    return _plain(array).reshape(shape, order="F" if is_fortran else "C")


def _plain(array: Numbers) -> Numbers:
    if array.dtype.kind not in "iuf":
        raise ValueError(f"it holds {array.dtype}, not numbers")
    return array
