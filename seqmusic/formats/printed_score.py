"""What notation files hold before it becomes a score: parts, lines, and measures as printed.

Times are exact fractions of quarter notes. The readers of ABC, kern and MusicXML fill these in;
`report_from_printed` makes the score, and tells what had to be changed.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import NamedTuple

from seqmusic.errors import FormatError
from seqmusic.formats.measures import PrintedMeasure, meter_from_measures
from seqmusic.formats.read_report import ReadReport, Tally
from seqmusic.formats.time_grid import Shifts, first_overlap
from seqmusic.formats.voice_names import distinct_voice_names
from seqmusic.formats.voice_separation import separate_voices
from seqmusic.score import TICKS_PER_QUARTER, Key, Note, Score, TimeSignature, Voice

_MAX_TICKS = 100_000 * 4 * TICKS_PER_QUARTER
_MAX_VOICES = 1000


class TiedNote(NamedTuple):
    """A printed note in ticks, and whether it is tied to the next of its pitch."""

    note: Note
    is_tied: bool


class PrintedNote(NamedTuple):
    """A note as printed.

    Attributes:
        onset: quarter notes from the beginning of the piece.
        end: likewise.
        pitch: MIDI number as it sounds.
        is_tied: whether it is tied to the next note of its pitch.
        fermata: whether a fermata stands over it.
    """

    onset: Fraction
    end: Fraction
    pitch: int
    is_tied: bool
    fermata: bool


class MeasureSpan(NamedTuple):
    """What stands between two bar lines.

    Attributes:
        onset: quarter notes from the beginning of the piece.
        duration: in quarter notes, as long as the notes in it.
        number: as printed.
        time_signature: the one written at its start, if any.
    """

    onset: Fraction
    duration: Fraction
    number: int
    time_signature: TimeSignature | None


@dataclass(slots=True)
class PrintedPart:
    """One part of a file.

    Attributes:
        name: "" where it has none.
        lines: its voices, each a list of notes, which may sound together.
        n_unpitched: notes without pitch, which are not among them.
    """

    name: str
    lines: list[list[PrintedNote]] = field(default_factory=list)
    n_unpitched: int = 0


@dataclass(slots=True)
class PrintedScore:
    """All that is read of a file.

    Attributes:
        parts: from the top of the page.
        measures: in order; each begins where the one before ends.
        key, tempo_bpm, title, source: as in `Score`.
        voice_names: names of all voices that the file gives besides those of the parts.
        repairs: what is wrong in the file, and was repaired.
        left_out: what the score does not hold.
    """

    parts: list[PrintedPart] = field(default_factory=list)
    measures: list[MeasureSpan] = field(default_factory=list)
    key: Key | None = None
    tempo_bpm: float | None = None
    title: str = ""
    source: str = ""
    voice_names: Sequence[str] = ()
    repairs: Tally = field(default_factory=Tally)
    left_out: Tally = field(default_factory=Tally)


def report_from_printed(printed: PrintedScore) -> ReadReport:
    """The score of what was printed, with what was repaired and what is lost.

    Raises:
        FormatError: there is nothing but percussion, the piece is too long, or a time signature
            comes after the first measure.
    """
    shifts = Shifts()
    try:
        measures = _measures_in_ticks(printed)
        pickup, signatures = meter_from_measures(measures)
        named_lines = _named_lines(printed, _Timeline(printed.measures, measures), shifts)
        defaults = [f"Voice {number}" for number in range(1, len(named_lines) + 1)]
        names = list(printed.voice_names)
        if len(names) != len(named_lines):
            names = distinct_voice_names([name for name, _ in named_lines], defaults)
        voices = tuple(Voice(n, line) for n, (_, line) in zip(names, named_lines, strict=True))
        score = Score(voices, signatures, pickup, printed.key, printed.tempo_bpm)
    except ValueError as error:
        raise FormatError(str(error)) from error
    score = replace(score, title=printed.title, source=printed.source)
    losses = printed.left_out.messages() + shifts.messages(score.n_notes)
    return ReadReport(score, printed.repairs.messages(), losses)


def join_ties(line: Sequence[TiedNote], part: str, left_out: Tally) -> tuple[Note, ...]:
    """Notes by onset and pitch, with tied ones joined and equal ones once.

    A fermata over any of the tied notes is one over the whole.

    Args:
        line: printed notes, in any order.
        part: its name, for messages.
        left_out: counts notes that are written more than once, and ties to nothing.
    """
    notes: list[Note] = []
    tied: dict[int, int] = {}  # pitch -> index of the note that is tied to the next
    n_open_ties = 0
    for printed, is_tied in sorted(line, key=lambda pair: (pair[0].onset_ticks, pair[0].pitch)):
        index = tied.pop(printed.pitch, -1)
        if index >= 0 and notes[index].end_ticks == printed.onset_ticks:
            first = notes[index]
            ticks = first.duration_ticks + printed.duration_ticks
            fermata = first.fermata or printed.fermata
            notes[index] = replace(first, duration_ticks=ticks, fermata=fermata)
            n_open_ties -= 1
        elif printed in notes[-8:]:
            left_out.add("notes written twice in one voice read once", f"part {part}")
            continue
        else:
            index = len(notes)
            notes.append(printed)
        if is_tied:
            tied[printed.pitch] = index
            n_open_ties += 1
    if n_open_ties:
        left_out.add("ties that lead to no note left out", f"part {part}", n_open_ties)
    return tuple(notes)


def single_lines(line: tuple[Note, ...], part: str, left_out: Tally) -> list[tuple[Note, ...]]:
    """A line as lines without overlaps: itself, or the voices that it is separated into."""
    if not first_overlap(line):
        return [line]
    separated = separate_voices(line)
    left_out.add(f"chords of part {part} taken apart into {len(separated)} voices", count=0)
    return list(separated)


def _measures_in_ticks(printed: PrintedScore) -> list[PrintedMeasure]:
    """The measures in ticks; one whose length is off the grid gets the nearest length."""
    found, onset = [], 0
    for measure in printed.measures:
        ticks = measure.duration * TICKS_PER_QUARTER
        duration = round(ticks)
        if duration != ticks:
            what = f"measures of a length off the grid of {TICKS_PER_QUARTER} ticks a quarter"
            location = f"measure {measure.number}, {float(measure.duration):g} quarters"
            printed.repairs.add(f"{what} moved to it", location)
        found.append(PrintedMeasure(onset, duration, measure.number, measure.time_signature))
        onset += duration
        if onset > _MAX_TICKS:
            raise FormatError(f"is longer than {_MAX_TICKS // TICKS_PER_QUARTER} quarter notes")
    return found


class _Timeline:
    """Where a time of the page is in ticks; every measure begins at its own tick."""

    def __init__(self, spans: Sequence[MeasureSpan], measures: Sequence[PrintedMeasure]) -> None:
        self._onsets = [span.onset for span in spans]
        self._ticks = [measure.onset_ticks for measure in measures]
        self._known: dict[Fraction, tuple[int, float]] = {}

    def tick(self, quarters: Fraction, moves: list[float]) -> int:
        """The tick nearest to a time; `moves` gets the distance if there is one."""
        if quarters not in self._known:
            index = bisect_right(self._onsets, quarters) - 1
            inside = (quarters - self._onsets[index]) * TICKS_PER_QUARTER
            nearest = round(inside)
            self._known[quarters] = (self._ticks[index] + nearest, abs(float(inside - nearest)))
        tick, distance = self._known[quarters]
        if distance:
            moves.append(distance)
        return tick


def _named_lines(
    printed: PrintedScore, timeline: _Timeline, shifts: Shifts
) -> list[tuple[str, tuple[Note, ...]]]:
    """The lines of all parts with the names of the parts, without parts of percussion alone."""
    found = []
    for number, part in enumerate(printed.parts, start=1):
        if part.n_unpitched and not any(part.lines):
            continue
        name = repr(part.name or number)
        for line in part.lines or [[]]:
            tied = _notes_in_ticks(line, timeline, shifts, printed.left_out, name)
            joined = join_ties(tied, name, printed.left_out)
            for single in single_lines(joined, name, printed.left_out):
                found.append((part.name, single))
    if not found:
        if any(part.n_unpitched for part in printed.parts):
            raise FormatError("holds nothing but percussion; notes with a pitch are read")
        raise FormatError("holds no parts")
    if len(found) > _MAX_VOICES:
        raise FormatError(f"holds {len(found)} voices; at most {_MAX_VOICES} are read")
    return found


def _notes_in_ticks(
    line: list[PrintedNote], timeline: _Timeline, shifts: Shifts, left_out: Tally, part: str
) -> list[TiedNote]:
    found = []
    for printed in line:
        onset = timeline.tick(printed.onset, shifts.onsets)
        end = timeline.tick(printed.end, shifts.ends)
        if end <= onset:
            left_out.add("notes too short for the grid left out", f"part {part}")
            continue
        note = Note(onset, end - onset, printed.pitch, printed.fermata)
        found.append(TiedNote(note, printed.is_tied))
    return found
