"""What foreign pages and large or strange requests can do to the studio: nothing."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient
from studio_requests import studio_client

from seqmusic.studio.app import PREFIX
from seqmusic.studio.errors import StudioError
from seqmusic.studio.page_files import FOLDER
from seqmusic.studio.score_client import ScoreClient
from seqmusic.studio.settings import MAX_BODY_BYTES

JSON = {"content-type": "application/json"}
METHODS = ("GET", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "HEAD")


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    with studio_client(tmp_path_factory.mktemp("studio")) as found:
        yield found


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8765", "127.0.0.1.evil.example", ""]
)
def test_a_rebound_name_reaches_nothing(client: TestClient, host: str) -> None:
    for path in ("/", "/page/main.js", f"{PREFIX}/options"):
        response = client.get(path, headers={"host": host})
        assert response.status_code == 421
        assert b"<html" not in response.content


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://127.0.0.1:9999"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"content-type": "text/plain"}, 415),
        ({"content-type": "application/x-www-form-urlencoded"}, 415),
        ({"content-type": "multipart/form-data; boundary=x"}, 415),
        ({"content-length": "99999999999"}, 413),
        ({"content-length": "-1"}, 413),
    ],
)
def test_posts_of_other_pages_are_refused(
    client: TestClient, headers: dict[str, str], status: int
) -> None:
    response = client.post(f"{PREFIX}/sessions", content=b"{}", headers=JSON | headers)
    assert response.status_code == status
    assert "access-control-allow-origin" not in response.headers


def test_a_link_from_elsewhere_opens_the_page_and_nothing_else(client: TestClient) -> None:
    headers = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
    assert client.get("/s/3/4", headers=headers).status_code == 200
    headers["sec-fetch-mode"] = "cors"
    assert client.get(f"{PREFIX}/options", headers=headers).status_code == 403


def test_the_page_itself_may_post(client: TestClient) -> None:
    headers = JSON | {"origin": "http://127.0.0.1:8765", "sec-fetch-site": "same-origin"}
    assert client.post(f"{PREFIX}/sessions", content=b"{}", headers=headers).status_code == 200


def test_a_body_without_a_length_is_bounded(client: TestClient) -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(MAX_BODY_BYTES // 1_000_000 + 2):
            yield b" " * 1_000_000

    response = client.post(f"{PREFIX}/theme", content=endless(), headers=JSON)
    assert response.status_code == 413
    assert response.json()["error"]["kind"] == "too_large"


@pytest.mark.parametrize(
    "name", ["../app.py", "..%2fapp.py", "%2e%2e/settings.py", "/etc/passwd", "main.js/../app.py"]
)
def test_no_file_beside_the_page_is_served(client: TestClient, name: str) -> None:
    response = client.get(f"/page/{name}")
    assert response.status_code == 404


def test_every_answer_has_a_strict_policy(client: TestClient) -> None:
    for path in ("/", "/page/main.js", f"{PREFIX}/options", "/nowhere"):
        policy = client.get(path).headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "*" not in policy


def test_the_page_is_small_and_loads_nothing_from_elsewhere() -> None:
    files = list(FOLDER.iterdir())
    assert sum(path.stat().st_size for path in files) < 150_000
    for path in files:
        text = path.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
        assert "http" not in text.replace("https", "http"), path.name


@given(
    method=st.sampled_from(METHODS),
    path=st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=30),
    body=st.one_of(st.binary(max_size=50), st.just(b'{"theme": [], "n": {}, "cells": 3}')),
)
def test_no_request_breaks_the_server(
    client: TestClient, method: str, path: str, body: bytes
) -> None:
    address = f"{PREFIX}/{path.lstrip('/')}"
    response = client.request(
        method, address.replace("#", "").replace("?", ""), content=body, headers=JSON
    )
    assert response.status_code in (200, 304, 307, 400, 404, 405)


_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4)
    ),
    max_leaves=8,
)
_FIELDS = st.sampled_from(
    [
        *("score", "given", "width", "theme", "key", "time_signature", "name", "base64"),
        *("format", "voice", "onset", "duration", "pitch", "cells", "index", "tempo_bpm"),
    ]
)
PATHS = ("theme", "sessions", "view", "files/read", "files/write")


@settings(max_examples=40)
@given(path=st.sampled_from(PATHS), data=st.dictionaries(_FIELDS, _values, max_size=5))
def test_no_value_breaks_the_server(client: TestClient, path: str, data: dict[str, Any]) -> None:
    text = json.dumps(data)
    response = client.post(f"{PREFIX}/{path}", content=text.encode(), headers=JSON)
    assert response.status_code in (200, 400, 422), (text, response.text)


def run_apart(coroutine: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine in a thread: in this one playwright may have a loop."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, coroutine).result()


def test_a_blocked_process_costs_one_request() -> None:
    async def check() -> None:
        client = ScoreClient(timeout_seconds=0.0001)
        with pytest.raises(StudioError, match="in time"):
            await client.ask(task="view", score={}, width=3)
        client._timeout = 60
        with pytest.raises(StudioError) as caught:
            await client.ask(task="write", score={}, format="exe")
        assert caught.value.kind == "format"
        await client.close()

    run_apart(check())


def test_waiting_requests_are_bounded() -> None:
    async def check() -> None:
        client = ScoreClient()
        client._n_waiting = 10_000
        with pytest.raises(StudioError, match="too many"):
            await client.ask(task="view", score={}, width=3)

    run_apart(check())
