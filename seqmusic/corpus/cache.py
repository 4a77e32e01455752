"""The user's cache folder, where prepared data lies so that it is not prepared twice."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def cache_folder() -> Path:
    """The folder for what can be made again: `SEQMUSIC_CACHE` if set, else seqmusic's place among the user's caches.

    Source: XDG Base Directory Specification 0.8 (a relative XDG_CACHE_HOME is not looked at); the customs of macOS and Windows.
    """
    if chosen := os.environ.get("SEQMUSIC_CACHE"):
        return Path(chosen).expanduser()
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "seqmusic" / "Cache"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "seqmusic"
    chosen = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(chosen) if os.path.isabs(chosen) else Path.home() / ".cache") / "seqmusic"
