"""The endless piece, segment by segment."""

from __future__ import annotations

from functools import partial

from starlette.requests import Request
from starlette.routing import Route

from seqmusic.studio.routes.responses import Data, answering
from seqmusic.studio.state import studio_of


async def segment(request: Request) -> Data:
    """A segment by seed and number; it is composed when it is asked for."""
    studio = studio_of(request)
    seed, number = request.path_params["seed"], request.path_params["number"]
    return await studio.queue.run(partial(studio.endless.segment, seed, number))


ROUTES = [Route("/forever/{seed:int}/{number:int}", answering(segment), methods=["GET"])]
