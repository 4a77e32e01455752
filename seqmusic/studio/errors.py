"""Errors of requests to the studio, as plain data that the page puts into its language."""

from __future__ import annotations

from typing import Any

from seqmusic.errors import SeqmusicError, ThemeError
from seqmusic.studio.french import french


class StudioError(SeqmusicError):
    """A request that the studio refuses.

    Attributes:
        kind: what went wrong, as a word for programs.
        status: of the HTTP response.
    """

    def __init__(self, kind: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.kind = kind
        self.status = status


def error_to_data(error: Exception) -> dict[str, Any]:
    """What a response says about an error.

    >>> error_to_data(ThemeError("token 1 'Z': a riddle", 1))
    {'kind': 'theme', 'message': "token 1 'Z': a riddle", 'french': '', 'position': 1}
    """
    kind = type(error).__name__.removesuffix("Error").lower()
    message = str(error)
    if isinstance(error, StudioError):
        kind = error.kind
    else:
        message = " ".join(message.split())
    data: dict[str, Any] = {"kind": kind, "message": message, "french": french(message)}
    if isinstance(error, ThemeError):
        data["position"] = error.position
    return data
