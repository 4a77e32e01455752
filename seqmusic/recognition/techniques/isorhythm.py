"""Isorhythm: a voice whose rhythm (talea) returns with other pitches, or whose pitches (color)
return in other values.

The talea is a rhythm with its rests, laid end to end; the color is a succession of pitches. Both
need not end together. In later sections all values may be divided by the same number (diminution),
or the same color may be sung in other values (mensural transformation). In panisorhythm all voices
repeat their rhythm.

A voice is called where a run of its rhythm that returns is worth at least 65 bits and covers 15 %
of the voice, the cycle lasts nine quarters or more, and the repetition is neither plain nor
transposed (see `rhythm_runs` and `exclusions`). The other voices of such a piece join with the same
cycle.

Source: M. Bent, "Isorhythm", Grove Music Online; A. Zayaruznaya, "Quotation, perfection and the
eloquence of form", Early Music History, 2018, on the two words.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from seqmusic.recognition.techniques.color import Color, find_color, has_other_values
from seqmusic.recognition.techniques.exclusions import is_homophonic, is_plain_repetition
from seqmusic.recognition.techniques.lines import Line, voice_line
from seqmusic.recognition.techniques.rhythm_runs import RhythmRun, strong_runs
from seqmusic.recognition.techniques.sections import TaleaSection, find_sections
from seqmusic.recognition.techniques.talea import Talea
from seqmusic.score import Score

MIN_BITS = 65.0
MIN_MENSURAL_NOTES = 20
MIN_MENSURAL_COVERAGE = 0.75


@dataclass(frozen=True, slots=True)
class Isorhythm:
    """The isorhythm of one voice.

    Attributes:
        voice: index of the voice.
        name: of the voice.
        taleae: the rhythms, most often one; empty where only a color returns.
        sections: statements of one talea at one speed, in order.
        color: pitches that return; None without.
        color_ticks: where the statements of the color begin.
        color_end_ticks: where the last statement of the color ends; 0 without a color.
        bits: information in the strongest run of the rhythm, or of the color without a talea.
    """

    voice: int
    name: str
    taleae: tuple[Talea, ...]
    sections: tuple[TaleaSection, ...]
    color: Color | None
    color_ticks: tuple[int, ...]
    color_end_ticks: int
    bits: float

    @property
    def talea(self) -> Talea:
        """The first talea; empty without one."""
        return self.taleae[0] if self.taleae else ()

    @property
    def first_tick(self) -> int:
        """Where the first statement begins."""
        starts = [section.onset_ticks for section in self.sections] or list(self.color_ticks)
        return min(starts)

    @property
    def end_ticks(self) -> int:
        """Where the last statement ends."""
        ends = [section.end_ticks for section in self.sections] or [self.color_end_ticks]
        return max(ends)

    @property
    def n_taleae(self) -> Fraction:
        """Statements of all taleae, with the share of a last one that is cut short."""
        return sum((section.n_taleae for section in self.sections), Fraction(0))

    @property
    def color_length_notes(self) -> int:
        """Notes in the color; 0 without one."""
        return self.color.n_notes if self.color else 0

    @property
    def n_colores(self) -> int:
        """Statements of the color; 0 without one."""
        return len(self.color_ticks)

    @property
    def proportions(self) -> tuple[Fraction, ...]:
        """For each section, the speed of its values relative to the first section of its talea.

        1/2 means that all values are halved.
        """
        return tuple(section.proportion for section in self.sections)

    @property
    def color_durations(self) -> tuple[int, ...]:
        """Length of each statement of the color in ticks."""
        ends = (*self.color_ticks[1:], self.color_end_ticks)
        return tuple(end - start for start, end in zip(self.color_ticks, ends, strict=False))


def find_isorhythms(score: Score) -> tuple[Isorhythm, ...]:
    """The isorhythm of each voice that has one, from high to low.

    >>> from seqmusic.formats.theme import parse_theme
    >>> talea = ":1/2 {}:3/4 {}:1/4 R:1/2 {}:1/8 {}:3/8 {}:1/2 R:1/4"
    >>> color = "C4 D4 E4 F4 G4 A4 F4 E4 D4 F4 G4 E4 D4 C4 E4".split()
    >>> theme = ""
    >>> notes = iter(color * 4)
    >>> for _ in range(10):
    ...     theme += ("{}" + talea + " ").format(*(next(notes) for _ in range(6)))
    >>> (found,) = find_isorhythms(parse_theme(theme))
    >>> found.n_taleae, len(found.talea), found.color_length_notes, found.n_colores
    (Fraction(10, 1), 8, 15, 4)
    """
    lines = [voice_line(voice) for voice in score.voices]
    runs = [strong_runs(line) for line in lines]
    sections = _sections_of_voices(lines, runs)
    bits = [found[0].bits if found else 0.0 for found in runs]
    candidates = (
        _isorhythm(score, index, lines[index], sections.get(index, []), bits[index])
        for index in range(len(lines))
    )
    found = tuple(one for one in candidates if one is not None)
    return found if any(one.bits >= MIN_BITS for one in found) else ()


def is_panisorhythmic(score: Score, found: tuple[Isorhythm, ...]) -> bool:
    """Whether all voices of a score repeat taleae of one and the same length."""
    lengths = [{section.talea_ticks for section in one.sections} for one in found if one.sections]
    n_voices = sum(bool(voice.notes) for voice in score.voices)
    return len(lengths) == n_voices > 1 and bool(set.intersection(*lengths))


def _sections_of_voices(
    lines: list[Line], runs: list[list[RhythmRun]]
) -> dict[int, list[TaleaSection]]:
    """By voice; those worth 65 bits first, whose cycles the others may have too."""
    called = [bool(found) and found[0].bits >= MIN_BITS for found in runs]
    sections: dict[int, list[TaleaSection]] = {}
    cycles: set[int] = set()
    for index in sorted(range(len(lines)), key=lambda index: not called[index]):
        if called[index] or cycles:
            sections[index] = find_sections(
                lines[index], runs[index], cycles, is_called=called[index]
            )
        if called[index]:
            cycles |= {section.talea_ticks for section in sections[index]}
    return sections


def _isorhythm(
    score: Score, index: int, line: Line, sections: list[TaleaSection], bits: float
) -> Isorhythm | None:
    color = find_color(line)
    if not sections and (color is None or not _is_mensural(line, color)):
        return None
    notes = score.voices[index].notes
    ticks: tuple[int, ...] = ()
    end_ticks = 0
    if color is not None:
        ticks = tuple(notes[first].onset_ticks for first in color.first_notes)
        last = min(color.first_notes[-1] + color.n_notes, len(notes)) - 1
        end_ticks = notes[last].end_ticks
    taleae = {section.label: section.talea for section in reversed(sections)}
    one = Isorhythm(
        voice=index,
        name=score.voices[index].name,
        taleae=tuple(taleae[label] for label in sorted(taleae)),
        sections=tuple(sections),
        color=color,
        color_ticks=ticks,
        color_end_ticks=end_ticks,
        bits=bits if sections or color is None else color.bits,
    )
    others = [voice for number, voice in enumerate(score.voices) if number != index]
    if is_plain_repetition(sections, one.color_durations):
        return None
    return None if sections and is_homophonic(score.voices[index], others) else one


def _is_mensural(line: Line, color: Color) -> bool:
    """Whether a color without a talea is sung again in other values, and fills the voice."""
    n_notes = int(line.is_note.sum())
    n_covered = min(color.first_notes[-1] + color.n_notes, n_notes) - color.first_notes[0]
    return (
        color.n_notes >= MIN_MENSURAL_NOTES
        and color.bits >= MIN_BITS
        and n_covered >= MIN_MENSURAL_COVERAGE * n_notes
        and has_other_values(line, color)
    )
