"""Scores without a session: engraved, read from files, written to files, typed."""

from __future__ import annotations

from starlette.requests import Request
from starlette.routing import Route

from seqmusic.score_data import score_to_data
from seqmusic.studio.errors import StudioError
from seqmusic.studio.routes.responses import Data, answering, body_of, score_in
from seqmusic.studio.routes.sessions import theme_in
from seqmusic.studio.state import studio_of


async def view(request: Request) -> Data:
    """A score engraved, and all that the page needs to play and read it."""
    data = await body_of(request)
    score_in(data)
    width = data.get("width", 1000)
    if not isinstance(width, int):
        raise StudioError("request", "the width is a whole number of pixels")
    return await studio_of(request).scores.ask(
        task="view",
        score=data["score"],
        given=data.get("given"),
        width=width,
        marks=data.get("marks"),
    )


async def theme(request: Request) -> Data:
    """The score of a typed theme."""
    data = await body_of(request)
    if "theme" not in data:
        raise StudioError("request", "the field 'theme' is missing")
    return {"score": score_to_data(theme_in(data))}


async def read_file(request: Request) -> Data:
    """The score in a file that was sent, with what was repaired in it."""
    data = await body_of(request)
    if not isinstance(data.get("name"), str) or not isinstance(data.get("base64"), str):
        raise StudioError("request", "a file has a name and its bytes in base64")
    result = await studio_of(request).scores.ask(
        task="read", name=data["name"][-200:], base64=data["base64"]
    )
    score_in(result)
    return result


async def write_file(request: Request) -> Data:
    """A score as the bytes of a file."""
    data = await body_of(request)
    score_in(data)
    return await studio_of(request).scores.ask(
        task="write",
        score=data["score"],
        format=str(data.get("format", "")),
        marks=data.get("marks"),
    )


ROUTES = [
    Route("/view", answering(view), methods=["POST"]),
    Route("/theme", answering(theme), methods=["POST"]),
    Route("/files/read", answering(read_file), methods=["POST"]),
    Route("/files/write", answering(write_file), methods=["POST"]),
]
