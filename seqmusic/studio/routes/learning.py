"""A training that the page watches."""

from __future__ import annotations

from collections.abc import AsyncIterator

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from seqmusic.studio.errors import StudioError
from seqmusic.studio.routes.responses import Data, answering, body_of, event_stream
from seqmusic.studio.state import Studio, studio_of


async def start(request: Request) -> Data:
    """Start a training."""
    minutes = (await body_of(request)).get("minutes", 2.0)
    if not isinstance(minutes, int | float):
        raise StudioError("request", "minutes is a number")
    return {"model": await studio_of(request).learning.start(float(minutes))}


async def stop(request: Request) -> Data:
    """Stop the training."""
    await studio_of(request).learning.stop()
    return {}


async def events(request: Request) -> Response:
    """A stream of events: a `report` each, then `end` with the models that are there."""
    return event_stream(_reports(studio_of(request)))


async def _reports(studio: Studio) -> AsyncIterator[tuple[str, Data]]:
    async for number, report in studio.learning.events():
        yield "report", {"number": number, **report}
    yield "end", {"models": list(studio.models.folders()), "model": studio.learning.name}


ROUTES = [
    Route("/learning/start", answering(start), methods=["POST"]),
    Route("/learning/stop", answering(stop), methods=["POST"]),
    Route("/learning/events", answering(events), methods=["GET"]),
]
