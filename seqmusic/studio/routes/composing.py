"""Composing for a session: alternatives are sent as they are composed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from seqmusic.studio.composition import Order, StoppedError, compose_alternative, data_to_order
from seqmusic.studio.routes.responses import Data, answering, body_of, event_stream
from seqmusic.studio.routes.sessions import alternative_view
from seqmusic.studio.state import Studio, studio_of


async def compose(request: Request) -> Response:
    """A stream of events: one `alternative` each, then `done`, or an `error`."""
    studio, name = studio_of(request), str(request.path_params["name"])
    order = data_to_order(await body_of(request))
    studio.sessions.read(name)
    return event_stream(_alternatives(studio, name, order))


async def stop(request: Request) -> Data:
    """Stop what is being composed for a session."""
    studio_of(request).queue.stop_order(str(request.path_params["name"]))
    return {}


async def _alternatives(studio: Studio, name: str, order: Order) -> AsyncIterator[tuple[str, Data]]:
    signal = studio.queue.begin_order(name)
    piece = studio.sessions.read(name).present
    try:
        for index in range(order.request.n):
            work = partial(compose_alternative, studio.models, piece, order, index, signal)
            alternative = await studio.queue.run(work)
            session = studio.sessions.read(name)
            session = session.with_alternative(alternative, is_first=index == 0)
            studio.sessions.replace(name, session)
            yield "alternative", {"index": index, **alternative_view(alternative)}
        yield "done", {}
    except StoppedError:
        yield "stopped", {}
    finally:
        studio.queue.end_order(name, signal)


ROUTES = [
    Route("/sessions/{name:str}/compose", answering(compose), methods=["POST"]),
    Route("/sessions/{name:str}/stop", answering(stop), methods=["POST"]),
]
