"""The interface of the studio: what each request answers, and how bad ones are refused."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from studio_requests import events, post, studio_client

from seqmusic.formats import read_score
from seqmusic.formats.theme import parse_theme
from seqmusic.generation.composing import continuation
from seqmusic.generation.request import Request
from seqmusic.runs.pretrained import load_array_model
from seqmusic.score import Key
from seqmusic.score_data import data_to_score, score_to_data

CHOIR = "G4 A4 B4 C5 | D5:1 ; D4 E4 D4 G4 | G4:1 ; B3 C4 G3 E4 | B3:1 ; G3 A3 G3 C4 | G3:1"


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    with studio_client(tmp_path_factory.mktemp("studio")) as found:
        yield found


@pytest.fixture
def session(client: TestClient) -> dict[str, Any]:
    return post(client, "/sessions", {})


def choir(client: TestClient, name: str) -> dict[str, Any]:
    """The session with four voices on the desk."""
    return post(client, f"/sessions/{name}/piece", {"theme": CHOIR, "key": "G major"})


def test_alternatives_are_those_of_the_package(client: TestClient, session: dict[str, Any]) -> None:
    order = {"task": "continue", "n": 2, "bars": 4, "voices": "satb", "seed": 5, "effort": 1}
    response = client.post(f"/api/v1/sessions/{session['id']}/compose", json=order)
    assert response.headers["content-type"].startswith("text/event-stream")
    names, data = zip(*events(response.text), strict=True)
    assert names == ("alternative", "alternative", "done")
    model, theme = load_array_model(Path("chorales"), False), data_to_score(session["score"])
    for index in range(2):
        (expected,) = continuation(model, theme, Request(n=1, seed=5 + index, effort=1), bars=4)
        assert data_to_score(data[index]["score"]) == expected.score
        assert data_to_score(data[index]["given"]).n_notes == theme.n_notes
    chosen = post(client, f"/sessions/{session['id']}/choose", {"index": 1})
    assert chosen["score"] == data[1]["score"]
    assert post(client, f"/sessions/{session['id']}/undo", {})["score"] == session["score"]
    assert post(client, f"/sessions/{session['id']}/redo", {})["score"] == data[1]["score"]
    assert client.get(f"/api/v1/sessions/{session['id']}").json()["can_undo"]


def test_frozen_cells_stay(client: TestClient, session: dict[str, Any]) -> None:
    name = session["id"]
    before = choir(client, name)["score"]
    post(client, f"/sessions/{name}/frozen", {"cells": [[1, 0]]})
    order = {"task": "recompose", "n": 1, "temperature": 1.3, "cells": [[1, 0], [2, 0]]}
    text = client.post(f"/api/v1/sessions/{name}/compose", json=order).text
    (_, found), _ = events(text)
    kept = [
        index for index in range(4) if found["score"]["voices"][index] == before["voices"][index]
    ]
    assert kept == [0, 1, 3]
    order["cells"] = [[1, 0]]
    text = client.post(f"/api/v1/sessions/{name}/compose", json=order).text
    assert [name for name, _ in events(text)] == ["error"]
    assert "not frozen" in text


def test_harmonizing_keeps_the_given_voice(client: TestClient, session: dict[str, Any]) -> None:
    order = {"task": "harmonize", "n": 1, "voices": "bass", "strict": True}
    text = client.post(f"/api/v1/sessions/{session['id']}/compose", json=order).text
    (_, found), _ = events(text)
    assert [row[2] % 12 for row in found["score"]["voices"][3][1]] == [7, 9, 11, 0, 2, 11]


def test_a_note_by_hand_and_its_surprise(client: TestClient, session: dict[str, Any]) -> None:
    name = session["id"]
    choir(client, name)
    note = {"voice": 2, "onset": 24, "duration": 48, "pitch": 62}
    changed = post(client, f"/sessions/{name}/note", note)
    assert changed["score"]["voices"][2][1][1] == [24, 48, 62, 0]
    found = post(client, f"/sessions/{name}/surprise", {})
    written = {(event["voice"], event["onset"]): event["pitch"] for event in found["events"]}
    assert written[2, 24] == 62
    assert all(event["bits"] >= 0 for event in found["events"])


def test_a_view_has_all_that_is_drawn_and_read(client: TestClient) -> None:
    score = parse_theme("C4 | D4:1/2 Eb4 ; C3 | G3:1", key=None)
    view = post(client, "/view", {"score": score_to_data(score), "width": 600})
    assert view["bars"] == [[0, 0, 24], [1, 24, 120]]
    assert [note[4] for note in view["notes"]] == ["C4", "C3", "D4", "G3", "Eb4"]
    (svg,) = view["svg"]
    assert "style=" not in svg
    assert "<style" not in svg
    assert svg.count('class="note"') == 5
    assert 'data-voice="1" data-tick="24"' in svg


def test_a_score_without_a_key_is_engraved_in_the_one_that_its_title_names(
    client: TestClient,
) -> None:
    plain = parse_theme("D4 F#4 A4 D5 | C#5 A4 D5:1/2")
    views = [
        post(client, "/view", {"score": score_to_data(score), "width": 600})
        for score in (plain, replace(plain, key=Key(2, "major")))
    ]
    assert views[0] == views[1]
    assert views[0]["key"] == "D major"


@pytest.mark.parametrize("ending", ["mid", "musicxml", "ly", "png"])
def test_files_are_written(client: TestClient, ending: str, tmp_path: Path) -> None:
    score = score_to_data(parse_theme(CHOIR))
    found = post(client, "/files/write", {"score": score, "format": ending})
    content = base64.b64decode(found["base64"])
    signs = {"mid": b"MThd", "musicxml": b"<?xml", "ly": b"\\version", "png": b"\x89PNG"}
    assert content.startswith(signs[ending])
    if ending in ("mid", "musicxml"):
        path = tmp_path / f"a.{ending}"
        path.write_bytes(content)
        assert read_score(path).n_notes == parse_theme(CHOIR).n_notes
        data = {"name": f"../../a.{ending}", "base64": found["base64"]}
        assert len(post(client, "/files/read", data)["score"]["voices"]) == 4


@pytest.mark.parametrize(
    ("path", "data", "kind", "message"),
    [
        ("/files/read", {"name": "a.wav", "base64": ""}, "format", "files that can be read"),
        ("/files/read", {"name": "a.mid", "base64": "TVRoZA=="}, "corruptfile", "ends too early"),
        ("/files/read", {"name": "a.mid", "base64": "!"}, "", ""),
        ("/files/read", {"name": 3}, "request", "a file has a name"),
        ("/files/write", {"score": {}, "format": "mid"}, "request", "holds no score"),
        ("/theme", {"theme": "C4 Zb4"}, "theme", "token 2 'Zb4' at character 4"),
        ("/theme", {"theme": "C4", "key": "H major"}, "value", "a key is written like"),
        ("/theme", {}, "request", "missing"),
        ("/view", {"score": {}}, "request", "holds no score"),
        ("/sessions/x/compose", {"task": "continue", "n": 99}, "value", "n must be in 1..64"),
        ("/sessions/x/compose", {"task": "continue", "n": 9}, "value", "n must be in 1..6"),
        ("/sessions/x/compose", {"task": "sing"}, "value", "task must be one of"),
        ("/sessions/x/compose", {"task": "continue", "nn": 1}, "request", "unknown field 'nn'"),
        ("/sessions/x/compose", {"task": "continue", "seed": "a"}, "request", "wrong kind"),
        ("/learning/start", {"minutes": 999}, "value", "minutes must be in"),
        ("/learning/start", {"minutes": "a"}, "request", "minutes is a number"),
    ],
)
def test_bad_requests_name_what_is_wrong(
    client: TestClient, path: str, data: Any, kind: str, message: str
) -> None:
    error = post(client, path, data, 400)
    assert kind in error["kind"]
    assert message in error["message"]


def test_a_mistake_in_a_theme_has_its_place(client: TestClient) -> None:
    assert post(client, "/theme", {"theme": "C4 D4 | E4 x"}, 400)["position"] == 12


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff", b'{"a":' * 100_000])
def test_a_body_that_is_no_object_is_refused(client: TestClient, body: bytes) -> None:
    headers = {"content-type": "application/json"}
    response = client.post("/api/v1/theme", content=body, headers=headers)
    assert response.status_code == 400
    assert response.json()["error"]["kind"] == "request"


def test_an_unknown_session_is_a_404(client: TestClient) -> None:
    assert post(client, "/sessions/nowhere/undo", {}, 404)["kind"] == "unknownsession"
    assert client.get("/api/v1/sessions/nowhere").status_code == 404


def test_a_vanished_model_is_named(client: TestClient, session: dict[str, Any]) -> None:
    order = {"task": "continue", "n": 1, "model": "learned-7"}
    text = client.post(f"/api/v1/sessions/{session['id']}/compose", json=order).text
    ((name, error),) = events(text)
    assert (name, error["kind"]) == ("error", "model")


def test_a_segment_has_an_address(client: TestClient) -> None:
    one, again = (client.get("/api/v1/forever/4/1").json() for _ in range(2))
    assert one == again
    assert len(one["plans"]) == 4
    assert one["copied_notes"] <= 15
    assert client.get("/s/4/1").headers["content-type"].startswith("text/html")
    assert client.get(f"/api/v1/forever/{10**12}/1").status_code == 400
    assert client.get("/api/v1/forever/4/x").status_code == 404
