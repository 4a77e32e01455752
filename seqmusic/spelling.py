"""How the notes of a score are spelled: by the key, and by the notes around each.

A pitch class has several positions on the line of fifths (Bb = -2, A# = 10, twelve apart); the
one taken is the nearest to its context. That one principle holds the rules of textbooks. A raised
degree rises by a minor second, five fifths away (A# to B), where the lowered one would rise by a
chromatic semitone, seven away (Bb to B); downwards it is the other way round. The notes of a major
triad lie within four fifths (Bb D F), those of its wrong spellings within eleven (A# D F).

The context of a note is the key, the notes of two bars before and after it, those that sound
with it, and its neighbors in its voice. Its weights were chosen by the training and validation
works of the chorales.

Source: the line of fifths and nearness on it, D. Temperley, The Cognition of Basic Musical
Structures, 2001, chapter 5; a window before and after, D. Meredith, The ps13 pitch spelling
algorithm, Journal of New Music Research 35, 2006; E. Chew and Y.-C. Chen, Real-time pitch spelling
using the spiral array, Computer Music Journal 29, 2005.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from seqmusic.score import TICKS_PER_WHOLE, Key, Score
from seqmusic.tonality import Spelling, infer_key, spell, spelling_at_fifth

VoiceSpelling: TypeAlias = dict[int, Spelling]
"""The spelling of each note of a voice, by its onset in ticks."""

# Weights of a distance of one fifth.
_KEY_WEIGHT = 0.5
_WINDOW_WEIGHT = 1.0
_CHORD_WEIGHT = 0.5  # for each note that sounds through the whole note
_NEXT_WEIGHT = 1.25
_PREVIOUS_WEIGHT = 0.5
_AMBIGUOUS_STEP = 3  # semitones: a minor third, or the augmented second of minor (Ab B)

_WINDOW_TICKS = 2 * TICKS_PER_WHOLE  # on either side of an onset
# The scale has its center 2 fifths above the sharps; raised degrees are commoner than lowered ones.
_KEY_CENTER = 3.0
_WINDOW_EXCESS = 0.5
_N_PASSES = 2  # in the first, the notes that follow are still spelled by the key alone
_LOWEST_FIFTH, _HIGHEST_FIFTH = -15, 19  # F double flat to B double sharp


@dataclass(slots=True, eq=False)
class _ContextNote:
    """A note among those whose spelling affects its own.

    Attributes:
        voice: index of its voice.
        onset_ticks: from the beginning of the score.
        end_ticks: first tick after it.
        pitch: MIDI number.
        key_fifth: position on the line of fifths by the key alone.
        fifth: position as far as it is known.
        neighbors: notes that sound with it or follow it in its voice, with their weights.
    """

    voice: int
    onset_ticks: int
    end_ticks: int
    pitch: int
    key_fifth: int
    fifth: int
    neighbors: list[tuple[_ContextNote, float]] = field(default_factory=list)

    @property
    def duration_ticks(self) -> int:
        return self.end_ticks - self.onset_ticks


def spell_notes(score: Score) -> list[VoiceSpelling]:
    """The spelling of all notes, by their context; without a key, in the key they sound in.

    The time it takes is linear in the number of notes.

    >>> from seqmusic.score import Key, Note, Voice
    >>> chord = tuple(Voice(str(pitch), (Note(0, 96, pitch),)) for pitch in (65, 62, 58))
    >>> [str(voice[0]) for voice in spell_notes(Score(chord, key=Key(1, "major")))]
    ['F4', 'D4', 'Bb3']
    """
    key = score.key or infer_key(score)
    notes = _context_notes(score, key)
    _link_melodies(notes)
    _link_chords(notes)
    for _ in range(_N_PASSES):
        _respell(notes, key.sharps + _KEY_CENTER)
    spellings: list[VoiceSpelling] = [{} for _ in score.voices]
    for note in notes:
        spellings[note.voice][note.onset_ticks] = spelling_at_fifth(note.pitch, note.fifth)
    return spellings


def _context_notes(score: Score, key: Key) -> list[_ContextNote]:
    """The notes by onset, spelled by the key alone."""
    notes = []
    for index, voice in enumerate(score.voices):
        for note in voice.notes:
            fifth = spell(note.pitch, key).fifth
            start, end = note.onset_ticks, note.end_ticks
            notes.append(_ContextNote(index, start, end, note.pitch, fifth, fifth))
    return sorted(notes, key=lambda note: note.onset_ticks)


def _link_melodies(notes: Sequence[_ContextNote]) -> None:
    """Make neighbors of the notes that follow each other in a voice without a rest.

    A note within a chromatic scale goes by its next note alone: G G# A, but A Ab G. An interval of
    three semitones links nothing.
    """
    latest: dict[int, _ContextNote] = {}
    steps: dict[int, int] = {}  # semitones to the latest note of each voice
    for note in notes:
        before = latest.get(note.voice)
        step = 0
        if before is not None and before.end_ticks == note.onset_ticks:
            step = note.pitch - before.pitch
            if abs(step) == 1 and steps[note.voice] == step:
                before.neighbors.pop()  # the note before it
            if abs(step) != _AMBIGUOUS_STEP:
                before.neighbors.append((note, _NEXT_WEIGHT))
                note.neighbors.append((before, _PREVIOUS_WEIGHT))
        latest[note.voice], steps[note.voice] = note, step


def _link_chords(notes: Sequence[_ContextNote]) -> None:
    """Make neighbors of notes that sound together, by the share of its length that each does."""
    sounding: list[_ContextNote] = []
    for note in notes:
        sounding = [other for other in sounding if other.end_ticks > note.onset_ticks]
        for other in sounding:
            shared_ticks = min(note.end_ticks, other.end_ticks) - note.onset_ticks
            weight = _CHORD_WEIGHT * shared_ticks
            note.neighbors.append((other, weight / note.duration_ticks))
            other.neighbors.append((note, weight / other.duration_ticks))
        sounding.append(note)


def _respell(notes: Sequence[_ContextNote], key_center: float) -> None:
    """Move each note, in order, to the position nearest to its context."""
    first = after = ticks = tick_fifths = 0  # the window is notes[first:after]
    for note in notes:
        while after < len(notes) and notes[after].onset_ticks <= note.onset_ticks + _WINDOW_TICKS:
            ticks += notes[after].duration_ticks
            tick_fifths += notes[after].duration_ticks * notes[after].fifth
            after += 1
        while notes[first].onset_ticks < note.onset_ticks - _WINDOW_TICKS:
            ticks -= notes[first].duration_ticks
            tick_fifths -= notes[first].duration_ticks * notes[first].fifth
            first += 1
        # The note itself does not count, or it would keep the spelling that it has.
        duration = note.duration_ticks
        center, tick_fifths = key_center, tick_fifths - duration * note.fifth
        if ticks > duration:
            center = tick_fifths / (ticks - duration) + _WINDOW_EXCESS
        note.fifth = _nearest_fifth(note, key_center, center)
        tick_fifths += duration * note.fifth


def _nearest_fifth(note: _ContextNote, key_center: float, window_center: float) -> int:
    """The position of least distance to the context; of equal ones that of the key."""

    def distance(fifth: int) -> float:
        total = _KEY_WEIGHT * abs(fifth - key_center) + _WINDOW_WEIGHT * abs(fifth - window_center)
        for neighbor, weight in note.neighbors:
            total += weight * abs(fifth - neighbor.fifth)
        return total

    other = note.key_fifth + (-12 if note.key_fifth >= key_center else 12)
    if not _LOWEST_FIFTH <= other <= _HIGHEST_FIFTH:
        return note.key_fifth
    return min(note.key_fifth, other, key=distance)
