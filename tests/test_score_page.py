"""The text of the page that explains a score."""

import base64
import hashlib
import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from explained_scores import HOSTILE_HTML, SharedPassage, hostile_choir, page_text

from seqmusic.errors import FormatError, MissingExtraError
from seqmusic.report.explanation import Explanation
from seqmusic.report.score_page import write_score_page
from seqmusic.score import Score, Voice


def embedded_json(text: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    assert found
    data: dict[str, Any] = json.loads(found[1])
    return data


def test_the_page_holds_all_it_needs_and_lets_nothing_else_in(tmp_path: Path) -> None:
    text = page_text(tmp_path)
    assert not re.findall(r'(?:href|src|srcset|action|data)="(?!#)|url\(|@import', text)
    assert set(re.findall(r"https?://[\w./]+", text)) <= {
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1999/xlink",
    }
    (script,) = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode()
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)
    assert policy
    assert f"default-src 'none'; script-src 'sha256-{digest}';" in policy[1]
    ids = re.findall(r'\sid="([^"]+)"', text)
    assert len(ids) == len(set(ids))


def test_text_from_outside_is_only_text(tmp_path: Path) -> None:
    text = page_text(
        tmp_path,
        hostile_choir(),
        HOSTILE_HTML + "\udcff",
        settings={HOSTILE_HTML: HOSTILE_HTML},
        shared=SharedPassage(title=HOSTILE_HTML),
        min_shared_notes=2,
    )
    assert "<script>window" not in text
    assert "<img" not in text
    assert text.count("&lt;script&gt;window.owned = 1&lt;/script&gt;") >= 10
    assert embedded_json(text)["events"][0]["location"].startswith(HOSTILE_HTML)


def test_the_player_gets_what_is_written(tmp_path: Path) -> None:
    data = embedded_json(page_text(tmp_path))
    assert (data["secondsPerTick"], data["endTick"], data["voiceCount"]) == (60 / 240 / 24, 168, 4)
    assert data["bars"] == [[0, 0], [24, 1], [96, 2]]
    soprano, alto = data["events"][0], data["events"][13]
    assert (soprano["name"], soprano["surprise"]) == ("C5 quarter", "Given")
    assert soprano["location"] == "Soprano, pickup, beat 3"
    assert (alto["name"], alto["location"]) == ("F4 half", "Alto, bar 2, beat 2")
    assert alto["surprise"] == "6.5 bits (pitch 6.0, length 0.5)"
    assert alto["alternatives"][0] == ["B♭3 dotted quarter", 0.4, "40%", False]
    unlikely = ["F4 half", 0.011, "1.1%", True]
    assert alto["alternatives"][5] == unlikely, "what is written comes last if it is not likely"
    is_written = [alternative[3] for alternative in data["events"][1]["alternatives"]]
    assert is_written == [False, True, False, False, False]


def test_the_page_shows_what_is_shared(tmp_path: Path) -> None:
    heading = "Longest passage shared with a training work"
    assert heading not in page_text(tmp_path)
    assert "There is none of 8 notes or more." in page_text(tmp_path, min_shared_notes=8)
    too_short = page_text(tmp_path, shared=SharedPassage(), min_shared_notes=13)
    assert "There is none of 13 notes or more." in too_short
    text = page_text(tmp_path, shared=SharedPassage(), min_shared_notes=8)
    assert (
        "12 notes (4.5 quarters) are those of <strong>O Welt &amp; &lt;b&gt;</strong>, bars 9–10, "
        "2 semitones lower than there."
    ) in text
    assert '<button data-play="24">Play them, bars 1–2</button>' in text
    untransposed = SharedPassage(semitones=0, bars=None, work_bars=(3, 3))
    text = page_text(tmp_path, shared=untransposed, min_shared_notes=8)
    assert "</strong>, bar 3. " in text
    assert ">Play them</button>" in text


def test_the_page_shows_all_surprise_and_the_settings(tmp_path: Path) -> None:
    text = page_text(tmp_path, settings={"seed": 7, "temperature": 0.9})
    choices = "as if each had been chosen among 11 equally likely ones"  # 2 ** 3.5
    assert f"<strong>3.5 bits per note</strong>, {choices}" in text
    assert "12 composed notes and rests, 4 given notes; 42 bits in all" in text
    shown = {"key": "F major", "time signature": "3/4", "seed": 7, "temperature": 0.9}
    assert "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in shown.items()) in text
    rows = re.findall(r"<tr><td>(.*?)</tr>", text)
    assert len(rows) == 8
    assert "Play from bar 2, beat 2" in rows[0]
    assert ">6.5</td><td>1 in 91</td><td>B♭3 dotted quarter, 40%</td>" in rows[0]


def test_what_cannot_be_shown_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    silent = Score((Voice("Soprano", ()),))
    with pytest.raises(FormatError, match="needs a note, this score has none"):
        write_score_page(tmp_path / "page.html", silent, Explanation(()), title="Silence")
    monkeypatch.setitem(sys.modules, "verovio", None)
    remedy = r"pictures need verovio; .* pip install 'seqmusic\[score\]'"
    with pytest.raises(MissingExtraError, match=remedy):
        page_text(tmp_path)
    assert not list(tmp_path.iterdir())
