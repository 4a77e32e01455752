"""Sessions: the piece on the desk, changed, undone and redone."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.routing import Route

from seqmusic.formats.theme import parse_theme
from seqmusic.generation.recomposition import with_note
from seqmusic.report.explanation import ExplainedEvent
from seqmusic.score import Note, Score, TimeSignature
from seqmusic.score_data import score_to_data
from seqmusic.studio.errors import StudioError
from seqmusic.studio.routes.responses import Data, answering, body_of, check_score, score_in
from seqmusic.studio.session import Alternative, Piece, Session
from seqmusic.studio.state import Studio, studio_of
from seqmusic.tonality import parse_key

EXAMPLE = "G4 A4 B4 C5 | D5:1/2 B4"
EXAMPLE_KEY = "G major"


def session_view(name: str, session: Session) -> Data:
    """A session as the page shows it."""
    piece = session.present
    return {
        "id": name,
        "score": score_to_data(piece.score),
        "given": piece.given and score_to_data(piece.given),
        "frozen": sorted(piece.frozen),
        "can_undo": bool(session.past),
        "can_redo": bool(session.future),
        "alternatives": [alternative_view(one) for one in session.alternatives],
    }


def alternative_view(alternative: Alternative) -> Data:
    """An alternative as the page shows it."""
    return {
        "score": score_to_data(alternative.score),
        "given": score_to_data(alternative.given),
        "bits_per_note": alternative.bits_per_note,
        "settings": dict(alternative.settings),
    }


def theme_in(data: Data) -> Score:
    """The score of a typed theme with its key and meter.

    Raises:
        ThemeError, ValueError: it has a mistake.
    """
    key, signature = str(data.get("key") or ""), str(data.get("time_signature") or "")
    return parse_theme(
        str(data["theme"]),
        TimeSignature.parse(signature) if signature else None,
        parse_key(key) if key else None,
    )


async def new_session(request: Request) -> Data:
    """A new session, with a piece that the page kept or with the example."""
    data, studio = await body_of(request), studio_of(request)
    if "score" in data:
        given = score_in(data, "given") if data.get("given") else None
        piece = Piece(score=score_in(data), given=given)
    else:
        piece = Piece(score=parse_theme(EXAMPLE, key=parse_key(EXAMPLE_KEY)))
    session = Session(present=piece)
    return session_view(studio.sessions.new(session), session)


async def read_session(request: Request) -> Data:
    """A session as it is."""
    name = request.path_params["name"]
    return session_view(name, studio_of(request).sessions.read(name))


async def change_piece(request: Request) -> Data:
    """Another piece on the desk: a theme or a score."""
    data, (studio, name, session) = await body_of(request), _session_of(request)
    score = theme_in(data) if "theme" in data else score_in(data)
    check_score(score)
    if "tempo_bpm" in data and data["tempo_bpm"] is not None:
        score = replace(score, tempo_bpm=min(max(float(data["tempo_bpm"]), 20.0), 300.0))
    return _keep(studio, name, session.changed(Piece(score=score)))


async def change_note(request: Request) -> Data:
    """A note put in by hand."""
    data, (studio, name, session) = await body_of(request), _session_of(request)
    try:
        note = Note(int(data["onset"]), int(data["duration"]), int(data["pitch"]))
        voice = int(data["voice"])
    except (KeyError, TypeError) as error:
        raise StudioError("request", "a note has voice, onset, duration and pitch") from error
    piece = session.present
    score = with_note(piece.score, voice, note)
    return _keep(studio, name, session.changed(replace(piece, score=score)))


async def change_frozen(request: Request) -> Data:
    """Other frozen cells."""
    data, (studio, name, session) = await body_of(request), _session_of(request)
    try:
        cells = frozenset((int(voice), int(bar)) for voice, bar in data["cells"])
    except (KeyError, TypeError) as error:
        raise StudioError("request", "cells are pairs of a voice and a bar") from error
    if len(cells) > 16 * 400:
        raise StudioError("too_large", "too many cells")
    return _keep(studio, name, session.changed(replace(session.present, frozen=cells)))


async def undo(request: Request) -> Data:
    """The session before the last change."""
    studio, name, session = _session_of(request)
    return _keep(studio, name, session.undone())


async def redo(request: Request) -> Data:
    """The session before the last undo."""
    studio, name, session = _session_of(request)
    return _keep(studio, name, session.redone())


async def choose(request: Request) -> Data:
    """An alternative put on the desk."""
    data, (studio, name, session) = await body_of(request), _session_of(request)
    index = data.get("index")
    if not isinstance(index, int) or not 0 <= index < len(session.alternatives):
        raise StudioError("request", "there is no such alternative any more")
    chosen, frozen = session.alternatives[index], session.present.frozen
    piece = Piece(score=chosen.score, given=chosen.given, frozen=frozen)
    return _keep(studio, name, session.changed(piece))


async def surprise(request: Request) -> Data:
    """How surprising each note on the desk is to the model, and what else was likely."""
    data, (studio, _, session) = await body_of(request), _session_of(request)
    model = str(data.get("model", "default"))
    return await studio.queue.run(partial(_surprise, studio, model, session.present.score))


def _surprise(studio: Studio, model: str, score: Score) -> Data:
    from seqmusic.generation.note_surprise import explain  # imports torch

    explanation = explain(studio.models.module(model), score)
    return {
        "bits_per_note": explanation.bits_per_note,
        "events": [_event_view(event) for event in explanation.events],
    }


def _event_view(event: ExplainedEvent) -> Data:
    return {
        "voice": event.voice,
        "onset": event.onset_ticks,
        "pitch": event.pitch,
        "bits": round(event.bits, 2),
        "alternatives": [
            [one.sound, one.duration_ticks, round(one.probability, 4), one.is_written]
            for one in event.alternatives
        ],
    }


def _session_of(request: Request) -> tuple[Studio, str, Session]:
    studio, name = studio_of(request), str(request.path_params["name"])
    return studio, name, studio.sessions.read(name)


def _keep(studio: Studio, name: str, session: Session) -> Data:
    studio.sessions.replace(name, session)
    return session_view(name, session)


_PATH = "/sessions/{name:str}"
_CHANGES: dict[str, Any] = {
    "piece": change_piece,
    "note": change_note,
    "frozen": change_frozen,
    "undo": undo,
    "redo": redo,
    "choose": choose,
    "surprise": surprise,
}
ROUTES = [
    Route("/sessions", answering(new_session), methods=["POST"]),
    Route(_PATH, answering(read_session), methods=["GET"]),
    *(
        Route(f"{_PATH}/{verb}", answering(handler), methods=["POST"])
        for verb, handler in _CHANGES.items()
    ),
]
