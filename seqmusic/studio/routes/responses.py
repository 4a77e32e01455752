"""From bodies to plain data, and from results and errors to responses."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from seqmusic.errors import SeqmusicError
from seqmusic.score import Score
from seqmusic.score_data import data_to_score
from seqmusic.studio.errors import StudioError, error_to_data
from seqmusic.studio.session_files import UnknownSessionError

MAX_VOICES, MAX_NOTES = 16, 20_000
Data = dict[str, Any]
Handler = Callable[[Request], Awaitable[Response]]
logger = logging.getLogger(__name__)


def answering(handler: Callable[[Request], Awaitable[Data | Response]]) -> Handler:
    """A handler whose data are sent as JSON, and whose errors as what went wrong."""

    async def respond(request: Request) -> Response:
        try:
            result = await handler(request)
        except (SeqmusicError, ValueError) as error:
            return error_response(error)
        except asyncio.CancelledError:  # the server ends while this request is answered
            return error_response(StudioError("busy", "the studio ends", 503))
        return result if isinstance(result, Response) else JSONResponse(result)

    return respond


def error_response(error: Exception) -> JSONResponse:
    """The response of an error."""
    status = 404 if isinstance(error, UnknownSessionError) else 400
    if isinstance(error, StudioError):
        status = error.status
    headers = {"retry-after": "1"} if status == 503 else None
    return JSONResponse({"error": error_to_data(error)}, status, headers)


async def body_of(request: Request) -> Data:
    """The object in a body.

    Raises:
        StudioError: it is no JSON object.
    """
    try:
        data = json.loads(await request.body())
    except (ValueError, RecursionError) as error:
        raise StudioError("request", "the body is no JSON") from error
    if not isinstance(data, dict):
        raise StudioError("request", "the body must be an object")
    return data


def score_in(data: Mapping[str, Any], name: str = "score") -> Score:
    """The score in a field.

    Raises:
        StudioError: there is none, or it is too large.
    """
    try:
        score = data_to_score(data[name])
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, OverflowError) as error:
        raise StudioError("request", f"the field {name!r} holds no score") from error
    check_score(score)
    return score


def check_score(score: Score) -> None:
    """Refuse a score that is empty, or beyond what the page is for.

    Raises:
        StudioError: it is.
    """
    if not score.n_notes:
        raise StudioError("empty", "there is no note; type or play at least one")
    if len(score.voices) > MAX_VOICES or score.n_notes > MAX_NOTES:
        rule = f"a piece has at most {MAX_VOICES} voices and {MAX_NOTES:,} notes here"
        raise StudioError("too_large", f"{rule}, got {len(score.voices)} and {score.n_notes:,}")


def event_stream(events: AsyncIterator[tuple[str, Data]]) -> StreamingResponse:
    """Server-sent events, each with a name and data; an error is the last of them."""
    return StreamingResponse(
        _event_texts(events), media_type="text/event-stream", headers={"cache-control": "no-store"}
    )


async def _event_texts(events: AsyncIterator[tuple[str, Data]]) -> AsyncIterator[str]:
    try:
        async for name, data in events:
            yield _event_text(name, data)
    except (SeqmusicError, ValueError) as error:
        yield _event_text("error", error_to_data(error))


def _event_text(name: str, data: Data) -> str:
    return f"event: {name}\ndata: {json.dumps(data, separators=(',', ':'))}\n\n"
