"""Motets from the piece on the desk: the plan first, then each motet when it is composed."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from seqmusic.generation.request import Request as ComposeRequest
from seqmusic.score import Score
from seqmusic.score_data import score_to_data
from seqmusic.studio.errors import StudioError
from seqmusic.studio.french import french
from seqmusic.studio.marks_data import marks_to_data
from seqmusic.studio.routes.responses import Data, answering, body_of, event_stream, score_in
from seqmusic.studio.state import Studio, studio_of
from seqmusic.transformation.motet_description import motet_sentences
from seqmusic.transformation.motet_plan import MotetPlan, MotetSettings
from seqmusic.transformation.planning import plan_motet
from seqmusic.transformation.taleae import TALEAE
from seqmusic.transformation.transform import STYLES, Transformation, transform_to_motet

MAX_MOTETS = 3
_SETTINGS = ("talea", "sections", "voices", "notes", "hocket", "iso", "introitus", "keep_repeats")


async def choices(request: Request) -> Data:
    """Named taleae with their rhythms and sections, and styles."""
    named = {
        name: {"steps": str(talea), "sections": ",".join(map(str, talea.sections))}
        for name, talea in TALEAE.items()
    }
    return {"taleae": named, "styles": list(STYLES)}


async def compose(request: Request) -> Response:
    """A stream of events: the `plan`, a `motet` each, then `done`, or an `error`."""
    data, studio = await body_of(request), studio_of(request)
    score, settings = score_in(data), _settings_in(data)
    try:
        n, seed = int(data.get("n", 1)), int(data.get("seed", 0))
    except (TypeError, ValueError) as error:
        raise StudioError("request", "n and seed are whole numbers") from error
    if not 1 <= n <= MAX_MOTETS:
        raise StudioError("value", f"n must be in 1..{MAX_MOTETS}, got {n}")
    style = str(data.get("style", STYLES[0]))
    drawn = ComposeRequest(n=1, seed=seed)
    return event_stream(_motets(studio, score, settings, style, [drawn] * n))


async def _motets(
    studio: Studio,
    score: Score,
    settings: MotetSettings,
    style: str,
    requests: list[ComposeRequest],
) -> AsyncIterator[tuple[str, Data]]:
    plan = await studio.long_work.run(partial(plan_motet, score, settings))
    yield "plan", plan_view(plan)
    for index, request in enumerate(requests):
        drawn = replace(request, seed=request.seed + index)
        work = partial(_compose, studio, plan, drawn, style)
        (found,) = await studio.long_work.run(work)
        yield "motet", {"index": index, "seed": drawn.seed, **motet_view(found)}
    yield "done", {}


def _compose(
    studio: Studio, plan: MotetPlan, request: ComposeRequest, style: str
) -> list[Transformation]:
    model, folder = studio.models.motet_model(style)
    return transform_to_motet(model, folder, plan, request, style)


def plan_view(plan: MotetPlan) -> Data:
    """A plan as the page draws it: its taleae one below the other, its colors by number."""
    layout = plan.layout
    return {
        "sentences": [[text, french(text)] for text in motet_sentences(plan)],
        "taleae": [[span.onset_ticks, span.end_ticks] for span in layout.taleae],
        "colores": [[span.onset_ticks, span.end_ticks] for span in layout.colores],
        "ratios": [str(ratio / layout.ratios[0]) for ratio in layout.ratios],
        "n_color": layout.n_color,
        "notes": [[note.onset_ticks, note.duration_ticks, note.pitch] for note in layout.notes],
    }


def motet_view(found: Transformation) -> Data:
    """A motet as the page shows it."""
    bits = -found.candidate.log_probability_per_note / math.log(2)
    return {
        "score": score_to_data(found.score),
        "marks": marks_to_data(found.marks),
        "bits_per_note": bits,
        "checks": [
            [check.name, check.passed, check.text, french(check.text)] for check in found.checks
        ],
    }


def _settings_in(data: Data) -> MotetSettings:
    values: dict[str, Any] = {name: data[name] for name in _SETTINGS if name in data}
    try:
        return MotetSettings(**values)
    except TypeError as error:
        raise StudioError("request", f"a setting is of a wrong kind: {error}") from error


ROUTES = [
    Route("/motet", answering(choices), methods=["GET"]),
    Route("/motet", answering(compose), methods=["POST"]),
]
