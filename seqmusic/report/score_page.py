"""One self-contained HTML page of a score and what a model thought of it: to be looked at, listened to and printed, also offline.

Nothing in it comes from elsewhere, its policy forbids the browser to ask for anything, and no script but its own may run.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape
from pathlib import Path
from typing import Protocol

from seqmusic.atomic_files import write_atomic
from seqmusic.formats.measures import printed_bars
from seqmusic.report.explanation import ExplainedEvent, Explanation
from seqmusic.report.html_page import html_page, seconds_per_tick
from seqmusic.report.labels import (
    alternative_name,
    n_choices_text,
    note_name,
    odds_text,
    percent_text,
    position_name,
    with_count,
)
from seqmusic.report.shading import MAX_BITS, shaded_svg, surprise_color
from seqmusic.score import Score
from seqmusic.tonality import infer_key, key_name

WIDE_PX, NARROW_PX = (
    (1000, 700),
    (340, 3000),
)  # width and most height of the two engravings; two wide ones fit a sheet of paper
N_SURPRISES = 8


class SharedPassage(Protocol):
    """A passage that the score shares with a work: `evaluation.originality.CopiedPassage` is one."""

    @property
    def title(self) -> str: ...  # of the work
    @property
    def onset_ticks(self) -> int: ...  # in the score
    @property
    def n_notes(self) -> int: ...
    @property
    def beats(self) -> float: ...  # quarters
    @property
    def semitones(self) -> int: ...  # the work moved by so much sounds like the score
    @property
    def bars(self) -> tuple[int, int] | None: ...  # first and last in the score, as printed
    @property
    def work_bars(self) -> tuple[int, int] | None: ...


def write_score_page(
    path: Path | str,
    score: Score,
    explanation: Explanation,
    *,
    title: str,
    settings: Mapping[str, object] | None = None,
    shared: SharedPassage | None = None,
    min_shared_notes: int | None = None,
) -> Path:
    """Write the page and return its path.

    Args:
        path: where to; an existing file is replaced.
        score: what is shown; it is played at its own tempo, or at 80 quarters a minute.
        explanation: of that score.
        title: for people; any text.
        settings: what the score was made with, by name.
        shared: the longest passage that a training work has too; one shorter than `min_shared_notes` is not shown.
        min_shared_notes: how many notes a passage must have to be told of; None where nobody looked for one.

    Raises:
        MissingExtraError: verovio is not installed.
        FormatError: the score has no note or more than 200 bars, or the file cannot be written.
    """
    parts = {
        "title": escape(title),
        "summary": _summary(score, explanation),
        "legend": _legend(),
        "wide": "\n".join(shaded_svg(score, explanation, WIDE_PX, "wide")),
        "narrow": "\n".join(shaded_svg(score, explanation, NARROW_PX, "narrow")),
        "surprises": _surprise_rows(score, explanation),
        "shared": _shared_section(shared, min_shared_notes),
        "settings": _settings_section(score, settings or {}),
    }
    text = html_page("score_page", _player_data(score, explanation), parts)
    return write_atomic(Path(path), text.encode("utf-8", errors="replace"))


def _summary(score: Score, explanation: Explanation) -> str:
    n_composed = len(explanation.composed)
    n_given = len(explanation.events) - n_composed
    given = f", {with_count(n_given, 'given note')}" if n_given else ""
    bits = explanation.bits_per_note
    return (
        f"<p><strong>{bits:.1f} bits a note</strong>, as if each had been chosen among {n_choices_text(bits)} equally likely ones. "
        f"{n_composed} composed notes and rests{given}; {explanation.bits:.0f} bits in all.</p>"
    )


def _legend() -> str:
    words = {0: "expected", 2: "1 in 4", 4: "1 in 16", 6: "1 in 64", MAX_BITS: "1 in 256 or less"}
    items = [
        f'<li><svg viewBox="-12 -12 24 24"><circle class="disc" r="{7 + bits / 2}" fill="{surprise_color(bits)}" />'
        f'<ellipse rx="4.6" ry="3.4" transform="rotate(-20)" /></svg><b>{bits}{"+" * (bits == MAX_BITS)}</b> {text}</li>'
        for bits, text in words.items()
    ]
    return "".join(items)


def _surprise_rows(score: Score, explanation: Explanation) -> str:
    bars, key = printed_bars(score), score.key or infer_key(score)
    rows = []
    for event in sorted(explanation.composed, key=lambda event: -event.bits)[:N_SURPRISES]:
        likeliest = event.alternatives[0] if event.alternatives else None
        expected = (
            f"{alternative_name(likeliest)}, {percent_text(likeliest.probability)}"
            if likeliest
            else ""
        )
        place = position_name(bars, event.onset_ticks)
        cells = (
            f'<button data-play="{event.onset_ticks}" aria-label="Play from {place}">{place}</button>',
            escape(score.voices[event.voice].name),
            note_name(event, key),
            f'<span class="dot" style="background: {surprise_color(event.bits)}"></span>{event.bits:.1f}',
            odds_text(event.bits),
            expected,
        )
        rows.append(f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>")
    return "\n".join(rows)


def _shared_section(shared: SharedPassage | None, shortest: int | None) -> str:
    if shortest is None:
        return ""
    if shared is None or shared.n_notes < shortest:
        text = f"There is none of {with_count(shortest, 'note')} or more."
    else:
        moved = f", {with_count(abs(shared.semitones), 'semitone')} {'higher' if shared.semitones > 0 else 'lower'} than there"
        text = (
            f"{with_count(shared.n_notes, 'note')} ({shared.beats:g} quarters) are those of <strong>{escape(shared.title)}</strong>"
            f"{_bars_text(shared.work_bars)}{moved if shared.semitones else ''}. "
            f'<button data-play="{shared.onset_ticks}">Play them{_bars_text(shared.bars)}</button>'
        )
    return f"<section><h2>Longest passage shared with a training work</h2>\n<p>{text}</p></section>"


def _bars_text(bars: tuple[int, int] | None) -> str:
    if bars is None:
        return ""
    return f", bar {bars[0]}" if bars[0] == bars[1] else f", bars {bars[0]}–{bars[1]}"


def _settings_section(score: Score, settings: Mapping[str, object]) -> str:
    known: dict[str, object] = {"key": key_name(score.key)} if score.key else {}
    known |= {"time signature": score.time_signatures[0][1]} if score.time_signatures else {}
    rows = (
        f"<dt>{escape(str(name))}</dt><dd>{escape(str(value))}</dd>"
        for name, value in (known | dict(settings)).items()
    )
    return (
        f"<section><h2>How it was made</h2>\n<dl>{''.join(rows)}</dl></section>"
        if known or settings
        else ""
    )


def _player_data(score: Score, explanation: Explanation) -> dict[str, object]:
    """What the script of the page reads; ticks as in the score, texts ready to be shown."""
    bars, key = printed_bars(score), score.key or infer_key(score)
    return {
        "secondsPerTick": seconds_per_tick(score),
        "endTick": score.end_ticks,
        "voiceCount": len(score.voices),
        "bars": [[bar.onset_ticks, bar.number] for bar in bars],
        "events": [
            {
                "voice": event.voice,
                "onset": event.onset_ticks,
                "duration": event.duration_ticks,
                "pitch": event.pitch,
                "name": note_name(event, key),
                "place": f"{score.voices[event.voice].name}, {position_name(bars, event.onset_ticks)}",
                "surprise": "Given" if event.is_given else _surprise(event),
                "alternatives": list(_alternatives(event, note_name(event, key))),
            }
            for event in explanation.events
        ],
    }


def _surprise(event: ExplainedEvent) -> str:
    what = "rest" if event.pitch is None else "pitch"
    return (
        f"{event.bits:.1f} bits ({what} {event.sound_bits:.1f}, length {event.duration_bits:.1f})"
    )


def _alternatives(event: ExplainedEvent, written: str) -> Iterable[tuple[str, float, str, bool]]:
    """Name, probability (0..1 and in words), and whether it is written; what is written comes last where it is not likely."""
    for one in event.alternatives:
        yield (
            alternative_name(one),
            round(one.probability, 4),
            percent_text(one.probability),
            one.is_written,
        )
    if not event.is_given and not any(one.is_written for one in event.alternatives):
        yield written, round(2**-event.bits, 4), percent_text(2**-event.bits), True
