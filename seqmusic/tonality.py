"""Keys and spelling: which letter a pitch is written with, and which key a score is in.

Letters are positions on the line of fifths, ... Eb Bb F C G D A E B F# C# ..., with C = 0. A key
with s sharps holds the seven positions s-1 .. s+5; the other five pitch classes are spelled as in
chorales: raised rather than lowered, so that leading tones are written as leading tones.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import NamedTuple

from seqmusic.score import TICKS_PER_QUARTER, TICKS_PER_WHOLE, Key, Score

STEPS = "FCGDAEB"  # along the line of fifths, F = -1
_STEP_PITCH_CLASSES = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
# The lowest of the twelve positions in use, relative to the key's sharps.
_LOWEST_FIFTH = {"major": -3, "minor": -2, "": -3}
_TONIC_FIFTH = {"major": 0, "minor": 3, "": 0}
# Krumhansl & Kessler 1982, probe-tone ratings, from the tonic upwards.
_PROFILES = {
    "major": (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88),
    "minor": (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17),
}


_FINAL_CORRELATION = 0.2  # what a piece's end on the tonic counts beside the correlations


class Spelling(NamedTuple):
    """A written pitch.

    Attributes:
        step: letter, "C".."B".
        alter: semitones up (sharps) or down (flats).
        octave: written octave, C4 = MIDI 60; B#3 sounds as C4.
    """

    step: str
    alter: int
    octave: int

    @property
    def pitch(self) -> int:
        """MIDI number."""
        return 12 * (self.octave + 1) + _STEP_PITCH_CLASSES[self.step] + self.alter

    @property
    def fifth(self) -> int:
        """Position on the line of fifths, C = 0."""
        return STEPS.index(self.step) - 1 + 7 * self.alter

    def __str__(self) -> str:
        return f"{self.step}{'#' * self.alter}{'b' * -self.alter}{self.octave}"


def spell(pitch: int, key: Key | None) -> Spelling:
    """How `pitch` is written in `key` (C major when None).

    >>> str(spell(70, Key(-1, "major"))), str(spell(68, Key(0, "minor")))
    ('Bb4', 'G#4')
    """
    key = key or Key(0, "major")
    lowest = key.sharps + _LOWEST_FIFTH[key.mode]
    return spelling_at_fifth(pitch, lowest + (7 * pitch - lowest) % 12)


def spelling_at_fifth(pitch: int, fifth: int) -> Spelling:
    """How `pitch` is written at a position on the line of fifths where it sounds.

    >>> str(spelling_at_fifth(70, -2)), str(spelling_at_fifth(70, 10))
    ('Bb4', 'A#4')
    """
    step, alter = STEPS[(fifth + 1) % 7], (fifth + 1) // 7
    return Spelling(step, alter, (pitch - alter) // 12 - 1)


def with_default_mode(key: Key) -> Key:
    """The key itself, or the major key with its signature where the mode is unknown.

    >>> with_default_mode(Key(-1)), with_default_mode(Key(-1, "minor"))
    (Key(sharps=-1, mode='major'), Key(sharps=-1, mode='minor'))
    """
    return key if key.mode else replace(key, mode="major")


def key_name(key: Key) -> str:
    """The key in words: "D minor", "Bb major", or "2 flats" when the mode is unknown.

    >>> key_name(Key(-1, "minor")), key_name(Key(-2))
    ('D minor', '2 flats')
    """
    if not key.mode:
        if not key.sharps:
            return "no sharps or flats"
        kind = "sharp" if key.sharps > 0 else "flat"
        return f"{abs(key.sharps)} {kind}{'s' * (abs(key.sharps) != 1)}"
    fifth = key.sharps + _TONIC_FIFTH[key.mode]
    alter = (fifth + 1) // 7
    return f"{STEPS[(fifth + 1) % 7]}{'#' * alter}{'b' * -alter} {key.mode}"


def parse_key(text: str) -> Key:
    """Read "D minor", "Bb major", "F#m", "Eb".

    >>> parse_key("D minor"), parse_key("Bb")
    (Key(sharps=-1, mode='minor'), Key(sharps=-2, mode='major'))

    Raises:
        ValueError: the text is not a key of at most seven sharps or flats.
    """
    tonic, *rest = text.replace("♯", "#").replace("♭", "b").split() or [""]
    mode = " ".join(rest).lower() or "major"
    if not rest and tonic[1:].endswith("m"):
        tonic, mode = tonic[:-1], "minor"
    name = f"{tonic[:1].upper()}{tonic[1:]} {mode}"
    for key in all_keys():
        if key_name(key) == name:
            return key
    raise ValueError(f"a key is written like 'D minor', 'Bb major' or 'F#m', got {text!r}")


def all_keys() -> list[Key]:
    """The thirty keys of at most seven sharps or flats, major and minor."""
    return [Key(sharps, mode) for mode in ("major", "minor") for sharps in range(-7, 8)]


def tonic_pitch_class(key: Key) -> int:
    """Pitch class of the tonic, 0 = C; of the major key when the mode is unknown.

    >>> tonic_pitch_class(Key(1, "major")), tonic_pitch_class(Key(1, "minor"))
    (7, 4)
    """
    return 7 * (key.sharps + _TONIC_FIFTH[key.mode]) % 12


def scale_pitch_classes(key: Key) -> frozenset[int]:
    """Pitch classes of the key's scale, in minor with both forms of the sixth and seventh degree.

    >>> sorted(scale_pitch_classes(Key(0, "major"))), sorted(scale_pitch_classes(Key(0, "minor")))
    ([0, 2, 4, 5, 7, 9, 11], [0, 2, 4, 5, 6, 7, 8, 9, 11])
    """
    classes = {7 * (key.sharps + fifth) % 12 for fifth in range(-1, 6)}
    if key.mode == "minor":
        classes |= {(tonic_pitch_class(key) + 9) % 12, (tonic_pitch_class(key) + 11) % 12}
    return frozenset(classes)


def infer_key(score: Score, *, is_whole: bool = True) -> Key:
    """The key with the highest of the `key_correlations`; C major without notes.

    >>> from seqmusic.score import Note, melody
    >>> pitches = (62, 64, 65, 69, 70, 69, 61, 62)
    >>> infer_key(melody([Note(24 * i, 24, pitch) for i, pitch in enumerate(pitches)]))
    Key(sharps=-1, mode='minor')
    """
    if not score.n_notes:
        return Key(0, "major")
    correlations = key_correlations(score, is_whole=is_whole)
    return max(correlations, key=lambda key: correlations[key])


def with_inferred_key(score: Score) -> Score:
    """The score with a key, unless it has no notes: its own, or the one that its notes suggest.

    The key on whose tonic the lowest voice ends is preferred: music of the chorales' time mostly
    ends there, also where its mode is an old one.

    >>> from seqmusic.score import Note, melody
    >>> with_inferred_key(melody([Note(0, 24, 62), Note(24, 24, 66), Note(48, 24, 62)])).key
    Key(sharps=2, mode='major')
    """
    if score.key is not None or not score.n_notes:
        return score
    correlations = key_correlations(score)
    final = [voice for voice in score.voices if voice.notes][-1].notes[-1].pitch % 12

    def fit(key: Key) -> float:
        return correlations[key] + _FINAL_CORRELATION * (tonic_pitch_class(key) == final)

    return replace(score, key=max(correlations, key=fit))


def with_tonal_key(score: Score) -> Score:
    """The score with a key on whose tonic its lowest voice ends, if its own key has another one.

    Old modes are printed with the key signature of another key: a piece in D dorian without
    accidentals, as if it were in C major. Its tonic is D all the same. Major or minor is the third
    that sounds for longer before the last chord, which may be major in a minor key.

    >>> from seqmusic.score import Note, melody
    >>> dorian = melody([Note(24 * i, 24, pitch) for i, pitch in enumerate((62, 65, 69, 64, 62))])
    >>> with_tonal_key(replace(dorian, key=Key(0, "major"))).key
    Key(sharps=-1, mode='minor')
    """
    key, lines = score.key, [voice.notes for voice in score.voices if voice.notes]
    if not lines:
        return score
    final = lines[-1][-1].pitch % 12
    if key and key.mode and tonic_pitch_class(key) == final:
        return score
    inferred = with_inferred_key(replace(score, key=None)).key
    if inferred and tonic_pitch_class(inferred) == final:
        inferred = _in_mode_of_thirds(inferred, score)
    return replace(score, key=inferred)


def _in_mode_of_thirds(key: Key, score: Score) -> Key:
    """The key in the mode of the third on its tonic that sounds for longer before the end."""
    tonic, ticks = tonic_pitch_class(key), {3: 0, 4: 0}
    for voice in score.voices:
        for note in voice.notes:
            third = (note.pitch - tonic) % 12
            if third in ticks and note.end_ticks < score.end_ticks:
                ticks[third] += note.duration_ticks
    if ticks[3] == ticks[4]:
        return key
    mode = "minor" if ticks[3] > ticks[4] else "major"
    keys = (one for one in all_keys() if one.mode == mode and tonic_pitch_class(one) == tonic)
    return min(keys, key=lambda one: abs(one.sharps))


def key_correlations(score: Score, *, is_whole: bool = True) -> dict[Key, float]:
    """Correlation of each key's profile with the durations of the pitch classes, -1..1.

    Of two keys that sound alike, only the one with fewer accidentals is listed.

    Args:
        score: a whole piece or a part of one.
        is_whole: whether the score ends where a piece ends: the last note of its lowest voice then
            counts as one bar longer. In a part, the first note of its highest voice counts as a
            quarter longer.

    >>> from seqmusic.score import Note, melody
    >>> found = key_correlations(melody([Note(0, 24, 60), Note(24, 24, 67)]))  # G: 1 + 4 quarters
    >>> round(found[Key(1, "major")], 3), round(found[Key(0, "major")], 3), len(found)
    (0.712, 0.543, 24)

    Source: C. Krumhansl, Cognitive Foundations of Musical Pitch, 1990, chapter 4 (key finding by
    correlation).
    """
    weights = [0.0] * 12
    for voice in score.voices:
        for note in voice.notes:
            weights[note.pitch % 12] += note.duration_ticks
    if sounding := [voice for voice in score.voices if voice.notes]:
        if is_whole:
            weights[sounding[-1].notes[-1].pitch % 12] += TICKS_PER_WHOLE
        else:
            weights[sounding[0].notes[0].pitch % 12] += TICKS_PER_QUARTER
    keys = [key for key in all_keys() if -5 <= key.sharps <= 6]
    return {key: _correlation(weights, key_profile(key)) for key in keys}


def key_profile(key: Key) -> list[float]:
    """How well each pitch class fits the key, from C upwards: Krumhansl's probe-tone ratings."""
    tonic = tonic_pitch_class(key)
    return [_PROFILES[key.mode][(pitch_class - tonic) % 12] for pitch_class in range(12)]


def _correlation(a: Iterable[float], b: Iterable[float]) -> float:
    a, b = list(a), list(b)
    mean_a, mean_b = sum(a) / len(a), sum(b) / len(b)
    dot = sum((x - mean_a) * (y - mean_b) for x, y in zip(a, b, strict=True))
    norm = sum((x - mean_a) ** 2 for x in a) * sum((y - mean_b) ** 2 for y in b)
    return dot / norm**0.5 if norm else 0.0
