"""Notes that sound together separated into voices, from high to low.

This is for chords, piano staves, and lists of notes without voices. Where as many notes sound as
there are voices, they are the voices from high to low, and the mean of their pitches there is the
register of each. Every note then goes to the voice where it costs least over the piece as a whole:
leaps, rests, crossings and distances from the register cost. A beam search takes note after note
and keeps the cheapest assignments so far, so that later notes decide between them. The weights were
chosen on the training part of the chorales, and barely matter there.

Source: Chew & Wu, Separating voices in polyphonic music: a contig mapping approach, CMMR 2004, for
the chords in which all voices sound; Kilian & Hoos, Voice separation: a local optimization
approach, ISMIR 2002, for the costs.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from seqmusic.score import TICKS_PER_QUARTER, Note

MAX_SEPARATED_VOICES = 16
# The unit of all costs is a leap of a semitone.
_REST_COST = 0.4  # for a tick of rest before a note, up to a quarter note
_LONGEST_REST = TICKS_PER_QUARTER
_CROSSING_COST = 8.0  # for each voice that sounds on the wrong side
_REGISTER_COST = 0.25  # for a semitone from the register of the voice
_BEAM_MARGIN = 24.0  # an assignment that costs so much more than the best is given up
_BEAM_BUDGET = 32  # assignments kept times voices; of 4 voices 8, and more hardly improve
_MIN_BEAM_WIDTH = 4


class _VoiceChoice(NamedTuple):
    """The voice of a note, and the choice for the note before it."""

    voice: int
    previous: _VoiceChoice | None


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


def separate_voices(notes: Iterable[Note]) -> tuple[tuple[Note, ...], ...]:
    """As many voices as notes sound at once, from high to low; every note is in exactly one.

    Args:
        notes: in any order, which does not matter.

    Returns:
        Voices by onset, of which none has two notes at once.

    Raises:
        ValueError: more than 16 notes sound at once.

    >>> notes = [Note(0, 48, 60), Note(0, 24, 64), Note(24, 24, 65), Note(48, 24, 59)]
    >>> [[note.pitch for note in voice] for voice in separate_voices(notes)]
    [[64, 65], [60, 59]]
    """
    ordered = sorted(
        notes, key=lambda note: (note.onset_ticks, -note.pitch, note.end_ticks, note.fermata)
    )
    n_voices = max_polyphony(ordered)
    if n_voices > MAX_SEPARATED_VOICES:
        limit = f"at most {MAX_SEPARATED_VOICES} voices"
        raise ValueError(f"notes are separated into {limit}, got {n_voices} at once")
    registers = _registers(ordered, n_voices)
    beam = [_Assignment(0.0, registers, (0,) * n_voices, None)]
    for note in ordered:
        beam = _extend_beam(beam, note, registers)
    voices: list[list[Note]] = [[] for _ in registers]
    for note, voice in zip(reversed(ordered), _backtrack(beam[0]), strict=True):
        voices[voice].append(note)
    return tuple(tuple(reversed(voice)) for voice in voices)


def _registers(notes: Sequence[Note], n_voices: int) -> tuple[float, ...]:
    """Mean pitch of each voice where all of them sound."""
    sums, n_chords = [0] * n_voices, 0
    sounding: list[Note] = []
    for onset, starting in itertools.groupby(notes, key=lambda note: note.onset_ticks):
        sounding = [note for note in sounding if note.end_ticks > onset] + list(starting)
        if len(sounding) == n_voices:
            n_chords += 1
            pitches = sorted((note.pitch for note in sounding), reverse=True)
            sums = [total + pitch for total, pitch in zip(sums, pitches, strict=True)]
    return tuple(total / n_chords for total in sums)


def _extend_beam(
    beam: Sequence[_Assignment], note: Note, registers: Sequence[float]
) -> list[_Assignment]:
    """The best assignments with one more note, the best first.

    Of those that leave all voices in the same state only the best is kept.
    """
    register_costs = [_REGISTER_COST * abs(note.pitch - register) for register in registers]
    choices = sorted(_extensions(beam, note, register_costs))
    best, end = choices[0][0], note.end_ticks
    width = max(_BEAM_BUDGET // len(registers), _MIN_BEAM_WIDTH)
    found: dict[tuple[tuple[float, ...], tuple[int, ...]], _Assignment] = {}
    for cost, voice, index in choices:
        if cost > best + _BEAM_MARGIN or len(found) == width:
            break
        _, pitches, ends, last_choice = beam[index]
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
    """Voices that the note can join unless that is hopeless: (cost, voice, index in `beam`)."""
    pitch, onset, limit = note.pitch, note.onset_ticks, math.inf
    choices = []
    for index, (cost, pitches, ends, _) in enumerate(beam):
        # Above all voices, the note crosses those that sound higher.
        for last_pitch, end in zip(pitches, ends):  # noqa: B905 (strict takes time)
            if end > onset and last_pitch > pitch:
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
                    choices.append((whole, voice, index))
                    limit = min(limit, whole + _BEAM_MARGIN)
            elif leap:  # below this voice, it crosses it if it is higher, and else no longer
                cost += _CROSSING_COST if leap > 0 else -_CROSSING_COST
    return choices


def _backtrack(last: _Assignment) -> Iterator[int]:
    """Voices of the notes, of the last note first."""
    choice = last.last_choice
    while choice:
        yield choice.voice
        choice = choice.previous
