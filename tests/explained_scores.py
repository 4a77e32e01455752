"""A small score with a made-up explanation, and its page."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from seqmusic.report.explanation import Alternative, ExplainedEvent, Explanation
from seqmusic.report.score_page import write_score_page
from seqmusic.score import SATB, Key, Note, Score, TimeSignature, Voice

LINES = ((72, 74, 76, 77), (65, 65, 67, 65), (57, 58, 60, 57), (41, 46, 36, 41))
# In 3/4 a pickup of a quarter, then three halves, of which the second is tied over a bar line: four
# notes a voice, in bars 0 to 2.
ONSETS = ((0, 24), (24, 48), (72, 48), (120, 48))


def _voice(name: str, pitches: tuple[int, ...]) -> Voice:
    timed = zip(ONSETS, pitches, strict=True)
    return Voice(name, tuple(Note(onset, length, pitch) for (onset, length), pitch in timed))


CHOIR = Score(
    tuple(_voice(name, line) for name, line in zip(SATB, LINES, strict=True)),
    ((0, TimeSignature(3, 4)),),
    pickup_ticks=24,
    key=Key(-1, "major"),
    tempo_bpm=240,  # seven quarters in less than two seconds
)
HOSTILE_HTML = "<script>window.owned = 1</script><img src=x onerror='window.owned = 1'>"


@dataclass(frozen=True)
class SharedPassage:
    title: str = "O Welt & <b>"
    onset_ticks: int = 24
    n_notes: int = 12
    beats: float = 4.5
    semitones: int = -2
    bars: tuple[int, int] | None = (1, 2)
    work_bars: tuple[int, int] | None = (9, 10)


def explanation_of(score: Score) -> Explanation:
    """An explanation in which the soprano is given.

    The bits of the other notes rise within their voice. Each is the second likeliest; the last of
    each voice is not among the likeliest.
    """
    events = [
        _explained(v, i, note)
        for v, voice in enumerate(score.voices)
        for i, note in enumerate(voice.notes)
    ]
    return Explanation(tuple(sorted(events, key=lambda event: (event.onset_ticks, event.voice))))


def _explained(voice: int, index: int, note: Note) -> ExplainedEvent:
    where = (voice, note.onset_ticks, note.duration_ticks, note.pitch)
    if voice == 0:
        return ExplainedEvent(*where, is_given=True)
    alternatives = (Alternative("Bb3", 36, 0.4 / n, n == 2 and index < 3) for n in range(1, 6))
    return ExplainedEvent(
        *where, sound_bits=2.0 * index, duration_bits=0.5, alternatives=tuple(alternatives)
    )


def hostile_choir() -> Score:
    """The choir with HTML for the names of its voices."""
    return replace(CHOIR, voices=tuple(replace(voice, name=HOSTILE_HTML) for voice in CHOIR.voices))


def page_text(folder: Path, score: Score = CHOIR, title: str = "A choir", **settings: Any) -> str:
    """The text of the page of a score, which is written to page.html."""
    path = folder / "page.html"
    write_score_page(path, score, explanation_of(score), title=title, **settings)
    return path.read_text(encoding="utf-8")
