"""The lines of many pieces as columns: notes and rests end to end, ready to be encoded together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter

import numpy as np
from numpy.typing import NDArray

from seqmusic.errors import UnencodableError
from seqmusic.score import Score, Voice
from seqmusic.tokens.tokenizer import header_events, normalized
from seqmusic.tokens.vocabulary import STYLE, VOICE, timesig_to_id

IntColumn = NDArray[np.int64]
REST_PITCH = -1


@dataclass(frozen=True, slots=True)
class NoteColumns:
    """P pieces, N notes and rests, sorted by piece, voice and onset; every line reaches the end of its piece.

    Attributes:
        piece, voice, onset, end, pitch: (N,) piece number, VOICE id, ticks, ticks, MIDI number or -1 for a rest.
        headers: P headers, each its events from BOS to KEY.
        end_ticks: (P,) length of each piece.
        change_piece, change_tick, change_sound: (C,) changes of meter in order, as TIMESIG ids.
    """

    piece: IntColumn
    voice: IntColumn
    onset: IntColumn
    end: IntColumn
    pitch: IntColumn
    headers: tuple[tuple[tuple[int, int], ...], ...]
    end_ticks: IntColumn
    change_piece: IntColumn
    change_tick: IntColumn
    change_sound: IntColumn

    def take(self, pieces: Sequence[int], keep: NDArray[np.bool_] | None = None) -> NoteColumns:
        """The pieces of these numbers, in this order, numbered anew; `keep` (N,) says which tiles stay."""
        chosen = np.array(pieces, dtype=np.int64)
        number = np.full(len(self.headers), -1)
        number[chosen] = np.arange(len(chosen))
        note_rows = _renumbered(
            number, self.piece if keep is None else np.where(keep, self.piece, -1)
        )
        changes = _renumbered(number, self.change_piece)
        return NoteColumns(
            piece=number[self.piece[note_rows]],
            voice=self.voice[note_rows],
            onset=self.onset[note_rows],
            end=self.end[note_rows],
            pitch=self.pitch[note_rows],
            headers=tuple(self.headers[piece] for piece in pieces),
            end_ticks=self.end_ticks[chosen],
            change_piece=number[self.change_piece[changes]],
            change_tick=self.change_tick[changes],
            change_sound=self.change_sound[changes],
        )


def _renumbered(number: IntColumn, piece: IntColumn) -> IntColumn:
    """The rows of chosen pieces, sorted by their new numbers; rows and numbers below 0 are left out."""
    new = np.where(piece >= 0, number[piece], -1)
    rows = np.flatnonzero(new >= 0)
    return rows[np.argsort(new[rows], kind="stable")]


def note_columns(
    scores: Sequence[Score], styles: Sequence[int | None] | None = None
) -> NoteColumns:
    """The scores as tiles; `styles` says the number of the style of each that has one.

    Raises:
        UnencodableError: the tokens cannot say one of them.
    """
    headers = tuple(
        tuple(_header_events(score, style))
        for score, style in zip(scores, styles or [None] * len(scores), strict=True)
    )
    n_lines = np.array([len(score.voices) for score in scores], dtype=np.int64)
    voices = [voice for score in scores for voice in score.voices]
    line_piece = np.repeat(np.arange(len(scores)), n_lines)
    line_voice = np.array(
        [event[0] for own in headers for event in own if VOICE <= event[0] < STYLE], dtype=np.int64
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
    changes = _meter_changes(scores, end_ticks)
    return NoteColumns(
        line_piece[line], line_voice[line], onset, end, pitch, headers, end_ticks, *changes
    )


def _header_events(score: Score, style: int | None) -> list[tuple[int, int]]:
    """The events from BOS to KEY; the notes play no part in them."""
    silent = Score(
        tuple(Voice(voice.name, ()) for voice in score.voices),
        score.time_signatures[:1],
        score.pickup_ticks,
        score.key,
    )
    return header_events(normalized(silent), style)


def _note_arrays(voices: Sequence[Voice]) -> tuple[IntColumn, IntColumn, IntColumn]:
    """Onset, duration and pitch of all notes."""
    notes = [note for voice in voices for note in voice.notes]
    onset, duration, pitch = (
        np.fromiter(map(attrgetter(name), notes), np.int64, len(notes))
        for name in ("onset_ticks", "duration_ticks", "pitch")
    )
    return onset, duration, pitch


def _meter_changes(
    scores: Sequence[Score], end_ticks: IntColumn
) -> tuple[IntColumn, IntColumn, IntColumn]:
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
    line: IntColumn, onset: IntColumn, end: IntColumn, pitch: IntColumn, line_end: IntColumn
) -> tuple[IntColumn, IntColumn, IntColumn, IntColumn]:
    """Line, onset, end and pitch of the notes and, in every gap up to the end of each line, a rest."""
    lines = np.arange(len(line_end))
    ends_at = np.searchsorted(
        line, lines, side="right"
    )  # a mark without length at the end of each line
    line, onset, end, pitch = (
        np.insert(column, ends_at, mark)
        for column, mark in (
            (line, lines),
            (onset, line_end),
            (end, line_end),
            (pitch, np.full(len(lines), REST_PITCH)),
        )
    )
    before = np.zeros(len(line), np.int64)
    before[1:] = np.where(line[1:] == line[:-1], end[:-1], 0)
    gap = np.flatnonzero(onset > before)
    rests = line[gap], before[gap], onset[gap], np.full(len(gap), REST_PITCH)
    whole = [
        np.insert(column, gap, rest)
        for column, rest in zip((line, onset, end, pitch), rests, strict=True)
    ]
    is_tile = whole[2] > whole[1]
    return whole[0][is_tile], whole[1][is_tile], whole[2][is_tile], whole[3][is_tile]
