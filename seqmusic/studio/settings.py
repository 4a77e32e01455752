"""Settings of the studio."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from platformdirs import user_data_path

HOST = "127.0.0.1"
DEFAULT_PORT = 8765
MAX_BODY_BYTES = 8_000_000  # of a request; a file of 5 MB fits
MAX_WAITING = 24  # requests that wait for the composing thread
ENGRAVING_SECONDS = 20.0  # for one score or file
MAX_ALTERNATIVES = 6  # of one request


@dataclass(frozen=True, kw_only=True)
class StudioSettings:
    """What a server is started with.

    Attributes:
        port: where it listens, on the loopback address alone.
        model: the folder of a model, or the name of one that comes with seqmusic; None for the
            default.
        folder: where sessions and trained models are kept.
    """

    port: int = DEFAULT_PORT
    model: Path | None = None
    folder: Path = field(default_factory=lambda: user_data_path("seqmusic") / "studio")

    def __post_init__(self) -> None:
        if not 0 <= self.port <= 65535:
            raise ValueError(f"--port must be in 0..65535, got {self.port}")
