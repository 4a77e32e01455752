"""What the tests of the studio's interface share."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from starlette.testclient import TestClient

from seqmusic.studio.app import PREFIX, make_app
from seqmusic.studio.settings import StudioSettings

BASE = "http://127.0.0.1:8765"


@contextmanager
def studio_client(folder: Path) -> Iterator[TestClient]:
    """A client of a studio whose work is kept in a folder."""
    app = make_app(StudioSettings(folder=folder))
    app.state.studio.endless.effort = 0
    with TestClient(app, base_url=BASE) as client:
        yield client


def post(client: TestClient, path: str, data: Any, status: int = 200) -> dict[str, Any]:
    """The data, or the error, that a post is answered with."""
    response = client.post(PREFIX + path, json=data)
    assert response.status_code == status, response.text
    found: dict[str, Any] = response.json()
    return found if status == 200 else found["error"]


def events(text: str) -> list[tuple[str, dict[str, Any]]]:
    """Names and data of server-sent events."""
    parts = (part.split("\ndata: ") for part in text.split("\n\n") if part)
    return [(name.removeprefix("event: "), json.loads(data)) for name, data in parts]
