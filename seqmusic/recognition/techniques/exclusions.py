"""What repeats its rhythm and is no isorhythm: strophes, figuration and tunes of equal phrases."""

from __future__ import annotations

from collections.abc import Sequence

from seqmusic.recognition.techniques.sections import TaleaSection
from seqmusic.score import Voice

MAX_COMMON_NOTES = 0.7
"""Share of the notes of a voice that begin and end with those of another one."""
_TOLERANCE = 1.05


def is_plain_repetition(sections: Sequence[TaleaSection], color_durations: Sequence[int]) -> bool:
    """Whether the pitches return with the talea, or within it, at one and the same speed.

    This is what strophes do, and figures of an accompaniment.

    Args:
        sections: of one voice.
        color_durations: length of each statement of its color, in ticks; empty without a color.
    """
    if not color_durations or len({section.proportion for section in sections}) > 1:
        return False
    longest = max(color_durations)
    return any(
        section.n_taleae > 1 and longest <= _TOLERANCE * section.talea_ticks for section in sections
    )


def is_homophonic(voice: Voice, others: Sequence[Voice]) -> bool:
    """Whether another voice has most of the notes of a voice: a tune of equal phrases in chords.

    >>> from seqmusic.score import Note
    >>> soprano, alto = (Voice(name, (Note(0, 24, p),)) for name, p in (("S", 72), ("A", 67)))
    >>> is_homophonic(soprano, [alto]), is_homophonic(soprano, [Voice("B", ())])
    (True, False)
    """
    notes = {(note.onset_ticks, note.duration_ticks) for note in voice.notes}
    return any(
        len(notes & {(note.onset_ticks, note.duration_ticks) for note in other.notes})
        >= MAX_COMMON_NOTES * len(notes)
        for other in others
    )
