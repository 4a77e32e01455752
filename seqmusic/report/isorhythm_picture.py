"""Isorhythm drawn for the eye: a line a talea, the notes numbered by their place in the color."""

from __future__ import annotations

import colorsys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from html import escape

from seqmusic.recognition.techniques.isorhythm import Isorhythm
from seqmusic.recognition.techniques.sentences import isorhythm_sentence, quarters_text
from seqmusic.report.labels import with_unicode_accidentals
from seqmusic.score import TICKS_PER_QUARTER, Note, Score
from seqmusic.spelling import VoiceSpelling, spell_notes

_LEFT, _WIDTH, _RIGHT = 150, 900, 20  # pixels: labels, a whole talea, margin
_TOP, _ROW, _SECTION_GAP = 64, 62, 26
_BLOCK, _SPAN = 19, 22  # height of a note, and how far the highest is above the lowest
_MIN_NUMBERED, _MIN_NAMED = 8, 26  # widths in pixels from which a note shows number and pitch
_STYLE = (
    "text{font:12px sans-serif;fill:#1a1a1a}.h{font-size:15px;font-weight:bold}"
    ".n{font-weight:bold;text-anchor:middle}.p{font-size:10px;text-anchor:middle}"
    ".r{fill:none;stroke:#777;stroke-dasharray:3 3}.b{stroke:#444;stroke-width:.8}"
    ".c{stroke:#b00020;stroke-width:3}.t{fill:#b00020;font-weight:bold;font-size:11px}"
)


@dataclass(frozen=True, slots=True)
class _Row:
    """One statement.

    Attributes:
        label: such as "A 3".
        onset_ticks: where it begins.
        end_ticks: where it ends.
        full_ticks: the length that fills the width of the picture.
        speed: such as "values × 1/2"; "" for those of the first section.
        opens_section: whether the speed or the talea is new.
    """

    label: str
    onset_ticks: int
    end_ticks: int
    full_ticks: int
    speed: str
    opens_section: bool


@dataclass(frozen=True, slots=True)
class _Marked:
    """A note with its number in the color, from 1, and the number of the color's statement."""

    note: Note
    number: int | None
    n_numbers: int
    statement: int
    name: str


def isorhythm_svg(score: Score, one: Isorhythm) -> str:
    """A picture of the isorhythm of one voice, to be put into a page or a file.

    Each line is a statement of the talea; equal rhythms stand below each other, because each line
    is drawn in the values of its section. A note has its number in the color, and a fill that
    follows from it; a bar marks where the color begins. Where only a color returns, each line is a
    statement of the color, all in the same values.
    """
    end = score.voices[one.voice].end_ticks
    rows = _talea_rows(one, end) if one.sections else _color_rows(one)
    notes = _marked_notes(score, one)
    y, parts = _TOP, list[str]()
    compass = score.voices[one.voice].compass or (0, 0)
    bars = [(bar.number, bar.onset_ticks) for bar in score.bars()]
    for row in rows:
        y += _SECTION_GAP * (row.opens_section and row is not rows[0])
        inside = [m for m in notes if row.onset_ticks <= m.note.onset_ticks < row.end_ticks]
        first_bar = max((n for n, onset in bars if onset <= row.onset_ticks), default=None)
        parts += _row_parts(row, inside, y, compass, first_bar)
        y += _ROW
    sentence = isorhythm_sentence(one, score)
    size = f'viewBox="0 0 {_LEFT + _WIDTH + _RIGHT} {y + 6}"'
    title = f"{one.name}: a line for each {'talea' if one.sections else 'color'}"
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" role="img" {size} '
            f'aria-label="{escape(title)}">',
            f"<title>{escape(title)}</title>",
            f"<desc>{escape(f'{sentence} {_description(rows, notes)}')}</desc>",
            f"<style>{_STYLE}</style>",
            '<rect width="100%" height="100%" fill="#fff"/>',
            f'<text class="h" x="12" y="24">{escape(title)}</text>',
            f'<text x="12" y="44">{escape(sentence)}</text>',
            *parts,
            "</svg>\n",
        )
    )


def fill_color(position: float) -> str:
    """The fill of a note by its position in the color, 0 <= position < 1: from blue to red.

    >>> fill_color(0.0), fill_color(0.5)
    ('#adceff', '#adffad')
    """
    red, green, blue = colorsys.hls_to_rgb((216 - 192 * position) / 360, 0.84, 1.0)
    return "#" + "".join(f"{round(255 * channel):02x}" for channel in (red, green, blue))


def _talea_rows(one: Isorhythm, end_ticks: int) -> list[_Row]:
    rows = []
    counts: dict[str, int] = {}
    for section in one.sections:
        speed = "" if section.proportion == 1 else f"values × {section.proportion}"
        ends = (*section.onsets[1:], section.end_ticks)
        for onset, end in zip(section.onsets, ends, strict=True):
            counts[section.label] = counts.get(section.label, 0) + 1
            rows.append(
                _Row(
                    label=f"talea {section.label if len(one.taleae) > 1 else ''}"
                    f"{counts[section.label]}",
                    onset_ticks=onset,
                    end_ticks=min(end, end_ticks),
                    full_ticks=section.talea_ticks,
                    speed=speed,
                    opens_section=onset == section.onset_ticks,
                )
            )
    return rows


def _color_rows(one: Isorhythm) -> list[_Row]:
    ends = (*one.color_ticks[1:], one.color_end_ticks)
    longest = max(one.color_durations)
    return [
        _Row(f"color {number}", onset, end, longest, "", opens_section=False)
        for number, (onset, end) in enumerate(zip(one.color_ticks, ends, strict=True), start=1)
    ]


def _marked_notes(score: Score, one: Isorhythm) -> list[_Marked]:
    spelling: VoiceSpelling = spell_notes(score)[one.voice]
    firsts = one.color.first_notes if one.color else ()
    n_notes = one.color_length_notes
    marked = []
    for index, note in enumerate(score.voices[one.voice].notes):
        statement = sum(first <= index for first in firsts)
        number = index - firsts[statement - 1] + 1 if statement else None
        if number is not None and number > n_notes:
            number = None
        name = with_unicode_accidentals(str(spelling[note.onset_ticks]))
        marked.append(_Marked(note, number, n_notes, statement, name))
    return marked


def _row_parts(
    row: _Row, notes: Sequence[_Marked], y: int, compass: tuple[int, int], bar: int | None
) -> Iterator[str]:
    length = quarters_text(row.full_ticks)
    heading = f"{row.label}{f', bar {bar}' if bar is not None else ''}"
    yield f'<text x="12" y="{y + 26}">{escape(heading)}</text>'
    if row.opens_section:
        text = f"{length}{f', {row.speed}' if row.speed else ''}"
        yield f'<text class="p" style="text-anchor:start" x="12" y="{y + 42}">{text}</text>'
    tick = row.onset_ticks
    for marked in notes:
        yield from _rest(row, tick, marked.note.onset_ticks, y)
        yield from _block(row, marked, y, compass)
        tick = marked.note.end_ticks
    yield from _rest(row, tick, row.end_ticks, y)


def _x(row: _Row, tick: int) -> float:
    return _LEFT + _WIDTH * (tick - row.onset_ticks) / row.full_ticks


def _rest(row: _Row, start: int, end: int, y: int) -> Iterator[str]:
    if end <= start:
        return
    left, width = _x(row, start), _x(row, end) - _x(row, start)
    yield (
        f'<rect class="r" x="{left + 1:.1f}" y="{y + 14}" width="{max(width - 2, 0.5):.1f}" '
        f'height="18"><title>rest, {quarters_text(end - start)}</title></rect>'
    )
    if width > _MIN_NAMED:
        yield f'<text class="p" x="{left + width / 2:.1f}" y="{y + 27}">rest</text>'


def _block(row: _Row, marked: _Marked, y: int, compass: tuple[int, int]) -> Iterator[str]:
    note, number = marked.note, marked.number
    left = _x(row, note.onset_ticks)
    width = min(_x(row, note.end_ticks), _LEFT + _WIDTH + _RIGHT - 2) - left
    low, high = compass
    top = y + _SPAN * (high - note.pitch) / max(high - low, 1)
    fill = "#eee" if number is None else fill_color((number - 1) / marked.n_numbers)
    about = f"{marked.name}, {quarters_text(note.duration_ticks)}"
    if number is not None:
        about = f"note {number} of color {marked.statement}: {about}"
    yield (
        f'<rect class="b" x="{left:.1f}" y="{top:.1f}" width="{max(width - 1, 0.8):.1f}" '
        f'height="{_BLOCK}" fill="{fill}"><title>{escape(about)}</title></rect>'
    )
    if number == 1:
        yield f'<path class="c" d="M{left:.1f} {y - 8}V{y + _SPAN + _BLOCK + 4}"/>'
        yield f'<text class="t" x="{left + 4:.1f}" y="{y - 2}">color {marked.statement}</text>'
    middle = left + width / 2
    if number is not None and width >= _MIN_NUMBERED:
        size = min(12, int(width * 0.8))
        style = f'style="font-size:{size}px"'
        yield f'<text class="n" {style} x="{middle:.1f}" y="{top + 14:.1f}">{number}</text>'
    if width >= _MIN_NAMED:
        yield f'<text class="p" x="{middle:.1f}" y="{top + _BLOCK + 10:.1f}">{marked.name}</text>'


def _description(rows: Sequence[_Row], notes: Sequence[_Marked]) -> str:
    """The first statement in words, for those who do not see the picture."""
    first = rows[0]
    values = []
    tick = first.onset_ticks
    for marked in notes:
        if not first.onset_ticks <= marked.note.onset_ticks < first.end_ticks:
            continue
        if marked.note.onset_ticks > tick:
            values.append(f"rest {_quarters(marked.note.onset_ticks - tick)}")
        values.append(f"{marked.name} {_quarters(marked.note.duration_ticks)}")
        tick = marked.note.end_ticks
    if tick < first.end_ticks:
        values.append(f"rest {_quarters(first.end_ticks - tick)}")
    return f"The first line, in quarters: {', '.join(values)}."


def _quarters(ticks: int) -> str:
    return f"{float(Fraction(ticks, TICKS_PER_QUARTER)):g}"
