"""What a request must satisfy before anything is done with it, and what every response declares.

A server on 127.0.0.1 can be reached by any page in the same browser. So the Host must be this
machine (against DNS rebinding), the Origin must be this server (against posts of other pages), and
what is posted must be JSON, which other pages cannot send without asking first.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from seqmusic.studio.settings import MAX_BODY_BYTES

HEADERS: Mapping[str, str] = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
        "connect-src 'self'; media-src 'self' blob:; manifest-src 'self'; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), midi=(self)",
}
_HOST_NAMES = ("127.0.0.1", "localhost", "[::1]")


class BodyTooLargeError(Exception):
    """A body grew beyond what is read."""


class RequestGuard:
    """Refuses foreign requests, bounds bodies, and adds the headers of `HEADERS`."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = {name.decode("latin-1"): v.decode("latin-1") for name, v in scope["headers"]}
        refusal = refusal_of(scope["method"], headers)
        if refusal is not None:
            await _refuse(send, *refusal)
            return
        read = 0

        async def bounded_receive() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > MAX_BODY_BYTES:
                raise BodyTooLargeError
            return message

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), *_header_bytes()]
            await send(message)

        try:
            await self._app(scope, bounded_receive, send_with_headers)
        except BodyTooLargeError:
            await _refuse(send, 413, "too_large", _TOO_LARGE)


def refusal_of(method: str, headers: Mapping[str, str]) -> tuple[int, str, str] | None:
    """Status, kind and text of the refusal of a request; None where it is allowed.

    Args:
        method: GET, POST ...
        headers: by name in lower case.

    >>> refusal_of("GET", {"host": "evil.example:8765"})[0]
    421
    >>> refusal_of("GET", {"host": "127.0.0.1:8765"}) is None
    True
    """
    host = headers.get("host", "")
    if _host_name(host) not in _HOST_NAMES:
        return 421, "host", "this server answers to 127.0.0.1 and localhost alone"
    origin = headers.get("origin")
    if origin is not None and origin != f"http://{host}":
        return 403, "origin", "requests of other pages are refused"
    is_link = method == "GET" and headers.get("sec-fetch-mode") == "navigate"
    is_foreign = headers.get("sec-fetch-site", "none") not in ("same-origin", "none")
    if is_foreign and not is_link:
        return 403, "origin", "requests of other pages are refused"
    if method in ("GET", "HEAD"):
        return None
    if method not in ("POST", "DELETE"):
        return 405, "method", f"the method {method[:20]} is not allowed"
    if headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        return 415, "media_type", "what is posted must be application/json"
    length = headers.get("content-length", "0")
    if not length.isdigit() or int(length) > MAX_BODY_BYTES:
        return 413, "too_large", _TOO_LARGE
    return None


_TOO_LARGE = f"a request holds at most {MAX_BODY_BYTES // 1_000_000} MB"


def _host_name(host: str) -> str:
    name, colon, port = host.rpartition(":")
    return name if colon and port.isdigit() else host


def _header_bytes() -> list[tuple[bytes, bytes]]:
    return [(name.encode(), value.encode()) for name, value in HEADERS.items()]


async def _refuse(send: Send, status: int, kind: str, text: str) -> None:
    body = json.dumps({"error": {"kind": kind, "message": text}}).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
        *_header_bytes(),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
