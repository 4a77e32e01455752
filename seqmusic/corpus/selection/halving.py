"""Music of the Renaissance in half its note values, as modern editions print it."""

from __future__ import annotations

from dataclasses import replace

from seqmusic.score import Score, TimeSignature

_SHORTEST_BEAT = 8  # the denominator that can still be doubled


def in_shorter_values(score: Score) -> Score:
    """The score in half its values if it counts in whole notes, such as 2/1; else as it is.

    It stays as it is, too, where a half would be no whole number of ticks.

    >>> from seqmusic.score import Note, melody
    >>> mass = replace(melody([Note(0, 192, 60)]), time_signatures=((0, TimeSignature(2, 1)),))
    >>> halved = in_shorter_values(mass)
    >>> halved.time_signatures[0][1], halved.voices[0].notes[0].duration_ticks
    (TimeSignature(numerator=2, denominator=2), 96)
    """
    denominators = [signature.denominator for _, signature in score.time_signatures]
    if min(denominators, default=4) > 1 or max(denominators) > _SHORTEST_BEAT:
        return score
    notes = [note for voice in score.voices for note in voice.notes]
    ticks = [tick for note in notes for tick in (note.onset_ticks, note.duration_ticks)]
    if any(tick % 2 for tick in (*ticks, score.pickup_ticks)):
        return score
    voices = tuple(
        replace(
            voice,
            notes=tuple(
                replace(
                    note, onset_ticks=note.onset_ticks // 2, duration_ticks=note.duration_ticks // 2
                )
                for note in voice.notes
            ),
        )
        for voice in score.voices
    )
    signatures = tuple(
        (tick // 2, TimeSignature(signature.numerator, 2 * signature.denominator))
        for tick, signature in score.time_signatures
    )
    return replace(
        score, voices=voices, time_signatures=signatures, pickup_ticks=score.pickup_ticks // 2
    )
