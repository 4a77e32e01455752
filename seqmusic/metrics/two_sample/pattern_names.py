"""Patterns in words, as a musician would name them."""

from __future__ import annotations

from typing import Any

from seqmusic.metrics.harmony import find_kind
from seqmusic.metrics.two_sample.patterns import (
    CHORD,
    INTERVAL,
    INTERVALS,
    PROGRESSION,
    RHYTHM,
    TWO_VOICES,
    Pattern,
)
from seqmusic.score import SATB

_INTERVALS = (
    *("unison", "minor second", "major second", "minor third", "major third", "fourth"),
    *("tritone", "fifth", "minor sixth", "major sixth", "minor seventh", "major seventh"),
    "octave",
)
_SIXTEENTHS = ("on the beat", "on its second sixteenth", "on its half", "on its last sixteenth")
_INVERSIONS = {0: "in root position", 1: "in first inversion"}
_INVERSIONS |= {2: "in second inversion", 3: "in third inversion"}
_SYMMETRIC = ("augmented", "diminished seventh")
_ONE_OR_TWO_PITCHES = {(0,): "octaves alone", (0, 7): "bare fifth", (0, 5): "bare fourth"}


def pattern_name(pattern: Pattern) -> str:
    """What a pattern is.

    >>> pattern_name(Pattern(PROGRESSION, -1, ((0, 4, 7, 10), 5, (0, 4, 7))))
    'dominant seventh in root position to major triad in root position, bass up a fourth'
    >>> pattern_name(Pattern(INTERVALS, 0, (-1, -2)))
    'soprano down a minor second, then down a major second'
    >>> pattern_name(Pattern(RHYTHM, 1, (0, 2))), pattern_name(Pattern(RHYTHM, 3, ()))
    ('alto moves on the beat and on its half', 'bass holds through the beat')
    >>> pattern_name(Pattern(TWO_VOICES, -1, (6, 4, False)))
    'two voices from a tritone to a major third in contrary motion'
    """
    content: tuple[Any, ...] = pattern.content
    voice = SATB[pattern.voice].lower()
    if pattern.family == CHORD:
        return chord_name(content)
    if pattern.family == PROGRESSION:
        before, move, after = content
        return f"{chord_name(before)} to {chord_name(after)}, bass {_move(move)}"
    if pattern.family in (INTERVAL, INTERVALS):
        return f"{voice} {', then '.join(map(_move, content))}"
    if pattern.family == RHYTHM:
        positions = " and ".join(_SIXTEENTHS[position] for position in content)
        return f"{voice} moves {positions}" if content else f"{voice} holds through the beat"
    before, after, is_similar = content
    motion = "similar" if is_similar else "contrary"
    return f"two voices from {_article(before)} to {_article(after)} in {motion} motion"


def group_name(pattern: Pattern) -> str:
    """What the share of a pattern is a share of.

    >>> group_name(Pattern(INTERVAL, 0, (2,))), group_name(Pattern(CHORD, -1, (0, 4, 7)))
    ("of the soprano's moves", 'of beats')
    """
    voice = SATB[pattern.voice].lower()
    return {
        CHORD: "of beats",
        PROGRESSION: "of pairs of beats",
        INTERVAL: f"of the {voice}'s moves",
        INTERVALS: f"of the {voice}'s pairs of moves",
        RHYTHM: "of beats",
        TWO_VOICES: "of moves of two voices",
    }[pattern.family]


def chord_name(above_bass: tuple[int, ...]) -> str:
    """A chord by its pitch classes above the bass.

    >>> chord_name((0, 3, 8)), chord_name((0, 7)), chord_name((0, 2, 7))
    ('major triad in first inversion', 'bare fifth', 'chord of 2 and 7 semitones above the bass')
    """
    kind, root = find_kind(above_bass)
    if not kind:
        semitones = " and ".join(map(str, above_bass[1:]))
        default = f"chord of {semitones} semitones above the bass"
        return _ONE_OR_TWO_PITCHES.get(above_bass, default)
    if kind in _SYMMETRIC:
        return f"{kind} chord"
    # How many chord members lie between the root and the bass, counted down.
    third_to_bass = -root % 12
    inversion = (third_to_bass > 0) + (third_to_bass > 5) + (third_to_bass > 8)
    name = f"{kind} triad" if " " not in kind and "seventh" not in kind else kind
    return f"{name} {_INVERSIONS[inversion]}"


def _move(semitones: int) -> str:
    if semitones == 0:
        return "held"
    size = abs(semitones)
    name = _article(size) if size < len(_INTERVALS) else f"{size} semitones"
    return f"{'up' if semitones > 0 else 'down'} {name}"


def _article(semitones: int) -> str:
    name = _INTERVALS[semitones]
    return f"an {name}" if name == "octave" else f"a {name}"
