"""The page that explains an answer: probabilities, the passages that decide, techniques."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from html import escape
from pathlib import Path

from seqmusic.atomic_files import write_atomic
from seqmusic.errors import FormatError
from seqmusic.formats.image import score_svg
from seqmusic.recognition.reasons import Reason
from seqmusic.recognition.recognized_score import RecognizedScore, answer_text, shown_bars
from seqmusic.recognition.techniques.sentences import sentences
from seqmusic.report.html_page import static_page
from seqmusic.report.isorhythm_picture import isorhythm_svg
from seqmusic.score import Note, Score

FOR_COLOR, AGAINST_COLOR = "#1a7f37", "#c62828"
MAX_BARS = 60
MAX_MEASURES = 400  # bars times voices
MAX_VOICES = 8  # of a score with more, only the voices that were read are drawn
MIN_PROBABILITY = 0.005


def write_recognition_page(found: RecognizedScore, path: Path, title: str) -> Path:
    """Write the page, which loads nothing and runs no script, and return its path.

    Args:
        found: the answer.
        path: where to; an existing file is replaced.
        title: any text.

    Raises:
        MissingExtraError: verovio is not installed.
        FormatError: the file cannot be written.
    """
    score_note, pages = _engraving(found)
    probabilities = found.recognition.probabilities
    parts = {
        "title": escape(title),
        "answer": escape(answer_text(found)),
        "details": escape(_voices_text(found)),
        "likeliest": escape(next(iter(probabilities))),
        "color_for": FOR_COLOR,
        "color_against": AGAINST_COLOR,
        "probabilities": "\n".join(_probability_rows(probabilities)),
        "reasons": "\n".join(_reason_rows(found)),
        "score_note": escape(score_note),
        "score": "\n".join(pages),
        "nearest": escape(", ".join(work.title for work in found.nearest)),
        "techniques": _technique_list(sentences(found.score, found.techniques)),
        "pictures": "\n".join(_isorhythm_pictures(found)),
    }
    return write_atomic(path, static_page("recognition", parts).encode("utf-8", errors="replace"))


def _probability_rows(probabilities: dict[str, float]) -> Iterator[str]:
    shown = [(name, p) for name, p in probabilities.items() if p >= MIN_PROBABILITY]
    for name, probability in shown:
        bar = f'<span class="bar" style="width: calc({probability:.3f} * var(--bar))"></span>'
        yield f"<tr><td>{escape(name)}</td><td>{probability:.1%}</td><td>{bar}</td></tr>"
    if len(shown) < len(probabilities):
        rest = sum(probabilities.values()) - sum(p for _, p in shown)
        others = f"{len(probabilities) - len(shown)} others"
        yield f"<tr><td>{others}</td><td>{rest:.1%}</td><td></td></tr>"


def _voices_text(found: RecognizedScore) -> str:
    others = [v.name for v in found.score.voices if v.notes and v.name not in found.voices]
    left_out = f"; not read for the class: {', '.join(others)}" if others else ""
    return f"Voices read: {', '.join(found.voices)}{left_out}."


def _reason_rows(found: RecognizedScore) -> Iterator[str]:
    for name, reasons in (("for", found.reasons_for), ("against", found.reasons_against)):
        for reason in reasons:
            cells = (
                f'<span class="{name}">{name}</span>',
                escape(reason.text),
                f"{reason.weight:+.2f}",
                str(len(reason.occurrences)),
                escape(shown_bars(reason, found.score)),
            )
            yield f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def _isorhythm_pictures(found: RecognizedScore) -> Iterator[str]:
    for one in found.techniques.isorhythms:
        name = escape(found.score.voices[one.voice].name)
        yield f'<h2>Isorhythm of {name}</h2><div class="scrolls">'
        yield f"{isorhythm_svg(found.score, one)}</div>"


def _technique_list(texts: Sequence[str]) -> str:
    if not texts:
        return "<p>None was found.</p>"
    return f"<ul>{''.join(f'<li>{escape(text)}</li>' for text in texts)}</ul>"


def _engraving(found: RecognizedScore) -> tuple[str, list[str]]:
    """A note for the reader, and the pages of the engraved score."""
    score, bars = found.score, found.score.bars()
    note = "Notes in green belong to a figure for the answer, notes in red to one against it."
    drawn = list(range(len(score.voices)))
    if len(drawn) > MAX_VOICES:
        drawn = [i for i in drawn if score.voices[i].name in found.voices]
        score = replace(score, voices=tuple(score.voices[i] for i in drawn))
        note = f"{note} Voices that were not read are left out."
    n_bars = min(MAX_BARS, MAX_MEASURES // len(drawn))
    if len(bars) > n_bars:
        score = score.sliced(0, bars[n_bars].onset_ticks)
        note = f"{note} The first {n_bars} bars are shown."
    marks = _marked_notes(found)

    def color(voice: int, note: Note) -> str | None:
        return marks.get((drawn[voice], note.onset_ticks))

    try:
        return note, score_svg(score, color)
    except FormatError as error:
        return f"The score cannot be drawn: {error}", []


def _marked_notes(found: RecognizedScore) -> dict[tuple[int, int], str]:
    """The color of each marked note, by its voice and onset; what speaks for the answer wins."""
    marks = _marks(found.score, found.reasons_against, AGAINST_COLOR)
    return marks | _marks(found.score, found.reasons_for, FOR_COLOR)


def _marks(score: Score, reasons: Sequence[Reason], color: str) -> dict[tuple[int, int], str]:
    return {
        (one.voice, note.onset_ticks): color
        for reason in reasons
        for one in reason.occurrences
        for note in score.voices[one.voice].notes
        if one.first_tick <= note.onset_ticks < one.end_ticks
    }
