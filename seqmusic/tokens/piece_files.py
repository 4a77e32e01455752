"""Folders of pieces: one array file for each column, written in chunks and read memory-mapped."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path
from typing import BinaryIO

import numpy as np

from seqmusic.errors import CorpusError, FormatError
from seqmusic.tokens.pieces import COLUMN_TYPES, PackedColumns, Pieces

_FILE_NAMES = {name: name for name in COLUMN_TYPES} | {"n_notes": "n_tiles"}
_HEADER_BYTES = 128  # of an array file of one dimension, as numpy writes it


def save_pieces(chunks: Iterable[PackedColumns], folder: Path) -> None:
    """Write the pieces of all chunks, in order, into a new folder; one chunk is in memory at once.

    Raises:
        FormatError: a file cannot be written.
    """
    try:
        folder.mkdir(parents=True)
        files = {name: _path(folder, name).open("wb") for name in COLUMN_TYPES}
        for file in files.values():
            file.write(bytes(_HEADER_BYTES))
        lengths = dict.fromkeys(COLUMN_TYPES, 0)
        for chunk in chunks:
            for name, file in files.items():
                column = getattr(chunk, name)
                file.write(column.tobytes())
                lengths[name] += len(column)
        for name, file in files.items():
            _finish_array_file(file, lengths[name], COLUMN_TYPES[name])
    except OSError as error:
        raise FormatError(
            f"{folder}: cannot be written: {error.strerror or error}; "
            "choose another place or free space"
        ) from error


def load_pieces(folder: Path) -> Pieces:
    """The pieces in a folder that `save_pieces` wrote, memory-mapped.

    Raises:
        CorpusError: a file is missing or damaged, or the files do not fit together.
    """
    columns = {}
    for field in fields(PackedColumns):
        path = _path(folder, field.name)
        try:
            is_empty = path.stat().st_size <= _HEADER_BYTES  # and cannot be mapped
            columns[field.name] = np.load(
                path, mmap_mode=None if is_empty else "r", allow_pickle=False
            )
        except (OSError, ValueError, EOFError) as error:
            raise CorpusError(
                f"{path}: missing or damaged ({error}); prepare the data again"
            ) from error
    packed = PackedColumns(**columns)
    _check_lengths(packed, folder)
    return Pieces(packed)


def _path(folder: Path, column: str) -> Path:
    return folder / f"{_FILE_NAMES[column]}.npy"


def _finish_array_file(file: BinaryIO, length: int, dtype: type) -> None:
    """Write the header of an array file, now that its length is known, and close it."""
    with file:
        file.seek(0)
        header = {
            "descr": np.lib.format.dtype_to_descr(np.dtype(dtype)),
            "fortran_order": False,
            "shape": (length,),
        }
        np.lib.format.write_array_header_1_0(file, header)
        assert file.tell() == _HEADER_BYTES
        file.flush()
        os.fsync(file.fileno())


def _check_lengths(packed: PackedColumns, folder: Path) -> None:
    for counts, members in (
        (packed.n_notes, (packed.voice, packed.onset, packed.end, packed.pitch)),
        (packed.n_header, (packed.header_sound, packed.header_duration)),
        (packed.n_changes, (packed.change_tick, packed.change_sound)),
        (packed.n_fermatas, (packed.fermata_tick,)),
    ):
        length = int(counts.sum())
        if len(counts) != len(packed.n_notes) or any(len(column) != length for column in members):
            raise CorpusError(f"{folder}: its files do not fit together; prepare the data again")
