"""The lines of many pieces as columns: notes and rests end to end, ready to be encoded together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter

import numpy as np

from seqmusic.array_types import Ints, Mask
from seqmusic.errors import UnencodableError
from seqmusic.score import Score, Voice
from seqmusic.tokens.fermatas import fermata_ticks
from seqmusic.tokens.section_events import REST_PITCH
from seqmusic.tokens.tokenizer import header_events, normalized
from seqmusic.tokens.vocabulary import is_voice, timesig_to_id
from seqmusic.tokens.voice_line import NEVER

_HAS_FERMATA = attrgetter("fermata")
_PIECE_STRIDE = np.int64(NEVER)  # ticks between the starts of two pieces on one time axis


@dataclass(frozen=True, slots=True)
class NoteColumns:
    """P pieces with N notes and rests, sorted by piece, voice and onset.

    Every line is filled with rests and reaches the end of its piece.

    Attributes:
        piece: (N,) piece number.
        voice: (N,) VOICE id.
        onset, end: (N,) ticks.
        pitch: (N,) MIDI number, or -1 for a rest.
        headers: P headers, each its events from BOS to KEY.
        end_ticks: (P,) length of each piece.
        change_piece, change_tick, change_sound: (C,) changes of meter in order, as TIMESIG ids.
        fermata_piece, fermata_tick: (F,) the onsets under a fermata, in order.
    """

    piece: Ints
    voice: Ints
    onset: Ints
    end: Ints
    pitch: Ints
    headers: tuple[tuple[tuple[int, int], ...], ...]
    end_ticks: Ints
    change_piece: Ints
    change_tick: Ints
    change_sound: Ints
    fermata_piece: Ints
    fermata_tick: Ints

    def take(self, pieces: Sequence[int], keep: Mask | None = None) -> NoteColumns:
        """Some of the pieces, in this order, renumbered.

        Args:
            pieces: their numbers.
            keep: (N,) which notes and rests stay; None for all.
        """
        chosen = np.array(pieces, dtype=np.int64)
        new_number = np.full(len(self.headers), -1)
        new_number[chosen] = np.arange(len(chosen))
        piece = self.piece if keep is None else np.where(keep, self.piece, -1)
        rows, changes, fermatas = (
            _rows_in_order(new_number, column)
            for column in (piece, self.change_piece, self.fermata_piece)
        )
        return NoteColumns(
            piece=new_number[self.piece[rows]],
            voice=self.voice[rows],
            onset=self.onset[rows],
            end=self.end[rows],
            pitch=self.pitch[rows],
            headers=tuple(self.headers[piece] for piece in pieces),
            end_ticks=self.end_ticks[chosen],
            change_piece=new_number[self.change_piece[changes]],
            change_tick=self.change_tick[changes],
            change_sound=self.change_sound[changes],
            fermata_piece=new_number[self.fermata_piece[fermatas]],
            fermata_tick=self.fermata_tick[fermatas],
        )


def sort_keys(piece: Ints, tick: Ints | int) -> Ints:
    """Numbers that sort by piece, then by tick, for `np.searchsorted`."""
    return piece * _PIECE_STRIDE + tick


def _rows_in_order(new_number: Ints, piece: Ints) -> Ints:
    """The rows whose pieces have a new number, sorted by it; a number below 0 drops a row."""
    new_piece = np.where(piece >= 0, new_number[piece], -1)
    rows = np.flatnonzero(new_piece >= 0)
    return rows[np.argsort(new_piece[rows], kind="stable")]


def note_columns(
    scores: Sequence[Score], styles: Sequence[int | None] | None = None
) -> NoteColumns:
    """The scores as columns; `styles` holds the style number of each, None for none.

    Raises:
        UnencodableError: tokens cannot express one of them.
    """
    fermatas = [_fermata_ticks(score) for score in scores]
    columns = zip(scores, styles or [None] * len(scores), map(bool, fermatas), strict=True)
    headers = tuple(tuple(_header_events(*row)) for row in columns)
    voices = [voice for score in scores for voice in score.voices]
    line_piece = np.repeat(
        np.arange(len(scores)), np.array([len(score.voices) for score in scores], dtype=np.int64)
    )
    line_voice = np.array(
        [sound for header in headers for sound, _ in header if is_voice(sound)], dtype=np.int64
    )
    line = np.repeat(np.arange(len(voices)), [len(voice.notes) for voice in voices])
    onset, duration, pitch = _note_arrays(voices)
    end_ticks = np.zeros(len(scores), np.int64)
    np.maximum.at(end_ticks, line_piece[line], onset + duration)
    if not end_ticks.all():
        raise UnencodableError("a sequence has at least one note, got a score without notes")
    line, onset, end, pitch = _with_rests(
        line, onset, onset + duration, pitch, end_ticks[line_piece]
    )
    return NoteColumns(
        line_piece[line],
        line_voice[line],
        onset,
        end,
        pitch,
        headers,
        end_ticks,
        *_meter_changes(scores, end_ticks),
        np.repeat(np.arange(len(scores)), [len(ticks) for ticks in fermatas]),
        np.array([tick for ticks in fermatas for tick in ticks], dtype=np.int64),
    )


def _fermata_ticks(score: Score) -> list[int]:
    has_any = any(any(map(_HAS_FERMATA, voice.notes)) for voice in score.voices)
    return fermata_ticks(score) if has_any else []


def _header_events(score: Score, style: int | None, marks_phrases: bool) -> list[tuple[int, int]]:
    """The events from BOS to KEY; the notes are left out because they do not change the header."""
    silent = Score(
        tuple(Voice(voice.name, ()) for voice in score.voices),
        score.time_signatures[:1],
        score.pickup_ticks,
        score.key,
    )
    return header_events(normalized(silent), style, marks_phrases=marks_phrases)


def _note_arrays(voices: Sequence[Voice]) -> tuple[Ints, Ints, Ints]:
    """Onset, duration and pitch of all notes."""
    notes = [note for voice in voices for note in voice.notes]
    onset, duration, pitch = (
        np.fromiter(map(attrgetter(name), notes), np.int64, len(notes))
        for name in ("onset_ticks", "duration_ticks", "pitch")
    )
    return onset, duration, pitch


def _meter_changes(scores: Sequence[Score], end_ticks: Ints) -> tuple[Ints, Ints, Ints]:
    """Piece, tick and TIMESIG id of the changes of meter before the end of each piece."""
    rows = [
        (number, tick, timesig_to_id(signature))
        for number, (score, end) in enumerate(zip(scores, end_ticks.tolist(), strict=True))
        for tick, signature in score.time_signatures[1:]
        if tick < end
    ]
    columns = np.array(rows, dtype=np.int64).reshape(-1, 3)
    return columns[:, 0], columns[:, 1], columns[:, 2]


def _with_rests(
    line: Ints, onset: Ints, end: Ints, pitch: Ints, line_end: Ints
) -> tuple[Ints, Ints, Ints, Ints]:
    """Line, onset, end and pitch of the notes, and of a rest in every gap of a line."""
    # An empty row at the end of each line makes the last gap a gap like any other.
    lines = np.arange(len(line_end))
    line_stops = np.searchsorted(line, lines, side="right")
    line, onset, end = (
        np.insert(column, line_stops, stop)
        for column, stop in ((line, lines), (onset, line_end), (end, line_end))
    )
    pitch = np.insert(pitch, line_stops, REST_PITCH)
    previous_end = np.zeros(len(line), np.int64)
    previous_end[1:] = np.where(line[1:] == line[:-1], end[:-1], 0)
    gap = np.flatnonzero(onset > previous_end)
    filled_line = np.insert(line, gap, line[gap])
    filled_onset = np.insert(onset, gap, previous_end[gap])
    filled_end = np.insert(end, gap, onset[gap])
    filled_pitch = np.insert(pitch, gap, REST_PITCH)
    sounds = filled_end > filled_onset  # all but the empty rows
    return filled_line[sounds], filled_onset[sounds], filled_end[sounds], filled_pitch[sounds]
