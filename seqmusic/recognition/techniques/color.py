"""Colores: a succession of pitches that a voice sings again, whatever its rhythm."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

from seqmusic.array_types import Ints
from seqmusic.recognition.techniques.lines import Line, information_bits
from seqmusic.recognition.techniques.repetitions import repetitions

MIN_COLOR_NOTES = 8
MIN_COLOR_BITS = 30.0
_MIN_SHARE_OF_COLOR = 0.6
_MIN_AGREEMENT = 0.6
_MIN_OTHER_VALUES = 0.5
_MAX_SHIFT = 2  # notes that a statement may have too many or too few


@dataclass(frozen=True, slots=True)
class Color:
    """Pitches that return.

    Attributes:
        n_notes: length of the color.
        first_notes: indexes of the notes of the voice where its statements begin.
        bits: information in the pitches of its longest exact repetition.
    """

    n_notes: int
    first_notes: tuple[int, ...]
    bits: float


def find_color(line: Line) -> Color | None:
    """The color of a voice whose statements follow each other; None without one.

    Its longest exact repetition covers at least 60 % of it and is worth 30 bits.

    >>> from seqmusic.formats.theme import parse_theme
    >>> from seqmusic.recognition.techniques.lines import voice_line
    >>> theme = "C4:1 E D F E G A B F D C:1/2 E D F E G A B F D C E D F E G A B F D"
    >>> find_color(voice_line(parse_theme(theme).voices[0]))
    Color(n_notes=10, first_notes=(0, 10, 20), bits=54.43856189774724)
    """
    pitches = line.pitches[line.is_note]
    if len(pitches) < 2 * MIN_COLOR_NOTES:
        return None
    bits = information_bits(pitches)
    found = [
        run
        for run in repetitions(pitches, bits, min_lag=MIN_COLOR_NOTES, min_bits=MIN_COLOR_BITS)
        if run.length >= _MIN_SHARE_OF_COLOR * run.lag
    ]
    if not found:
        return None
    best = max(found, key=lambda run: (run.length, -run.lag))
    firsts = _statements(pitches, _first_start(pitches, best.start, best.lag), best.lag)
    return Color(best.lag, tuple(firsts), best.bits)


def _first_start(pitches: Ints, start: int, n_notes: int) -> int:
    """The first note of the voice, if the color may as well begin there; else `start`."""
    first = start % n_notes
    is_same = pitches[:first] == pitches[n_notes : n_notes + first]
    return 0 if not first or is_same.mean() >= _MIN_AGREEMENT else start


def _statements(pitches: Ints, start: int, n_notes: int) -> list[int]:
    """Where the color at `start` begins, before and after it too."""
    color = pitches[start : start + n_notes]
    firsts = [start]
    for step in (-n_notes, n_notes):
        first = start
        while (following := _nearest_statement(pitches, color, first + step)) is not None:
            first = following
            firsts.append(first)
    return sorted(firsts)


def _nearest_statement(pitches: Ints, color: Ints, expected: int) -> int | None:
    """The index near `expected` where the pitches agree best with the color, if they do."""
    best, best_agreement = None, _MIN_AGREEMENT
    for shift in sorted(range(-_MAX_SHIFT, _MAX_SHIFT + 1), key=abs):
        first = expected + shift
        part = pitches[max(first, 0) : first + len(color)]
        if first < 0 or len(part) < len(color) // 2:
            continue
        agreement = float((part == color[: len(part)]).mean())
        if agreement > best_agreement:
            best, best_agreement = first, agreement
    return best


def has_other_values(line: Line, color: Color) -> bool:
    """Whether a statement of the color has other values than the one before, and another length.

    At least half of its notes last otherwise, and together they last a tenth more or less. A color
    in equal values is a plain repetition; strophes change single values and keep the length.
    """
    durations = line.values[line.is_note]
    for first, following in itertools.pairwise(color.first_notes):
        n = min(color.n_notes, len(durations) - following)
        before, after = durations[first : first + n], durations[following : following + n]
        ratio = after.sum() / before.sum()
        if (before != after).mean() >= _MIN_OTHER_VALUES and not 0.9 < ratio < 1.1:
            return True
    return False
