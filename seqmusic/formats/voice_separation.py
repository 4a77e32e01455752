"""Notes that sound together taken apart into voices, from high to low: chords, piano staves, lists of notes without voices.

Where as many notes sound as there are voices, they are the voices from high to low, and the mean of their pitches there is the
register of each. Every note then goes to the voice where it costs least over the piece as a whole: leaps, rests, crossings and ways
off the register cost. Note after note, the cheapest assignments so far are kept beside each other, so that what comes later
decides. The weights were chosen on the training part of the chorales, and barely matter there.

Source: Chew & Wu, Separating voices in polyphonic music: a contig mapping approach, CMMR 2004, for the places where all voices
sound; Kilian & Hoos, Voice separation: a local optimization approach, ISMIR 2002, for the costs.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from seqmusic.score import TICKS_PER_QUARTER, Note

MAX_SEPARATED_VOICES = 16
_REST_COST = 0.4  # for a tick of rest before a note, up to a quarter note; the unit of all costs is a leap of a semitone
_LONGEST_REST = TICKS_PER_QUARTER
_CROSSING_COST = 8.0  # for each voice that sounds on the wrong side
_REGISTER_COST = 0.25  # for a semitone from the register of the voice
_BEAM_MARGIN = 24.0  # an assignment that costs so much more than the best is given up
_BEAM_BUDGET = 32  # assignments kept times voices; of 4 voices 8, which more hardly improve
_MIN_BEAM_WIDTH = 4


class _VoiceChoice(NamedTuple):
    """The voice of a note, and what was made before it."""

    voice: int
    before: _VoiceChoice | None


class _Assignment(NamedTuple):
    """The notes so far, each in a voice.

    Attributes:
        cost: above that of the best.
        pitches: last of each voice; its register before the first note.
        ends: first tick after the last note of each voice.
        last_choice: choices of the voices; None before the first note.
    """

    cost: float
    pitches: tuple[float, ...]
    ends: tuple[int, ...]
    last_choice: _VoiceChoice | None


def max_polyphony(notes: Iterable[Note]) -> int:
    """How many of the notes sound at once, at most.

    >>> max_polyphony([Note(0, 24, 60), Note(0, 24, 64), Note(24, 24, 62)])
    2
    """
    changes = sorted(
        change for note in notes for change in ((note.onset_ticks, 1), (note.end_ticks, -1))
    )
    return max(itertools.accumulate(step for _, step in changes), default=0)


def separate_voices(
    notes: Iterable[Note], n_voices: int | None = None
) -> tuple[tuple[Note, ...], ...]:
    """The notes as voices from high to low, each a line by onset without two notes at once; every note is in exactly one.

    Args:
        notes: in any order, which does not matter.
        n_voices: how many voices; when not said, as many as there are notes at once. Voices beyond these may be empty.

    Raises:
        ValueError: more notes sound at once than there are voices, or than 16.

    >>> notes = [Note(0, 48, 60), Note(0, 24, 64), Note(24, 24, 65), Note(48, 24, 59)]
    >>> [[note.pitch for note in line] for line in separate_voices(notes)]
    [[64, 65], [60, 59]]
    """
    ordered = sorted(
        notes, key=lambda note: (note.onset_ticks, -note.pitch, note.end_ticks, note.fermata)
    )
    at_once = max_polyphony(ordered)
    most = MAX_SEPARATED_VOICES if n_voices is None else n_voices
    if at_once > most or most > MAX_SEPARATED_VOICES:
        raise ValueError(
            f"notes are separated into at most {min(most, MAX_SEPARATED_VOICES)} voices, got {max(at_once, most)} at once"
        )
    registers = _registers(ordered, at_once, at_once if n_voices is None else n_voices)
    beam = [_Assignment(0.0, registers, (0,) * len(registers), None)]
    for note in ordered:
        beam = _extend_beam(beam, note, registers)
    lines: list[list[Note]] = [[] for _ in registers]
    for note, voice in zip(reversed(ordered), _backtrack(beam[0]), strict=True):
        lines[voice].append(note)
    return tuple(tuple(reversed(line)) for line in lines)


def _registers(notes: Sequence[Note], at_once: int, n_voices: int) -> tuple[float, ...]:
    """Mean pitch of each voice where `at_once` notes sound; of voices beyond these that of the lowest."""
    sums, n_chords = [0] * at_once, 0
    sounding: list[Note] = []
    for onset, starting in itertools.groupby(notes, key=lambda note: note.onset_ticks):
        sounding = [note for note in sounding if note.end_ticks > onset] + list(starting)
        if len(sounding) == at_once:
            n_chords += 1
            pitches = sorted((note.pitch for note in sounding), reverse=True)
            sums = [total + pitch for total, pitch in zip(sums, pitches, strict=True)]
    means = [total / n_chords for total in sums] or [0.0]
    return tuple(means[min(voice, len(means) - 1)] for voice in range(n_voices))


def _extend_beam(
    beam: Sequence[_Assignment], note: Note, registers: Sequence[float]
) -> list[_Assignment]:
    """The best assignments with one note more, the best first; of those that leave all voices alike, the best alone."""
    choices = _extensions(
        beam, note, [_REGISTER_COST * abs(note.pitch - register) for register in registers]
    )
    choices.sort()
    best, most, end = (
        choices[0][0],
        max(_BEAM_BUDGET // len(registers), _MIN_BEAM_WIDTH),
        note.end_ticks,
    )
    found: dict[tuple[tuple[float, ...], tuple[int, ...]], _Assignment] = {}
    for cost, voice, number in choices:
        if cost > best + _BEAM_MARGIN or len(found) == most:
            break
        _, pitches, ends, last_choice = beam[number]
        after = voice + 1
        state = (
            (*pitches[:voice], note.pitch, *pitches[after:]),
            (*ends[:voice], end, *ends[after:]),
        )
        if state not in found:
            found[state] = _Assignment(cost - best, *state, _VoiceChoice(voice, last_choice))
    return list(found.values())


def _extensions(
    beam: Sequence[_Assignment], note: Note, register_costs: Sequence[float]
) -> list[tuple[float, int, int]]:
    """Where the note can go unless that is hopeless: (cost, voice, place of the assignment in `beam`)."""
    pitch, onset, limit = note.pitch, note.onset_ticks, math.inf
    choices = []
    for number, (before, pitches, ends, _) in enumerate(beam):
        cost = before
        for last, end in zip(pitches, ends):  # noqa: B905 (strict takes time)
            if end > onset and last > pitch:
                cost += _CROSSING_COST
        for voice, end in enumerate(ends):
            leap = pitch - pitches[voice]
            if end <= onset:
                rest = onset - end
                whole = (
                    cost
                    + register_costs[voice]
                    + abs(leap)
                    + _REST_COST * (rest if rest < _LONGEST_REST else _LONGEST_REST)
                )
                if whole < limit:
                    choices.append((whole, voice, number))
                    limit = min(limit, whole + _BEAM_MARGIN)
            elif leap:
                cost += _CROSSING_COST if leap > 0 else -_CROSSING_COST
    return choices


def _backtrack(last: _Assignment) -> Iterator[int]:
    """Voices of the notes, of the last note first."""
    last_choice = last.last_choice
    while last_choice:
        yield last_choice.voice
        last_choice = last_choice.before
