"""One HTML page of a piece that was built after a plan: sentences, checks and the score."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path

from seqmusic.atomic_files import write_atomic
from seqmusic.report.html_page import html_page
from seqmusic.score import Score

_RESULTS = {True: ("passed", "passed"), False: ("failed", "FAILED"), None: ("reported", "reported")}


def write_construction_page(
    path: Path,
    score: Score,
    pictures: Sequence[str],
    sentences: Iterable[str],
    checks: Iterable[tuple[str, bool | None, str]],
    drawing: str = "",
) -> Path:
    """Write the page and return its path; it opens offline, and plays the score.

    Args:
        path: of the page.
        score: what it plays.
        pictures: pages of the engraved score, an SVG text each.
        sentences: what was done.
        checks: name of each item, whether it passed (None if it is only reported), and a sentence.
        drawing: another SVG text of the construction; "" for none.
    """
    notes = [
        [index, note.pitch, note.onset_ticks, note.end_ticks]
        for index, voice in enumerate(score.voices)
        for note in voice.notes
    ]
    data = {
        "notes": notes,
        "secondsPerTick": score.seconds_per_tick,
        "voiceCount": len(score.voices),
    }
    parts = {
        "title": escape(score.title),
        "sentences": "\n".join(f"<p>{escape(sentence)}</p>" for sentence in sentences),
        "checks": "\n".join(_row(*check) for check in checks),
        "drawing": f"<section><h2>The construction</h2>{drawing}</section>" if drawing else "",
        "score": "\n".join(pictures),
    }
    return write_atomic(path, html_page("construction", data, parts))


def _row(name: str, passed: bool | None, text: str) -> str:
    kind, result = _RESULTS[passed]
    shown = escape(name.replace("_", " "))
    return f'<tr><td>{shown}</td><td class="{kind}">{result}</td><td>{escape(text)}</td></tr>'
