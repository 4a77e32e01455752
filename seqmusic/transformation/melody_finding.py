"""The melody of any piece: which voice sings, and where its phrases end."""

from __future__ import annotations

import itertools
import re
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from seqmusic.errors import RequestError
from seqmusic.score import Note, Score, Voice

_VOCAL_NAMES = (
    r"voice|vocals?|singstimme|gesang|voix|chant|canto|stimme|melod\w*|tune|"
    r"sopran\w*|cantus|superius|discantus|descant|treble|"
    r"mezzo.*|alto?|contralto|tenor\w*|bariton\w*|bass"
)
_LONG_WAIT = 1.5  # times the median, from one note to the next
_SHORTEST_PHRASE = 5  # notes
MIN_NOTES = 4


@dataclass(frozen=True, slots=True)
class Melody:
    """The melody of a piece.

    Attributes:
        notes: all of them.
        phrase_ends: indices of the last note of each phrase, the last note's included.
        reason: which voice it is, and why.
    """

    notes: tuple[Note, ...]
    phrase_ends: tuple[int, ...]
    reason: str


def find_melody(score: Score) -> Melody:
    """The melody: a voice that is named as one that sings, else the highest that goes through.

    Raises:
        RequestError: no voice has four notes.
    """
    voices = [voice for voice in score.voices if len(voice.notes) >= MIN_NOTES]
    if not voices:
        longest = max((len(voice.notes) for voice in score.voices), default=0)
        raise RequestError(
            f"the source has no melody: its longest voice has {longest} "
            f"{'note' if longest == 1 else 'notes'}, and {MIN_NOTES} are needed"
        )
    voice, reason = _melodic_voice(score, voices)
    return Melody(voice.notes, phrase_ends(voice.notes), reason)


def _melodic_voice(score: Score, voices: Sequence[Voice]) -> tuple[Voice, str]:
    if len(voices) == 1:
        return voices[0], f"The melody is the {voices[0].name}, the only voice."
    for voice in voices:
        if re.fullmatch(rf"(.*\b)?({_VOCAL_NAMES})\b.*", voice.name.lower()):
            return voice, f"The melody is the {voice.name}, the highest voice that sings."
    threshold = max(len(voice.notes) for voice in voices) / 4
    through = [voice for voice in voices if len(voice.notes) >= threshold]
    voice = max(through, key=lambda one: statistics.median(note.pitch for note in one.notes))
    return voice, (
        f"The melody is the {voice.name}, the highest of the {len(score.voices)} voices that goes "
        "through the piece; none has the name of a voice that sings."
    )


def phrase_ends(notes: Sequence[Note]) -> tuple[int, ...]:
    """Indices of the notes that end a phrase: those with fermatas, else before the longest waits.

    A wait is a note that is long, or followed by a rest. A phrase has five notes or more.

    >>> quarters = [Note(24 * i, 24, 60) for i in (0, 1, 2, 3, 4, 6, 7, 8, 9, 10)]
    >>> phrase_ends(quarters)
    (4, 9)
    """
    last = len(notes) - 1
    fermatas = {index for index, note in enumerate(notes) if note.fermata}
    if fermatas:
        return tuple(sorted(fermatas | {last}))
    waits = [after.onset_ticks - note.onset_ticks for note, after in itertools.pairwise(notes)]
    longest_first = sorted(range(len(waits)), key=lambda index: (-waits[index], index))
    median, ends = statistics.median(waits), [-1, last]
    for index in longest_first:
        is_apart = all(abs(index - end) >= _SHORTEST_PHRASE for end in ends)
        if waits[index] >= _LONG_WAIT * median and is_apart:
            ends.append(index)
    return tuple(sorted(ends[1:]))
