"""The application: page files, the interface in version 1, and the guard before both."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from seqmusic.studio.page_files import PageFile, read_page_files
from seqmusic.studio.routes import (
    comparisons,
    composing,
    forever,
    learning,
    motets,
    options,
    recognition,
    scores,
    sessions,
)
from seqmusic.studio.security import RequestGuard
from seqmusic.studio.settings import StudioSettings
from seqmusic.studio.state import make_studio

PREFIX = "/api/v1"


def make_app(settings: StudioSettings) -> Starlette:
    """The application with these settings; it is served on the loopback address alone.

    Raises:
        CheckpointError: there is no such model.
    """
    studio, files = make_studio(settings), read_page_files()

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        await studio.scores.start()
        yield
        await studio.close()

    async def page_file(request: Request) -> Response:
        name = request.path_params.get("name", "index.html")
        return _file_response(request, files.get(name))

    async def index(request: Request) -> Response:
        return _file_response(request, files["index.html"])

    modules = (
        *(sessions, composing, scores, forever, learning, options),
        *(recognition, motets, comparisons),
    )
    routes = [
        Mount(PREFIX, routes=[route for module in modules for route in module.ROUTES]),
        Route("/", index),
        Route("/s/{seed:int}/{number:int}", index),
        Route("/page/{name:str}", page_file),
    ]
    app = Starlette(routes=routes, middleware=[Middleware(RequestGuard)], lifespan=lifespan)
    app.state.studio = studio
    return app


def _file_response(request: Request, file: PageFile | None) -> Response:
    if file is None:
        return Response("not found", 404)
    headers = {"etag": file.tag, "cache-control": "no-cache"}
    if request.headers.get("if-none-match") == file.tag:
        return Response(status_code=304, headers=headers)
    return Response(file.content, media_type=file.media_type, headers=headers)
