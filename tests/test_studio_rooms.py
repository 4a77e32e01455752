"""The tabs of recognizing, motets, comparing and learning, in a browser and as requests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from studio_pages import text_of, wait_until
from studio_requests import events, post, studio_client
from test_recognition import labeled_works

from seqmusic.alignment.preferences import PREFERENCES_FILE, read_preferences
from seqmusic.formats.theme import parse_theme
from seqmusic.recognition.assembly import train_recognizer
from seqmusic.recognition.techniques.sentences import techniques_to_data
from seqmusic.recognition.techniques.techniques import find_techniques
from seqmusic.score_data import score_to_data
from seqmusic.studio.routes import recognition

TUNE = "D4 E4 F4 G4 | A4 G4 F4 E4 | F4 D4 E4 D4"


def test_a_score_is_recognized_with_reasons(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    works = labeled_works()
    recognizer = train_recognizer(works)
    monkeypatch.setattr(recognition, "included_recognizer", lambda: recognizer)
    with studio_client(tmp_path) as client:
        found = post(client, "/recognize", {"score": score_to_data(works[0].score)})
    assert set(found["probabilities"]) == {"leaps", "steps"}
    assert found["outcome"] in ("sure", "not sure", "none of these")
    assert found["for"][0]["weight"] > 0


def test_without_a_recognizer_there_are_techniques(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recognition, "included_recognizer", lambda: None)
    ground = "C3 D3 E3 C3 | F3 E3 D3 G2 | " * 5
    score = parse_theme([f"{'R:1 | ' * 9} C5:1", ground])
    with studio_client(tmp_path) as client:
        found = post(client, "/recognize", {"score": score_to_data(score)})
        assert found["outcome"] == ""
        (technique, *_) = found["techniques"]
        assert technique.pop("french").startswith("Polyphonie : à")
        assert technique == techniques_to_data(score, find_techniques(score))[0]
        assert post(client, "/recognize", {"score": 3}, 400)["kind"] == "request"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"talea": "nothing-known"}, "there is no talea"),
        ({"voices": 9}, "3 or 4 voices"),
        ({"n": 9}, "n must be in 1..3"),
        ({"n": "x"}, "whole numbers"),
        ({"hocket": True, "introitus": "a"}, "wrong kind"),
    ],
)
def test_a_motet_that_cannot_be_is_refused(
    tmp_path: Path, settings: dict[str, Any], message: str
) -> None:
    with studio_client(tmp_path) as client:
        data = {"score": score_to_data(parse_theme(TUNE)), **settings}
        response = client.post("/api/v1/motet", json=data)
        if response.status_code == 200:  # refused by the plan, which is made in the stream
            ((name, error),) = events(response.text)
            assert name == "error"
        else:
            error = response.json()["error"]
    assert message in error["message"]


def test_a_motet_in_the_browser(open_studio: Any) -> None:
    page = open_studio()
    page.fill("#theme", TUNE)
    wait_until(page, "document.querySelectorAll('#desk-score [data-note]').length === 12")
    page.click("#tab-motet")
    page.select_option("#motet-voices", "3")
    page.click("#motet-do")
    wait_until(page, "document.querySelectorAll('.tenor-lines rect').length === 36")
    wait_until(page, "document.querySelectorAll('#motets .sheet > div > svg').length === 1", 60)
    assert page.locator("#motets .sheet text", has_text="talea A").count() == 1
    assert page.locator("#motets .choose").count() == 1
    checks = page.locator("#motets table td:nth-child(2)").all_inner_texts()
    assert "✓ holds" in checks
    page.click("#play")
    wait_until(page, "document.querySelectorAll('#motets .sounding').length > 0")
    page.click("#stop")


def test_recognizing_in_the_browser(open_studio: Any) -> None:
    page = open_studio()
    page.click("#tab-recognize")
    wait_until(page, "document.querySelectorAll('#recognize-answer h2').length > 0", 40)
    assert page.locator("#recognize-answer h2").last.inner_text() == "Techniques"
    assert page.locator("#recognize-score [data-note]").count() == 6


def test_comparing_in_the_browser(open_studio: Any, studio_folder: Path) -> None:
    page = open_studio()
    page.click("#tab-judge")
    page.click("#judge-begin")
    drawn = "document.querySelectorAll('#judge-pair .sheet > div > svg').length === 2"
    wait_until(page, drawn, 60)
    wait_until(page, "!document.getElementById('judge-B').disabled", 60)
    assert page.locator("#judge-score-a .given").count() > 0
    page.keyboard.press("b")
    wait_until(page, "document.querySelectorAll('#judge-score-b .sounding').length > 0")
    page.click("#judge-B")
    wait_until(page, f"{text_of('#judge-state')} === 'Answers so far: 1'", 60)
    (answer,) = read_preferences(studio_folder / PREFERENCES_FILE)
    assert (answer.choice, answer.person) == ("B", "studio")
    assert "9 more answers" in page.inner_text("#judge-summary")


def test_an_answer_that_was_not_drawn_is_refused(tmp_path: Path) -> None:
    with studio_client(tmp_path) as client:
        answer = {"head": "x", "seed_a": 1, "seed_b": 2, "choice": "A"}
        assert "compared last" in post(client, "/comparisons/answer", answer, 400)["message"]
        assert "has head" in post(client, "/comparisons/answer", {}, 400)["message"]


def test_learning_in_the_browser(open_studio: Any) -> None:
    page = open_studio("/#learn")
    page.evaluate("document.querySelector('#minutes').innerHTML = '<option>0.01</option>'")
    page.click("#learn-start")
    wait_until(page, f"{text_of('#learn-state')}.startsWith('Done.')", 90)
    assert page.locator("#learn-curve circle").count() >= 1
    assert page.locator("#learn-numbers tbody tr").count() > 0
    page.click("#learn-use")
    assert page.input_value("#model") == "learned-1"
    page.click("#compose")
    wait_until(page, "document.querySelectorAll('.alternative').length > 0")
