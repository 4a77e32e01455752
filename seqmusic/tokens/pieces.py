"""Pieces at rest: the tiles of many pieces as narrow columns, in memory or memory-mapped, of which a batch takes what it needs."""

from __future__ import annotations

import itertools
import os
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from seqmusic.errors import CorpusError, FormatError
from seqmusic.score import TICKS_PER_SIXTEENTH, Score
from seqmusic.tokens.batched.columns import NoteColumns, note_columns
from seqmusic.tokens.training_tasks import shift_bounds
from seqmusic.tokens.vocabulary import STYLE, VOICE, voice_column

Array = NDArray[Any]
_TYPES = {
    "work": np.int32, "n_tiles": np.int32, "voice": np.uint8, "onset": np.int32, "end": np.int32, "pitch": np.int8,
    "n_header": np.int32, "header_sound": np.int16, "header_duration": np.int16, "end_ticks": np.int32,
    "n_changes": np.int32, "change_tick": np.int32, "change_sound": np.int16, "lowest_shift": np.int8, "highest_shift": np.int8,
}  # fmt: skip
_PIECES_PER_CHUNK = 4096
_HEADER_BYTES = 128  # of an array file, as numpy writes it for one column


@dataclass(frozen=True, slots=True)
class PackedColumns:
    """P pieces, the tiles of one after those of the other.

    Attributes:
        work: (P,) number of the work that a piece is, or is a passage of.
        n_tiles: (P,) how many notes and rests; voice, onset, end, pitch: (N,) as in `NoteColumns`.
        n_header: (P,) how many events from BOS to KEY; header_sound, header_duration: (E,) the two ids of each.
        end_ticks: (P,) how long each piece is.
        n_changes: (P,) how many changes of meter; change_tick, change_sound: (C,) as in `NoteColumns`.
        lowest_shift, highest_shift: (P,) by how many semitones each may be moved.
    """

    work: Array
    n_tiles: Array
    voice: Array
    onset: Array
    end: Array
    pitch: Array
    n_header: Array
    header_sound: Array
    header_duration: Array
    end_ticks: Array
    n_changes: Array
    change_tick: Array
    change_sound: Array
    lowest_shift: Array
    highest_shift: Array


class Pieces:
    """Pieces that can be drawn by their numbers.

    >>> from seqmusic.score import Note, melody
    >>> pieces = pack_scores([melody([Note(0, 24, 60)]), melody([Note(0, 24, 62), Note(24, 12, 64)])])
    >>> len(pieces), pieces.n_notes.tolist(), pieces.take([1, 0]).pitch.tolist()
    (2, [1, 2], [62, 64, 60])
    """

    def __init__(self, columns: PackedColumns, numbers: Array | None = None) -> None:
        self._columns = columns
        self._numbers = np.arange(len(columns.n_tiles)) if numbers is None else numbers
        self._note_bounds, self._header_bounds, self._change_bounds = (
            np.concatenate([[0], np.cumsum(counts, dtype=np.int64)])
            for counts in (columns.n_tiles, columns.n_header, columns.n_changes)
        )

    def __len__(self) -> int:
        return len(self._numbers)

    def subset(self, pieces: Sequence[int] | Array) -> Pieces:
        """Some of the pieces, numbered anew; what they hold is not copied."""
        return Pieces(self._columns, self._numbers[np.asarray(pieces, np.int64)])

    def subsample(self, max_pieces: int) -> Pieces:
        """At most so many of the pieces, the same each time."""
        if len(self) <= max_pieces:
            return self
        return self.subset(np.sort(np.random.default_rng(0).permutation(len(self))[:max_pieces]))

    @property
    def work_ids(self) -> Array:
        """(P,) number of the work that each piece is, or is a passage of."""
        return np.asarray(self._columns.work[self._numbers])

    @property
    def n_notes(self) -> Array:
        """(P,) notes and rests of each piece."""
        return np.asarray(self._columns.n_tiles[self._numbers])

    @property
    def voices(self) -> set[int]:
        """VOICE ids of all pieces, those that were not chosen too."""
        found = np.unique(self._columns.header_sound)
        return set(found[(found >= VOICE) & (found < STYLE)].tolist())

    @property
    def max_voices(self) -> int:
        """Columns of the context that all pieces need."""
        return max((1 + voice_column(voice) for voice in self.voices), default=1)

    @property
    def n_cells(self) -> int:
        """Sixteenths times voices in all pieces; what is left of a sixteenth at the end of a piece counts whole."""
        own = (self._columns.header_sound >= VOICE) & (self._columns.header_sound < STYLE)
        voices = (
            np.add.reduceat(own, self._header_bounds[:-1], dtype=np.int64)[self._numbers]
            if len(self)
            else self._numbers
        )
        sixteenths = -(
            -self._columns.end_ticks[self._numbers].astype(np.int64) // TICKS_PER_SIXTEENTH
        )
        return int((sixteenths * voices).sum())

    def shifts(self, piece: int) -> list[int]:
        """Semitones by which a piece may be moved; 0 is always one."""
        number = self._numbers[piece]
        low, high = (
            int(self._columns.lowest_shift[number]),
            int(self._columns.highest_shift[number]),
        )
        return sorted({0, *range(low, high + 1)})

    def checksum(self) -> int:
        """A number that changes with any note of the pieces, or their order; all are read for it, some at a time."""
        found = 0
        for start in range(0, len(self), _PIECES_PER_CHUNK):
            notes = self.take(np.arange(start, min(len(self), start + _PIECES_PER_CHUNK)))
            for column in (notes.piece, notes.voice, notes.onset, notes.end, notes.pitch):
                found = zlib.crc32(np.ascontiguousarray(column).data, found)
        return found

    def take(self, pieces: Sequence[int] | Array) -> NoteColumns:
        """The tiles of the pieces of these numbers, in this order, numbered anew; nothing else is read."""
        own, chosen = self._columns, self._numbers[np.asarray(pieces, np.int64)]
        tile, piece = _rows_of_pieces(self._note_bounds, chosen)
        change, change_piece = _rows_of_pieces(self._change_bounds, chosen)
        event, event_piece = _rows_of_pieces(self._header_bounds, chosen)
        events = list(
            zip(own.header_sound[event].tolist(), own.header_duration[event].tolist(), strict=True)
        )
        bounds = np.searchsorted(event_piece, np.arange(len(chosen) + 1)).tolist()
        voice, onset, end, pitch = (
            np.asarray(column[tile], np.int64)
            for column in (own.voice, own.onset, own.end, own.pitch)
        )
        return NoteColumns(
            piece,
            voice,
            onset,
            end,
            pitch,
            tuple(tuple(events[start:stop]) for start, stop in itertools.pairwise(bounds)),
            np.asarray(own.end_ticks[chosen], np.int64),
            change_piece,
            np.asarray(own.change_tick[change], np.int64),
            np.asarray(own.change_sound[change], np.int64),
        )


def pack_scores(scores: Sequence[Score], styles: Sequence[int | None] | None = None) -> Pieces:
    """The scores as pieces, in memory; `styles` says the number of the style of each that has one.

    Raises:
        UnencodableError: the tokens cannot say one of them.
    """
    return Pieces(packed_columns(scores, styles))


def packed_columns(
    scores: Sequence[Score],
    styles: Sequence[int | None] | None = None,
    works: Sequence[int] | None = None,
) -> PackedColumns:
    """The columns of the scores.

    Args:
        scores: one a piece.
        styles: the number of the style of each that has one.
        works: the number of the work that each is a passage of; 0, 1, 2 ... when not said.

    Raises:
        UnencodableError: the tokens cannot say one of them.
    """
    notes = note_columns(scores, styles)
    n, (low, high) = len(notes.headers), shift_bounds(notes)
    events = [event for own in notes.headers for event in own]
    columns = {
        "work": np.arange(n) if works is None else works,
        "n_tiles": np.bincount(notes.piece, minlength=n),
        "n_header": [len(own) for own in notes.headers],
        "header_sound": [sound for sound, _ in events],
        "header_duration": [duration for _, duration in events],
        "n_changes": np.bincount(notes.change_piece, minlength=n),
        "lowest_shift": low,
        "highest_shift": high,
    }
    columns |= {name: getattr(notes, name) for name in _TYPES if name not in columns}
    return PackedColumns(
        **{name: np.asarray(column, _TYPES[name]) for name, column in columns.items()}
    )


def save_pieces(chunks: Iterable[PackedColumns], folder: Path) -> None:
    """Write the pieces of all portions, one after the other, into a new folder; one portion at a time is in memory.

    Raises:
        FormatError: a file cannot be written.
    """
    try:
        folder.mkdir(parents=True)
        files = {name: (folder / f"{name}.npy").open("wb") for name in _TYPES}
        for file in files.values():
            file.write(bytes(_HEADER_BYTES))
        sizes = dict.fromkeys(_TYPES, 0)
        for chunk in chunks:
            for name, file in files.items():
                column = getattr(chunk, name)
                file.write(column.tobytes())
                sizes[name] += len(column)
        for name, file in files.items():
            _write_array_header(file, sizes[name], _TYPES[name])
    except OSError as error:
        raise FormatError(
            f"{folder}: cannot be written: {error.strerror or error}; choose another place or free space"
        ) from error


def _write_array_header(file: BinaryIO, length: int, kind: type) -> None:
    """Write what an array file begins with, now that its length is known."""
    with file:
        file.seek(0)
        about = {
            "descr": np.lib.format.dtype_to_descr(np.dtype(kind)),
            "fortran_order": False,
            "shape": (length,),
        }
        np.lib.format.write_array_header_1_0(file, about)
        assert file.tell() == _HEADER_BYTES
        file.flush()
        os.fsync(file.fileno())


def load_pieces(folder: Path) -> Pieces:
    """The pieces in a folder that `save_pieces` wrote, memory-mapped.

    Raises:
        CorpusError: a file is missing or damaged, or they do not fit together.
    """
    columns = {}
    for field in fields(PackedColumns):
        path = folder / f"{field.name}.npy"
        try:
            columns[field.name] = np.load(
                path,
                mmap_mode="r" if path.stat().st_size > _HEADER_BYTES else None,
                allow_pickle=False,
            )
        except (OSError, ValueError, EOFError) as error:
            raise CorpusError(
                f"{path}: missing or damaged ({error}); prepare the data again"
            ) from error
    whole = PackedColumns(**columns)
    _check_lengths(whole, folder)
    return Pieces(whole)


def _check_lengths(own: PackedColumns, folder: Path) -> None:
    for counts, members in (
        (own.n_tiles, (own.voice, own.onset, own.end, own.pitch)),
        (own.n_header, (own.header_sound, own.header_duration)),
        (own.n_changes, (own.change_tick, own.change_sound)),
    ):
        if len(counts) != len(own.n_tiles) or any(
            len(column) != int(counts.sum()) for column in members
        ):
            raise CorpusError(f"{folder}: its files do not fit together; prepare the data again")


def _rows_of_pieces(
    bounds: NDArray[np.int64], pieces: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The rows of the chosen pieces, and the place of each row's piece among the chosen."""
    counts = bounds[pieces + 1] - bounds[pieces]
    place = np.repeat(np.arange(len(pieces)), counts)
    within = np.arange(len(place)) - np.repeat(np.cumsum(counts) - counts, counts)
    return bounds[pieces][place] + within, place
