"""One HTML page of a score and how surprising it is to a model: to read, to play and to print."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from pathlib import Path
from typing import Protocol

from seqmusic.atomic_files import write_atomic
from seqmusic.formats.measures import printed_bars
from seqmusic.report.explanation import ExplainedEvent, Explanation
from seqmusic.report.html_page import html_page
from seqmusic.report.labels import (
    alternative_name,
    event_name,
    n_choices_text,
    odds_text,
    percent_text,
    position_name,
    with_count,
)
from seqmusic.report.shading import MAX_BITS, shaded_svg, surprise_color
from seqmusic.score import Bar, Score
from seqmusic.spelling import VoiceSpelling, spell_notes
from seqmusic.tonality import key_name

# Width and most height of the two engravings. A sheet of paper holds two pages of the wide one.
WIDE_PX, NARROW_PX = (1000, 700), (340, 3000)
N_SURPRISES = 8
_LEGEND = {0: "expected", 2: "1 in 4", 4: "1 in 16", 6: "1 in 64", MAX_BITS: "1 in 256 or less"}


class SharedPassage(Protocol):
    """A passage that the score shares with a work, such as `metrics.originality.CopiedPassage`."""

    @property
    def title(self) -> str: ...  # of the work
    @property
    def onset_ticks(self) -> int: ...  # in the score
    @property
    def n_notes(self) -> int: ...
    @property
    def beats(self) -> float: ...  # quarter notes
    @property
    def semitones(self) -> int: ...  # by which the score is higher than the work
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
        score: what is shown; it is played at its tempo, or at 80 quarters a minute.
        explanation: of that score.
        title: any text.
        settings: how the score was made, by name.
        shared: the longest passage that a training work has too; one shorter than
            `min_shared_notes` is not shown.
        min_shared_notes: how many notes a passage needs to be shown; None where no passage was
            searched for.

    Raises:
        MissingExtraError: verovio is not installed.
        FormatError: the score has no note or more than 200 bars, or the file cannot be written.
    """
    bars, spellings = printed_bars(score), spell_notes(score)
    parts = {
        "title": escape(title),
        "summary": _summary(explanation),
        "legend": _legend(),
        "wide": "\n".join(shaded_svg(score, explanation, WIDE_PX, "wide")),
        "narrow": "\n".join(shaded_svg(score, explanation, NARROW_PX, "narrow")),
        "surprises": _surprise_rows(score, explanation, bars, spellings),
        "shared": _shared_section(shared, min_shared_notes),
        "settings": _settings_section(score, settings or {}),
    }
    text = html_page("score_page", _player_data(score, explanation, bars, spellings), parts)
    return write_atomic(Path(path), text.encode("utf-8", errors="replace"))


def _summary(explanation: Explanation) -> str:
    n_composed = len(explanation.composed)
    n_given = len(explanation.events) - n_composed
    given = f", {with_count(n_given, 'given note')}" if n_given else ""
    bits = explanation.bits_per_note
    return (
        f"<p><strong>{bits:.1f} bits per note</strong>, as if each had been chosen among "
        f"{n_choices_text(bits)} equally likely ones. "
        f"{n_composed} composed notes and rests{given}; {explanation.bits:.0f} bits in all.</p>"
    )


def _legend() -> str:
    items = []
    for bits, text in _LEGEND.items():
        disc = f'<circle class="disc" r="{7 + bits / 2}" fill="{surprise_color(bits)}" />'
        head = '<ellipse rx="4.6" ry="3.4" transform="rotate(-20)" />'
        more = "+" if bits == MAX_BITS else ""
        svg = f'<svg viewBox="-12 -12 24 24">{disc}{head}</svg>'
        items.append(f"<li>{svg}<b>{bits}{more}</b> {text}</li>")
    return "".join(items)


def _surprise_rows(
    score: Score, explanation: Explanation, bars: list[Bar], spellings: list[VoiceSpelling]
) -> str:
    rows = []
    for event in sorted(explanation.composed, key=lambda event: -event.bits)[:N_SURPRISES]:
        likeliest = ""
        if event.alternatives:
            first = event.alternatives[0]
            likeliest = f"{alternative_name(first)}, {percent_text(first.probability)}"
        where = position_name(bars, event.onset_ticks)
        button = f'<button data-play="{event.onset_ticks}" aria-label="Play from {where}">'
        dot = f'<span class="dot" style="background: {surprise_color(event.bits)}"></span>'
        cells = (
            f"{button}{where}</button>",
            escape(score.voices[event.voice].name),
            event_name(event, spellings),
            f"{dot}{event.bits:.1f}",
            odds_text(event.bits),
            likeliest,
        )
        rows.append(f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>")
    return "\n".join(rows)


def _shared_section(shared: SharedPassage | None, min_notes: int | None) -> str:
    if min_notes is None:
        return ""
    text = f"There is none of {with_count(min_notes, 'note')} or more."
    if shared is not None and shared.n_notes >= min_notes:
        text = _shared_passage_text(shared)
    heading = "Longest passage shared with a training work"
    return f"<section><h2>{heading}</h2>\n<p>{text}</p></section>"


def _shared_passage_text(shared: SharedPassage) -> str:
    transposed = ""
    if shared.semitones:
        direction = "higher" if shared.semitones > 0 else "lower"
        transposed = f", {with_count(abs(shared.semitones), 'semitone')} {direction} than there"
    return (
        f"{with_count(shared.n_notes, 'note')} ({shared.beats:g} quarters) are those of "
        f"<strong>{escape(shared.title)}</strong>{_bars_text(shared.work_bars)}{transposed}. "
        f'<button data-play="{shared.onset_ticks}">Play them{_bars_text(shared.bars)}</button>'
    )


def _bars_text(bars: tuple[int, int] | None) -> str:
    if bars is None:
        return ""
    return f", bar {bars[0]}" if bars[0] == bars[1] else f", bars {bars[0]}–{bars[1]}"


def _settings_section(score: Score, settings: Mapping[str, object]) -> str:
    shown: dict[str, object] = {}
    if score.key:
        shown["key"] = key_name(score.key)
    if score.time_signatures:
        shown["time signature"] = score.time_signatures[0][1]
    shown |= settings
    if not shown:
        return ""
    rows = "".join(
        f"<dt>{escape(str(name))}</dt><dd>{escape(str(value))}</dd>"
        for name, value in shown.items()
    )
    return f"<section><h2>How it was made</h2>\n<dl>{rows}</dl></section>"


def _player_data(
    score: Score, explanation: Explanation, bars: list[Bar], spellings: list[VoiceSpelling]
) -> dict[str, object]:
    """What the script of the page reads; ticks as in the score, texts ready to be shown."""
    return {
        "secondsPerTick": score.seconds_per_tick,
        "endTick": score.end_ticks,
        "voiceCount": len(score.voices),
        "bars": [[bar.onset_ticks, bar.number] for bar in bars],
        "events": [_event_data(event, score, bars, spellings) for event in explanation.events],
    }


def _event_data(
    event: ExplainedEvent, score: Score, bars: list[Bar], spellings: list[VoiceSpelling]
) -> dict[str, object]:
    name = event_name(event, spellings)
    where = position_name(bars, event.onset_ticks)
    return {
        "voice": event.voice,
        "onset": event.onset_ticks,
        "duration": event.duration_ticks,
        "pitch": event.pitch,
        "name": name,
        "location": f"{score.voices[event.voice].name}, {where}",
        "surprise": _surprise_text(event),
        "alternatives": list(_alternatives(event, name)),
    }


def _surprise_text(event: ExplainedEvent) -> str:
    if event.is_given:
        return "Given"
    sound = f"{'rest' if event.pitch is None else 'pitch'} {event.sound_bits:.1f}"
    return f"{event.bits:.1f} bits ({sound}, length {event.duration_bits:.1f})"


def _alternatives(event: ExplainedEvent, name: str) -> Iterator[tuple[str, float, str, bool]]:
    """Name, probability (0..1 and in words), and whether it is written.

    What is written comes last where it is not likely.
    """
    for alternative in event.alternatives:
        probability = alternative.probability
        yield (
            alternative_name(alternative),
            round(probability, 4),
            percent_text(probability),
            alternative.is_written,
        )
    if not event.is_given and not any(one.is_written for one in event.alternatives):
        probability = 2**-event.bits
        yield name, round(probability, 4), percent_text(probability), True
