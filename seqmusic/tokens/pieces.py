"""Many pieces as narrow columns, in memory or memory-mapped; a batch reads only what it takes."""

from __future__ import annotations

import itertools
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqmusic.array_types import Ints
from seqmusic.score import TICKS_PER_SIXTEENTH, Score
from seqmusic.tokens.augmentation import shift_bounds, shifts_between
from seqmusic.tokens.batched.columns import NoteColumns, note_columns
from seqmusic.tokens.vocabulary import PHRASES, is_voice, voice_column

Column = NDArray[Any]
COLUMN_TYPES: dict[str, type] = {
    **dict.fromkeys(("work", "n_notes", "onset", "end", "n_header", "end_ticks"), np.int32),
    **dict.fromkeys(("n_changes", "change_tick", "n_fermatas", "fermata_tick"), np.int32),
    **dict.fromkeys(("header_sound", "header_duration", "change_sound"), np.int16),
    **dict.fromkeys(("pitch", "lowest_shift", "highest_shift"), np.int8),
    "voice": np.uint8,
}
"""The type of each column of `PackedColumns`."""
_PIECES_PER_CHUNK = 4096


@dataclass(frozen=True, slots=True)
class PackedColumns:
    """P pieces: the notes and rests of the first, then those of the second, and so on.

    Attributes:
        work: (P,) number of the work that a piece is, or is a passage of.
        n_notes: (P,) number of notes and rests.
        voice, onset, end, pitch: (N,) as in `NoteColumns`.
        n_header: (P,) number of events from BOS to KEY.
        header_sound, header_duration: (E,) the two ids of each of them.
        end_ticks: (P,) length of each piece.
        n_changes: (P,) number of changes of meter.
        change_tick, change_sound: (C,) as in `NoteColumns`.
        n_fermatas: (P,) number of onsets under a fermata.
        fermata_tick: (F,) as in `NoteColumns`.
        lowest_shift, highest_shift: (P,) semitones by which a piece may be transposed.
    """

    work: Column
    n_notes: Column
    voice: Column
    onset: Column
    end: Column
    pitch: Column
    n_header: Column
    header_sound: Column
    header_duration: Column
    end_ticks: Column
    n_changes: Column
    change_tick: Column
    change_sound: Column
    n_fermatas: Column
    fermata_tick: Column
    lowest_shift: Column
    highest_shift: Column


class Pieces:
    """Pieces that are taken by their numbers.

    >>> from seqmusic.score import Note, melody
    >>> two_notes = melody([Note(0, 24, 62), Note(24, 12, 64)])
    >>> pieces = pack_scores([melody([Note(0, 24, 60)]), two_notes])
    >>> len(pieces), pieces.n_notes.tolist(), pieces.take([1, 0]).pitch.tolist()
    (2, [1, 2], [62, 64, 60])
    """

    def __init__(self, columns: PackedColumns, numbers: Column | None = None) -> None:
        self._columns = columns
        self._numbers = np.arange(len(columns.n_notes)) if numbers is None else numbers
        self._note_bounds, self._header_bounds, self._change_bounds, self._fermata_bounds = (
            np.concatenate([[0], np.cumsum(counts, dtype=np.int64)])
            for counts in (
                *(columns.n_notes, columns.n_header),
                *(columns.n_changes, columns.n_fermatas),
            )
        )

    def __len__(self) -> int:
        return len(self._numbers)

    def subset(self, pieces: Sequence[int] | Column) -> Pieces:
        """Some of the pieces, renumbered; their columns are not copied."""
        return Pieces(self._columns, self._numbers[np.asarray(pieces, np.int64)])

    def joined(self, others: Pieces) -> Pieces:
        """These pieces and then the others, in memory.

        >>> from seqmusic.score import Note, melody
        >>> pieces = pack_scores([melody([Note(0, 24, 60)]), melody([Note(0, 24, 62)])])
        >>> pieces.subset([1]).joined(pieces).take([0, 1, 2]).pitch.tolist()
        [62, 60, 62]
        """
        columns = {
            name: np.concatenate([getattr(part._columns, name) for part in (self, others)])
            for name in COLUMN_TYPES
        }
        numbers = [self._numbers, len(self._columns.n_notes) + others._numbers]
        return Pieces(PackedColumns(**columns), np.concatenate(numbers))

    def subsample(self, max_pieces: int) -> Pieces:
        """At most `max_pieces` of the pieces, the same each time."""
        if len(self) <= max_pieces:
            return self
        return self.subset(np.sort(np.random.default_rng(0).permutation(len(self))[:max_pieces]))

    @property
    def work_ids(self) -> Column:
        """(P,) number of the work that each piece is, or is a passage of."""
        return np.asarray(self._columns.work[self._numbers])

    @property
    def n_notes(self) -> Column:
        """(P,) number of notes and rests of each piece."""
        return np.asarray(self._columns.n_notes[self._numbers])

    @property
    def voices(self) -> set[int]:
        """VOICE ids of all pieces, those outside the subset too."""
        sounds: Column = np.unique(self._columns.header_sound)
        return set(sounds[is_voice(sounds)].tolist())

    @property
    def marks_phrases(self) -> bool:
        """Whether fermatas are marked in any piece, those outside the subset too."""
        return bool((self._columns.header_sound == PHRASES).any())

    @property
    def max_voices(self) -> int:
        """Number of voices that the context needs for all pieces."""
        return max((1 + voice_column(voice) for voice in self.voices), default=1)

    @property
    def n_cells(self) -> int:
        """Sixteenths times voices, summed over all pieces; a partial sixteenth counts whole."""
        if not len(self):
            return 0
        begins_voice = is_voice(self._columns.header_sound)
        n_voices = np.add.reduceat(begins_voice, self._header_bounds[:-1], dtype=np.int64)
        end_ticks = self._columns.end_ticks[self._numbers].astype(np.int64)
        return int((-(-end_ticks // TICKS_PER_SIXTEENTH) * n_voices[self._numbers]).sum())

    def shifts(self, piece: int) -> list[int]:
        """Semitones by which a piece may be transposed, 0 included."""
        number = self._numbers[piece]
        columns = self._columns
        return shifts_between(int(columns.lowest_shift[number]), int(columns.highest_shift[number]))

    def checksum(self) -> int:
        """A number that depends on all notes and their order; it reads the pieces in chunks."""
        checksum = 0
        for start in range(0, len(self), _PIECES_PER_CHUNK):
            notes = self.take(np.arange(start, min(len(self), start + _PIECES_PER_CHUNK)))
            for column in (
                *(notes.piece, notes.voice, notes.onset, notes.end, notes.pitch),
                *(notes.fermata_piece, notes.fermata_tick),
            ):
                checksum = zlib.crc32(np.ascontiguousarray(column).data, checksum)
        return checksum

    def take(self, pieces: Sequence[int] | Column) -> NoteColumns:
        """The pieces of these numbers, in this order, renumbered; nothing else is read."""
        packed, chosen = self._columns, self._numbers[np.asarray(pieces, np.int64)]
        note, piece = _rows_of_pieces(self._note_bounds, chosen)
        change, change_piece = _rows_of_pieces(self._change_bounds, chosen)
        fermata, fermata_piece = _rows_of_pieces(self._fermata_bounds, chosen)
        return NoteColumns(
            piece=piece,
            voice=np.asarray(packed.voice[note], np.int64),
            onset=np.asarray(packed.onset[note], np.int64),
            end=np.asarray(packed.end[note], np.int64),
            pitch=np.asarray(packed.pitch[note], np.int64),
            headers=self._headers(chosen),
            end_ticks=np.asarray(packed.end_ticks[chosen], np.int64),
            change_piece=change_piece,
            change_tick=np.asarray(packed.change_tick[change], np.int64),
            change_sound=np.asarray(packed.change_sound[change], np.int64),
            fermata_piece=fermata_piece,
            fermata_tick=np.asarray(packed.fermata_tick[fermata], np.int64),
        )

    def _headers(self, chosen: Column) -> tuple[tuple[tuple[int, int], ...], ...]:
        rows, piece = _rows_of_pieces(self._header_bounds, chosen)
        sounds = self._columns.header_sound[rows].tolist()
        events = list(zip(sounds, self._columns.header_duration[rows].tolist(), strict=True))
        bounds = np.searchsorted(piece, np.arange(len(chosen) + 1)).tolist()
        return tuple(tuple(events[start:end]) for start, end in itertools.pairwise(bounds))


def pack_scores(scores: Sequence[Score], styles: Sequence[int | None] | None = None) -> Pieces:
    """The scores as pieces in memory; `styles` holds the style number of each, None for none.

    Raises:
        UnencodableError: tokens cannot express one of them.
    """
    return Pieces(packed_columns(scores, styles))


def packed_columns(
    scores: Sequence[Score],
    styles: Sequence[int | None] | None = None,
    work_ids: Sequence[int] | None = None,
) -> PackedColumns:
    """The columns of the scores.

    Args:
        scores: one for each piece.
        styles: style number of each score, None for none.
        work_ids: number of the work that each score is a passage of; 0, 1, 2 and so on by default.

    Raises:
        UnencodableError: tokens cannot express one of them.
    """
    notes = note_columns(scores, styles)
    n_pieces = len(notes.headers)
    low, high = shift_bounds(notes)
    events = [event for header in notes.headers for event in header]
    columns = {
        "work": np.arange(n_pieces) if work_ids is None else work_ids,
        "n_notes": np.bincount(notes.piece, minlength=n_pieces),
        "n_header": [len(header) for header in notes.headers],
        "header_sound": [sound for sound, _ in events],
        "header_duration": [duration for _, duration in events],
        "n_changes": np.bincount(notes.change_piece, minlength=n_pieces),
        "n_fermatas": np.bincount(notes.fermata_piece, minlength=n_pieces),
        "lowest_shift": low,
        "highest_shift": high,
    }
    columns |= {name: getattr(notes, name) for name in COLUMN_TYPES if name not in columns}
    return PackedColumns(
        **{name: np.asarray(column, COLUMN_TYPES[name]) for name, column in columns.items()}
    )


def _rows_of_pieces(bounds: Ints, pieces: Ints) -> tuple[Ints, Ints]:
    """The rows of the chosen pieces, and the index among them of each row's piece."""
    counts = bounds[pieces + 1] - bounds[pieces]
    index = np.repeat(np.arange(len(pieces)), counts)
    within = np.arange(len(index)) - np.repeat(np.cumsum(counts) - counts, counts)
    return bounds[pieces][index] + within, index
