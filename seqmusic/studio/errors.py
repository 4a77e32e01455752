"""Errors of requests to the studio, as plain data that the page puts into its language."""

from __future__ import annotations

from typing import Any

from seqmusic.errors import SeqmusicError, ThemeError


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

    >>> error_to_data(ThemeError("token 1 'Z': expected a pitch", 1))
    {'kind': 'theme', 'message': "token 1 'Z': expected a pitch", 'position': 1}
    """
    if isinstance(error, StudioError):
        return {"kind": error.kind, "message": str(error)}
    kind = type(error).__name__.removesuffix("Error").lower()
    data: dict[str, Any] = {"kind": kind, "message": " ".join(str(error).split())}
    if isinstance(error, ThemeError):
        data["position"] = error.position
    return data
