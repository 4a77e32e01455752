"""What repeats its rhythm and is no isorhythm: strophes, figuration and tunes of equal phrases."""

from __future__ import annotations

from collections.abc import Sequence

from seqmusic.recognition.techniques.sections import TaleaSection

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
        section.n_taleae >= 2 and longest <= _TOLERANCE * section.talea_ticks
        for section in sections
    )


def is_homophonic(sections: Sequence[TaleaSection], others: Sequence[TaleaSection]) -> bool:
    """Whether two voices state the same talea at the same time: a tune of equal phrases in chords.

    Args:
        sections: of one voice.
        others: sections of another voice.
    """
    return any(
        section.talea == other.talea and section.onsets == other.onsets
        for section in sections
        for other in others
    )
