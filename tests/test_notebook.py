"""How scores, candidates and explanations show themselves in notebooks."""

import base64
import re
import sys
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from seqmusic.formats.score_marks import ScoreMarks, TextMark
from seqmusic.formats.theme import parse_theme
from seqmusic.generation.completion import Candidate
from seqmusic.recognition.recognized_score import RecognizedScore
from seqmusic.recognition.recognizer import Recognition
from seqmusic.recognition.techniques.techniques import find_techniques
from seqmusic.report.explanation import Alternative, ExplainedEvent, Explanation
from seqmusic.score import Score
from seqmusic.transformation.tenor_checks import Check
from seqmusic.transformation.transform import Transformation

THEME = parse_theme("G4 A4 | B4 C5")


def test_a_score_is_a_picture_and_a_player() -> None:
    bundle = THEME._repr_mimebundle_()
    assert bundle["text/plain"] == repr(THEME)
    picture = re.search(r'src="data:image/svg\+xml;base64,([^"]+)"', bundle["text/html"])
    assert picture
    assert base64.b64decode(picture[1]).startswith(b"<svg")
    assert 'sandbox="allow-scripts"' in bundle["text/html"]
    assert '"notes":[[0,0,24,67],[0,24,48,69]' in unescape(bundle["text/html"])


def test_a_title_is_text(monkeypatch: pytest.MonkeyPatch) -> None:
    hostile = Score(THEME.voices, title='"><script>alert(1)</script>')
    assert "<script>" not in hostile._repr_mimebundle_()["text/html"]


def test_without_a_picture_there_is_text(monkeypatch: pytest.MonkeyPatch) -> None:
    assert set(Score(())._repr_mimebundle_()) == {"text/plain"}
    monkeypatch.setitem(sys.modules, "verovio", None)
    assert set(THEME._repr_mimebundle_(include=None, exclude=None)) == {"text/plain"}


def test_a_candidate_names_its_surprise() -> None:
    html = Candidate(THEME, 4, -4.0)._repr_mimebundle_()["text/html"]
    assert "4 composed notes and rests, 1.44 bits each" in html


def test_an_explanation_is_a_table_of_its_surprises() -> None:
    instead = (Alternative("Bb4", 24, 0.5, False),)
    events = (
        ExplainedEvent(0, 0, 24, 60, sound_bits=1.0),
        ExplainedEvent(1, 36, 24, 61, sound_bits=5.0, alternatives=instead),
        ExplainedEvent(0, 24, 24, None, is_given=True),
    )
    bundle = Explanation(events)._repr_mimebundle_()
    assert bundle["text/plain"] == "3.00 bits per note, 2 notes and rests"
    html = bundle["text/html"]
    rows = re.findall(r"<tr>(<td>.*?)</tr>", html)
    assert [re.findall("<td>(.*?)</td>", row) for row in rows] == [
        ["2", "2.5", "C#4", "5.0", "Bb4, 50%"],
        ["1", "1", "C4", "1.0", ""],
    ]


def test_the_player_plays(browser: Any, tmp_path: Path) -> None:
    frame = re.search(r'srcdoc="([^"]+)"', THEME._repr_mimebundle_()["text/html"])
    assert frame
    (tmp_path / "player.html").write_text(unescape(frame[1]), encoding="utf-8")
    page, errors = browser.new_page(), []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto((tmp_path / "player.html").as_uri())
    page.click("#play")
    page.wait_for_function("document.getElementById('play').textContent.includes('stop')")
    page.click("#play")
    page.wait_for_function("document.getElementById('play').textContent.includes('play')")
    page.close()
    assert errors == []


def test_a_motet_names_its_failed_checks() -> None:
    checks = (Check("color", True, ""), Check("final", False, ""))
    marks = ScoreMarks(texts=(TextMark(0, 0, "talea A"),))
    motet = Transformation(THEME, (), checks, marks, Candidate(THEME, 4, -4.0))
    bundle = motet._repr_mimebundle_()
    assert "2 checks; failed: final" in bundle["text/html"]
    picture = re.search(r"base64,([^\"]+)", bundle["text/html"])
    assert picture
    assert b"talea A" in base64.b64decode(picture[1])


def test_a_recognition_shows_its_answer() -> None:
    recognition = Recognition({"chorale": 0.8, "motet": 0.2}, "sure", ("chorale",), 0.8, 4, 1)
    found = RecognizedScore(THEME, ("Soprano",), recognition, (), (), (), find_techniques(THEME))
    assert "chorale, 80% (4 notes, 1 voice)" in found._repr_mimebundle_()["text/html"]
