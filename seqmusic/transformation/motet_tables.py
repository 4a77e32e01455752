"""What each voice of a motet may sound at each tick, as tables for the composing engine."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction

import numpy as np

from seqmusic.array_types import Ints, Mask
from seqmusic.generation.repeated_rhythm import Repeat
from seqmusic.generation.restrictions import REST_COLUMN, VoiceTable
from seqmusic.score import Note, Voice
from seqmusic.tokens.vocabulary import MAX_DURATION
from seqmusic.transformation.cadences import (
    Cadence,
    arrival_pitches,
    cadences,
    contratenor_classes,
    leading_tone_ticks,
    leading_tones,
)
from seqmusic.transformation.contratenor import RhythmEvent, merged_rests
from seqmusic.transformation.hocket import hocket_events
from seqmusic.transformation.motet_plan import MotetPlan

CONSONANCES = (0, 3, 4, 7, 8, 9)
DISSONANCES = (1, 2, 6, 10, 11)
PERFECT = (0, 7)
COMPASS = {"Triplum": (55, 76), "Motetus": (52, 74), "Contratenor": (48, 69)}
"""Lowest and highest MIDI number of the composed voices.

Source: compasses of ten motets, 50..76 for the upper voices and 48..69 for the contratenor.
"""
_PITCHES = np.arange(REST_COLUMN)


def role_compass(plan: MotetPlan, role: str) -> tuple[int, int]:
    """Compass of a composed voice, as far up as its note over the final."""
    low, high = COMPASS[role]
    return low, max(high, arrival_pitches(plan)[role])


def interval_mask(pitch: int, intervals: Sequence[int]) -> Mask:
    """(128,) pitches that are one of the intervals, or octaves more, from a pitch."""
    return np.isin(np.abs(_PITCHES - pitch) % 12, intervals)


class _TableWriter:
    """Writes the table of one voice."""

    def __init__(self, plan: MotetPlan, role: str) -> None:
        self.plan, n_ticks = plan, plan.layout.end_ticks
        low, high = role_compass(plan, role)
        self.sounds = np.zeros((n_ticks, REST_COLUMN + 1), dtype=bool)
        self.sounds[:, low : high + 1] = self.sounds[:, REST_COLUMN] = True
        self.may_end = np.zeros(n_ticks + 1, dtype=bool)
        self.exact = np.zeros(n_ticks, dtype=np.int64)
        self.held = np.ones_like(self.sounds)
        self.longest = np.full(n_ticks, MAX_DURATION, dtype=np.int64)

    def write_rhythm_limits(self) -> None:
        """Write grid and largest value of each section."""
        layout = self.plan.layout
        starts = [0, *(span.onset_ticks for span in layout.colores[1:]), layout.end_ticks]
        for start, end, ratio in zip(starts, starts[1:], layout.ratios, strict=False):
            grid = self.plan.grid_ticks(ratio)
            self.may_end[np.arange(start, end + 1, grid)] = True
            self.longest[start:end] = self.plan.largest_value(ratio)

    def write_consonance(self, others: Iterable[Voice]) -> None:
        """Write which pitches are consonant at each onset of the given voices."""
        lines = [_sounding(voice, self.plan.layout.end_ticks) for voice in others]
        onsets = sorted({int(t) for _, line_onsets in lines for t in line_onsets})
        for tick in onsets:
            self.may_end[tick] = True
            pitches = sorted(int(line[tick]) for line, _ in lines if line[tick] >= 0)
            self.sounds[tick, :REST_COLUMN] &= interval_mask(pitches[0], CONSONANCES)
            for pitch in pitches[1:]:
                self.sounds[tick, :REST_COLUMN] &= ~interval_mask(pitch, DISSONANCES)

    def write_perfect_holds(self) -> None:
        """Write that what is held into a note of the tenor is perfect with it."""
        for note in self.plan.layout.notes:
            perfect = interval_mask(note.pitch, PERFECT)
            self.held[note.onset_ticks, :REST_COLUMN] = perfect

    def write_joints(self, *, not_below: bool) -> None:
        """Write that the first and last note of each talea are perfect sonorities."""
        for index in self.plan.layout.joints:
            note = self.plan.layout.notes[index]
            row = self.sounds[note.onset_ticks, :REST_COLUMN]
            row &= interval_mask(note.pitch, PERFECT)
            if not_below:
                row &= note.pitch <= _PITCHES

    def write_barriers(self, ticks: Iterable[int]) -> None:
        """Write that no note or rest goes on through some ticks."""
        n_ticks = len(self.longest)
        barriers = np.array(sorted({*ticks, n_ticks}))
        now = np.arange(n_ticks)
        upcoming = barriers[np.searchsorted(barriers, now, side="right")]
        self.longest = np.minimum(self.longest, upcoming - now)
        self.may_end[barriers] = True

    def write_rhythm(self, events: Iterable[RhythmEvent]) -> None:
        """Write a prescribed rhythm."""
        events = list(events)
        self.write_barriers(
            tick for event in events for tick in (event.onset_ticks, event.end_ticks)
        )
        for event in events:
            span = slice(event.onset_ticks, event.end_ticks)
            if event.is_rest and event.onset_ticks:  # two rests in succession would be one
                self.sounds[event.onset_ticks - 1, REST_COLUMN] = False
            for onset in range(event.onset_ticks, event.end_ticks, MAX_DURATION):
                self.exact[onset] = event.end_ticks - onset
                self.longest[onset] = MAX_DURATION
                self.may_end[onset] = True
            self.sounds[span, REST_COLUMN] &= event.is_rest
            if event.is_rest:
                self.sounds[span, :REST_COLUMN] = False

    def only(self, start: int, end: int, pitch: int) -> None:
        """Write that one pitch sounds from one tick to another."""
        self.sounds[start:end] = False
        self.sounds[start:end, pitch] = True

    def table(self) -> VoiceTable:
        """The table as it is now."""
        return VoiceTable(self.sounds, self.may_end, self.longest, self.exact, self.held)


def contratenor_table(plan: MotetPlan, tenor: Voice) -> VoiceTable:
    """The table of the contratenor, whose rhythm is prescribed.

    What it holds into a note of the tenor need not be perfect, as it is slow.
    """
    writer = _TableWriter(plan, "Contratenor")
    rhythm = plan.contratenor
    writer.write_consonance([tenor, Voice("", tuple(_as_notes(rhythm, tenor)))])
    writer.write_joints(not_below=True)
    classes = np.isin(_PITCHES % 12, list(contratenor_classes(plan)))
    for cadence in cadences(plan):
        approach = writer.sounds[cadence.approach_ticks : cadence.arrival_ticks, :REST_COLUMN]
        approach &= classes
        _write_arrival(writer, plan, "Contratenor", cadence)
    if plan.layout.notes[0].onset_ticks:
        writer.may_end[0] = True
    introitus = RhythmEvent(0, rhythm[0].onset_ticks, True)
    writer.write_rhythm(merged_rests([introitus, *rhythm] if introitus.end_ticks else rhythm))
    return writer.table()


def upper_table(
    plan: MotetPlan, role: str, lower: Sequence[Voice], *, holds_perfect: bool
) -> VoiceTable:
    """The table of triplum or motetus.

    Args:
        plan: of the motet.
        role: of the voice.
        lower: tenor, and contratenor if there is one.
        holds_perfect: whether what is held into a note of the tenor is perfect with it.
    """
    writer = _TableWriter(plan, role)
    writer.write_rhythm_limits()
    writer.write_consonance(lower)
    writer.write_joints(not_below=False)
    for cadence in cadences(plan):
        leading = leading_tones(plan)[role]
        writer.only(cadence.approach_ticks, cadence.arrival_ticks, leading)
        if plan.settings.iso == "tenor":  # the leading tone is one note
            writer.may_end[cadence.approach_ticks : cadence.arrival_ticks] = False
        writer.may_end[cadence.approach_ticks] = True
        _write_arrival(writer, plan, role, cadence)
    final = plan.layout.notes[-1]
    writer.write_rhythm([RhythmEvent(final.onset_ticks, plan.layout.end_ticks, False)])
    writer.only(final.onset_ticks, plan.layout.end_ticks, arrival_pitches(plan)[role])
    if holds_perfect:
        writer.write_perfect_holds()
    if plan.settings.hocket:
        writer.write_rhythm(hocket_events(plan, role))
    if plan.settings.iso == "all":
        _write_common_rhythm(writer, plan)
    return writer.table()


def _write_arrival(writer: _TableWriter, plan: MotetPlan, role: str, cadence: Cadence) -> None:
    """Write the pitch over a final, and that it is not reached in parallel with the tenor."""
    arrival = arrival_pitches(plan)[role]
    writer.only(cadence.arrival_ticks, cadence.arrival_ticks + 1, arrival)
    writer.may_end[cadence.arrival_ticks] = True
    before = plan.layout.notes[cadence.before]
    interval = (arrival - plan.color.pitches[-1]) % 12
    if before.onset_ticks < cadence.approach_ticks or role == "Contratenor":
        row = writer.sounds[before.onset_ticks, :REST_COLUMN]
        row &= ~interval_mask(before.pitch, (interval,))


def _write_common_rhythm(writer: _TableWriter, plan: MotetPlan) -> None:
    """Write what a rhythm must have that is to be repeated in each talea.

    No note is held into a step of the tenor, and none rests where a cadence may come.
    """
    layout = plan.layout
    steps = [tick for onsets in layout.step_onsets for tick in onsets]
    writer.write_barriers(steps)
    writer.sounds[steps[0], REST_COLUMN] = False  # it may follow a rest that ends a talea
    finals = {layout.phases[index] for index in layout.color_ends}
    for note, phase in zip(layout.notes, layout.phases, strict=True):
        if phase in finals:
            approach = leading_tone_ticks(plan, layout.ratio_at(note.onset_ticks))
            start = max(0, note.onset_ticks - approach)
            writer.sounds[start : note.end_ticks, REST_COLUMN] = False


def _sounding(voice: Voice, n_ticks: int) -> tuple[Ints, list[int]]:
    """(T,) the pitch of a voice at each tick, -1 for a rest, and its onsets."""
    line = np.full(n_ticks, -1, dtype=np.int64)
    for note in voice.notes:
        line[note.onset_ticks : note.end_ticks] = note.pitch
    return line, [note.onset_ticks for note in voice.notes]


def _as_notes(rhythm: Sequence[RhythmEvent], tenor: Voice) -> Iterable[Note]:
    """The tenor's pitches at the onsets of a rhythm, where the tenor sounds."""
    for event in rhythm:
        for note in tenor.notes:
            is_sounding = note.onset_ticks <= event.onset_ticks < note.end_ticks
            if is_sounding and not event.is_rest:
                yield Note(event.onset_ticks, 1, note.pitch)


def repeats(plan: MotetPlan) -> list[Repeat]:
    """The steps of all taleae but the first, each with the step of the first that it repeats."""
    layout = plan.layout
    final = layout.notes[-1].onset_ticks
    first = layout.step_onsets[0]
    found = []
    for span, onsets in zip(layout.taleae[1:], layout.step_onsets[1:], strict=True):
        ends = [*onsets[1:], span.end_ticks]
        for source, onset, end in zip(first, onsets, ends, strict=False):
            ratio = Fraction(layout.ratio_at(onset)) / layout.ratio_at(source)
            if onset < final:
                found.append(Repeat(source, onset, min(end, final), ratio))
    return found
