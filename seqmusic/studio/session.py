"""A session: the piece on the desk, what was there before, and alternatives to it, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from seqmusic.score import Score
from seqmusic.score_data import data_to_score, score_to_data

MAX_HISTORY = 100  # pieces that undo goes back to
MAX_SHOWN = 12  # alternatives that are kept


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A score on the desk.

    Attributes:
        score: the whole.
        given: what it was composed from; None where it was not composed.
        frozen: cells (voice, bar), both from 0, that are kept when the rest is composed anew.
    """

    score: Score
    given: Score | None = None
    frozen: frozenset[tuple[int, int]] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Alternative:
    """A composed piece that can be put on the desk.

    Attributes:
        score: the whole.
        given: what it was composed from.
        bits_per_note: its surprise.
        settings: how it was composed.
    """

    score: Score
    given: Score
    bits_per_note: float
    settings: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """All that a page shows and a restart brings back."""

    present: Piece
    past: tuple[Piece, ...] = ()
    future: tuple[Piece, ...] = ()
    alternatives: tuple[Alternative, ...] = ()

    def changed(self, piece: Piece) -> Session:
        """The session with another piece on the desk; undo brings the present one back."""
        if piece == self.present:
            return self
        past = (*self.past, self.present)[-MAX_HISTORY:]
        return replace(self, present=piece, past=past, future=())

    def undone(self) -> Session:
        """The session before the last change; itself where there was none."""
        if not self.past:
            return self
        *past, piece = self.past
        return replace(
            self, present=piece, past=tuple(past), future=(self.present, *self.future)[:MAX_HISTORY]
        )

    def redone(self) -> Session:
        """The session before the last undo; itself where there was none."""
        if not self.future:
            return self
        piece, *future = self.future
        return replace(self, present=piece, past=(*self.past, self.present), future=tuple(future))

    def with_alternative(self, alternative: Alternative, *, is_first: bool) -> Session:
        """The session with one more alternative; the first of a request replaces older ones."""
        kept = () if is_first else self.alternatives
        return replace(self, alternatives=(*kept, alternative)[-MAX_SHOWN:])


def session_to_data(session: Session) -> dict[str, Any]:
    """A session as plain data."""
    return {
        "present": _piece_to_data(session.present),
        "past": [_piece_to_data(piece) for piece in session.past],
        "future": [_piece_to_data(piece) for piece in session.future],
        "alternatives": [
            {
                "score": score_to_data(one.score),
                "given": score_to_data(one.given),
                "bits_per_note": one.bits_per_note,
                "settings": dict(one.settings),
            }
            for one in session.alternatives
        ],
    }


def data_to_session(data: Mapping[str, Any]) -> Session:
    """The session of its plain data, the inverse of `session_to_data`.

    Raises:
        ValueError, KeyError, TypeError: the data are not those of a session.
    """
    return Session(
        present=_data_to_piece(data["present"]),
        past=tuple(map(_data_to_piece, data["past"][-MAX_HISTORY:])),
        future=tuple(map(_data_to_piece, data["future"][:MAX_HISTORY])),
        alternatives=tuple(
            Alternative(
                score=data_to_score(one["score"]),
                given=data_to_score(one["given"]),
                bits_per_note=float(one["bits_per_note"]),
                settings=dict(one["settings"]),
            )
            for one in data["alternatives"][-MAX_SHOWN:]
        ),
    )


def _piece_to_data(piece: Piece) -> dict[str, Any]:
    return {
        "score": score_to_data(piece.score),
        "given": piece.given and score_to_data(piece.given),
        "frozen": sorted(piece.frozen),
    }


def _data_to_piece(data: Mapping[str, Any]) -> Piece:
    given = data["given"]
    return Piece(
        score=data_to_score(data["score"]),
        given=None if given is None else data_to_score(given),
        frozen=frozenset((int(voice), int(bar)) for voice, bar in data["frozen"]),
    )
