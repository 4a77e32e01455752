"""The lines of many pieces as columns: notes and rests end to end, ready to be encoded together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seqmusic.errors import UnencodableError
from seqmusic.score import Score
from seqmusic.tokens.tokenizer import header, normalized
from seqmusic.tokens.vocabulary import timesig_id

Column = NDArray[np.int64]
REST_TILE = -1


@dataclass(frozen=True, slots=True)
class Tiles:
    """P pieces, N notes and rests, sorted by piece, voice and onset; every line reaches the end of its piece.

    Attributes:
        piece, voice, onset, end, pitch: (N,) piece number, VOICE id, ticks, ticks, MIDI number or -1 for a rest.
        headers: P headers, each its events from BOS to KEY.
        end_ticks: (P,) length of each piece.
        change_piece, change_tick, change_sound: (C,) changes of meter in order, as TIMESIG ids.
    """

    piece: Column
    voice: Column
    onset: Column
    end: Column
    pitch: Column
    headers: tuple[tuple[tuple[int, int], ...], ...]
    end_ticks: Column
    change_piece: Column
    change_tick: Column
    change_sound: Column

    def taken(self, pieces: Sequence[int], keep: NDArray[np.bool_] | None = None) -> Tiles:
        """The pieces of these numbers, in this order, numbered anew; `keep` (N,) says which tiles stay."""
        number = np.full(len(self.headers), -1)
        number[list(pieces)] = np.arange(len(pieces))
        rows = number[self.piece] >= 0 if keep is None else (number[self.piece] >= 0) & keep
        order = np.flatnonzero(rows)[np.argsort(number[self.piece[rows]], kind="stable")]
        changes = np.flatnonzero(number[self.change_piece] >= 0)
        changes = changes[np.argsort(number[self.change_piece[changes]], kind="stable")]
        return Tiles(
            number[self.piece[order]],
            *(column[order] for column in (self.voice, self.onset, self.end, self.pitch)),
            tuple(self.headers[piece] for piece in pieces),
            self.end_ticks[list(pieces)],
            number[self.change_piece[changes]],
            *(column[changes] for column in (self.change_tick, self.change_sound)),
        )


def tiles_of(scores: Sequence[Score]) -> Tiles:
    """The scores as tiles.

    Raises:
        UnencodableError: the tokens cannot say one of them.
    """
    rows: list[tuple[int, int, int, int, int]] = []
    changes: list[tuple[int, int, int]] = []
    headers, ends = [], []
    for number, own in enumerate(scores):
        score = normalized(own)
        if not score.end_ticks:
            raise UnencodableError("a sequence has at least one note, got a score without notes")
        first = header(score)
        headers.append(tuple(first))
        ends.append(score.end_ticks)
        changes += [(number, tick, timesig_id(signature)) for tick, signature in score.time_signatures[1:]]
        for line, voice in enumerate(score.voices, start=1):
            rows += [(number, first[line][0], n.onset_ticks, n.onset_ticks + n.duration_ticks, n.pitch) for n in voice.notes]
            rows.append((number, first[line][0], score.end_ticks, score.end_ticks, REST_TILE))  # marks the end of the line
    notes = np.array(rows, dtype=np.int64).reshape(-1, 5)
    change = np.array(changes, dtype=np.int64).reshape(-1, 3)
    return Tiles(*_with_rests(notes).T, tuple(headers), np.array(ends, dtype=np.int64), *change.T)  # type: ignore[arg-type]


def _with_rests(notes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Rows (piece, voice, onset, end, pitch) with a rest in every gap; the marks at the ends of the lines are dropped."""
    piece, voice, onset, end, _ = notes.T
    is_first = np.r_[True, (piece[1:] != piece[:-1]) | (voice[1:] != voice[:-1])]
    before = np.where(is_first, 0, np.r_[0, end[:-1]])
    gap = np.flatnonzero(onset > before)
    rests = np.stack([piece[gap], voice[gap], before[gap], onset[gap], np.full(len(gap), REST_TILE)], axis=1)
    places = np.r_[np.arange(len(notes)), gap - 0.5]
    order = np.argsort(places, kind="stable")
    both = np.concatenate([notes, rests])[order]
    return both[both[:, 3] > both[:, 2]]
