"""What a page asks to be composed, checked, and one alternative after the other."""

from __future__ import annotations

import math
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from seqmusic.errors import RequestError
from seqmusic.generation.composing import compose_candidates, with_voice_names_of
from seqmusic.generation.output import prompt_with_key
from seqmusic.generation.prompts import Prompt
from seqmusic.generation.recomposition import cell_spans, spans_after, spans_prompt
from seqmusic.generation.request import Request
from seqmusic.generation.task import Task
from seqmusic.runs.pretrained import learned_voice_names
from seqmusic.score import Note, Score
from seqmusic.studio.errors import StudioError
from seqmusic.studio.models import DEFAULT_NAME, Models
from seqmusic.studio.session import Alternative, Piece
from seqmusic.studio.settings import MAX_ALTERNATIVES
from seqmusic.tonality import with_inferred_key

TASKS = ("continue", "harmonize", "recompose", "go_on")
_REQUEST_FIELDS = {"n", "temperature", "seed", "strict", "scale", "cadence", "effort"}


class StoppedError(RequestError):
    """Composing was stopped by the page, or by a newer request of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is to be composed.

    Attributes:
        task: one of `TASKS`.
        request: how candidates are drawn; its n alternatives have the seeds seed, seed + 1 ...
        bars: to continue: how many in all.
        voices: to continue: as in `Task`, "" for what suits; to harmonize: those that are given.
        cells: to recompose: (voice, bar), both from 0; frozen ones are left as they are.
        tick: to go on: where the new music begins.
        style: one that the model has learned, "" for none.
        model: a name in `Models`.
    """

    task: str
    request: Request
    bars: int = 8
    voices: str = ""
    cells: tuple[tuple[int, int], ...] = ()
    tick: int = 0
    style: str = ""
    model: str = DEFAULT_NAME

    def __post_init__(self) -> None:
        if self.task not in TASKS:
            raise ValueError(f"task must be one of {', '.join(TASKS)}, got {self.task!r}")
        if self.request.n > MAX_ALTERNATIVES:
            raise ValueError(f"n must be in 1..{MAX_ALTERNATIVES}, got {self.request.n}")


def data_to_order(data: Mapping[str, Any]) -> Order:
    """The order in a body.

    Raises:
        StudioError: it has an unknown field, or a value of a wrong kind.
        ValueError: a value is out of range.
    """
    known = {field.name for field in fields(Order)} - {"request"} | _REQUEST_FIELDS
    if unknown := set(data) - known:
        raise StudioError("request", f"unknown field {min(unknown)[:40]!r}")
    try:
        request = Request(**{name: data[name] for name in _REQUEST_FIELDS & set(data)})
        cells = tuple((int(voice), int(bar)) for voice, bar in data.get("cells", ()))
        return Order(
            task=str(data["task"]),
            request=request,
            bars=int(data.get("bars", 8)),
            voices=str(data.get("voices", "")),
            cells=cells,
            tick=int(data.get("tick", 0)),
            style=str(data.get("style", "")),
            model=str(data.get("model", DEFAULT_NAME)),
        )
    except (KeyError, TypeError) as error:
        raise StudioError("request", f"a field is missing or of a wrong kind: {error}") from error


def compose_alternative(
    models: Models, piece: Piece, order: Order, index: int, stop: threading.Event
) -> Alternative:
    """Alternative `index` of an order: candidate 0 of its seed plus index.

    Args:
        models: where the model is taken from.
        piece: what is on the desk.
        order: what is asked for.
        index: from 0.
        stop: when set, composing ends before the next note.

    Raises:
        StoppedError: it was stopped.
        RequestError, UnencodableError, CheckpointError, StudioError: it cannot be composed.
    """
    model = models.array_model(order.model)
    request = replace(order.request, n=1, seed=order.request.seed + index)

    def on_note(voice: int, note: Note) -> None:
        if stop.is_set():
            raise StoppedError("stopped")

    score, prompt = _prompt(models, piece, order)
    if stop.is_set():
        raise StoppedError("stopped")
    (candidate,) = compose_candidates(model, prompt, request, on_note=on_note)
    if order.task in ("recompose", "go_on"):
        candidate = with_voice_names_of(candidate, score)
    composed = replace(candidate.score, title=score.title, tempo_bpm=score.tempo_bpm)
    return Alternative(
        score=composed,
        given=_given(prompt, composed),
        bits_per_note=-candidate.log_probability_per_note / math.log(2),
        settings={"task": order.task, "model": order.model, **_shown(request)},
    )


def _prompt(models: Models, piece: Piece, order: Order) -> tuple[Score, Prompt]:
    score, model = piece.score, models.array_model(order.model)
    if order.task in ("continue", "harmonize"):
        voices = tuple(name for name in order.voices.split(",") if name)
        bars = order.bars if order.task == "continue" else None
        task = Task(name=order.task, bars=bars, voices=voices, style=order.style)
        return prompt_with_key(task, score, model, models.path(order.model))
    score = with_inferred_key(score)
    if order.task == "go_on":
        spans = spans_after(score, order.tick)
    else:
        spans = cell_spans(score, set(order.cells) - piece.frozen)
    return score, spans_prompt(score, spans, learned_voice_names(model.vocabulary))


def _given(prompt: Prompt, composed: Score) -> Score:
    """The composed score with the given notes alone."""
    voices = tuple(
        replace(voice, notes=tuple(n for n in voice.notes if prompt.is_given(index, n)))
        for index, voice in enumerate(composed.voices)
    )
    return replace(composed, voices=voices)


def _shown(request: Request) -> dict[str, Any]:
    values = asdict(request)
    shown = ("seed", "temperature", "strict", "scale", "cadence", "effort")
    return {name: values[name] for name in shown}
