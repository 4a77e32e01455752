"""The color: the pitches of a tenor, taken from a tune and put into the compass of a tenor."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from seqmusic.errors import RequestError
from seqmusic.score import Key, transposed_key
from seqmusic.tonality import scale_pitch_classes, with_default_mode
from seqmusic.transformation.melody_finding import Melody

TENOR_COMPASS = (48, 67)
HIGHEST_FINAL = {3: 64, 4: 59}
"""MIDI number of the highest final over which the upper voices keep their compass, by voices."""
_LIMIT_FINAL = {3: 67, 4: 60}  # the same where they go up to the limit of what singers reach
MIN_COLOR, MAX_COLOR = 4, 64
_STEP_DOWN = (-2, -1)


@dataclass(frozen=True, slots=True)
class Color:
    """Pitches of a tenor.

    Attributes:
        pitches: MIDI numbers, the final last.
        tune: pitches of the tune that they are taken from, where it is written.
        shift: semitones from the tune to the color.
        n_prolonged: notes that stand before the final and are not in the tune.
        n_outside: semitones by which it leaves the usual compass.
        key: of the color, None where unknown.
        remarks: sentences that say how it was chosen and what was changed.
    """

    pitches: tuple[int, ...]
    tune: tuple[int, ...]
    shift: int
    n_prolonged: int
    n_outside: int
    key: Key | None
    remarks: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ColorSettings:
    """How a color is chosen.

    Attributes:
        n_notes: how many notes of the tune; None to end with a phrase near the usual number.
        n_usual: the usual number.
        n_most: notes that the piece has room for.
        n_talea: notes of the talea, of which a color best holds a whole number.
        keep_repeats: whether a note that is repeated at once counts twice.
        n_voices: of the motet.
    """

    n_notes: int | None = None
    n_usual: int = 16
    n_most: int = MAX_COLOR
    n_talea: int = 4
    keep_repeats: bool = False
    n_voices: int = 4


def color_of(melody: Melody, key: Key | None, settings: ColorSettings) -> Color:
    """The color that a melody gives.

    Raises:
        RequestError: the melody has too few notes.
    """
    pitches, ends = _merged(melody, settings.keep_repeats)
    n_notes, remark = _cut(pitches, ends, settings)
    tune = pitches[:n_notes]
    prolonged, why = _prolonged(tune, key)
    shift, n_outside, where = _placing(prolonged, key, settings.n_voices)
    return Color(
        pitches=tuple(pitch + shift for pitch in prolonged),
        tune=tuple(tune),
        shift=shift,
        n_prolonged=len(prolonged) - len(tune),
        n_outside=n_outside,
        key=None if key is None else transposed_key(key, shift),
        remarks=(melody.reason, remark, *why, where),
    )


def _merged(melody: Melody, keep_repeats: bool) -> tuple[list[int], set[int]]:
    """Pitches, of which equal neighbors are one, and the indices where phrases end."""
    pitches: list[int] = []
    ends = set()
    for index, note in enumerate(melody.notes):
        if keep_repeats or not pitches or note.pitch != pitches[-1]:
            pitches.append(note.pitch)
        if index in melody.phrase_ends:
            ends.add(len(pitches) - 1)
    return pitches, ends


def _cut(pitches: Sequence[int], ends: set[int], settings: ColorSettings) -> tuple[int, str]:
    """How many notes the color takes, and a sentence that says why."""
    n_all, n_notes = len(pitches), settings.n_notes
    if n_all < MIN_COLOR:
        raise RequestError(
            f"a color needs at least {MIN_COLOR} notes of changing pitch, this tune has {n_all}; "
            "give a longer tune, or --keep-repeats"
        )
    if n_notes is not None:
        if not MIN_COLOR <= n_notes <= min(n_all, MAX_COLOR):
            raise RequestError(
                f"--notes must be in {MIN_COLOR}..{min(n_all, MAX_COLOR)} with this tune, "
                f"got {n_notes}"
            )
        return n_notes, f"The color has its first {n_notes} notes, as requested."
    n_most = max(MIN_COLOR, min(n_all, settings.n_most - 1))
    best = min(range(MIN_COLOR, n_most + 1), key=_cost(pitches, ends, settings))
    where = "the end of a phrase" if best - 1 in ends else "a step down to a final"
    return best, f"The color has its first {best} notes of changing pitch, up to {where}."


def _cost(
    pitches: Sequence[int], ends: set[int], settings: ColorSettings
) -> Callable[[int], float]:
    """How ill a number of notes suits a color."""

    def cost(n_notes: int) -> float:
        falls = pitches[n_notes - 1] - pitches[n_notes - 2] in _STEP_DOWN
        n_color = n_notes + (not falls)  # the upper neighbor is added before the final
        return (
            1.5 * abs(n_color - settings.n_usual) / settings.n_usual
            + 0.6 * (not falls)
            + 0.8 * (n_color % settings.n_talea != 0)
            + 0.5 * (n_notes - 1 not in ends)
        )

    return cost


def _prolonged(tune: Sequence[int], key: Key | None) -> tuple[list[int], tuple[str, ...]]:
    """The tune with the upper neighbor before its final, if it does not fall to it by step."""
    before, final = tune[-2:]
    if before - final in (1, 2):
        return list(tune), ()
    scale = scale_pitch_classes(with_default_mode(key)) if key else frozenset(range(0, 12))
    neighbor = final + (2 if (final + 2) % 12 in scale else 1)
    if before == neighbor:
        return list(tune), ()
    remark = (
        "It does not fall to its final by step, as the cadence needs: the upper neighbor of the "
        "final is added before it."
    )
    return [*tune[:-1], neighbor, final], (remark,)


def _placing(pitches: Sequence[int], key: Key | None, n_voices: int) -> tuple[int, int, str]:
    """Semitones to move the color by, those by which it leaves the compass then, a sentence.

    Whole octaves are preferred, even if the color then leaves the compass by two semitones; else
    keys with few accidentals.
    """
    low, high, final = min(pitches), max(pitches), pitches[-1]
    lowest, highest = TENOR_COMPASS

    def misfit(shift: int) -> tuple[int, float, int]:
        outside = max(0, lowest - low - shift) + max(0, high + shift - highest)
        above = max(0, final + shift - HIGHEST_FINAL[n_voices])
        too_high = max(0, final + shift - _LIMIT_FINAL[n_voices])
        n_accidentals = 0 if key is None else abs(transposed_key(key, shift).sharps)
        cost = outside + above + (2.5 + n_accidentals / 10) * (shift % 12 != 0)
        return too_high, cost, abs(shift)

    shift = min(range(-48, 49), key=misfit)
    octaves, rest = divmod(abs(shift), 12)
    parts = [f"{octaves} {'octave' if octaves == 1 else 'octaves'}"] if octaves else []
    parts += [f"{rest} {'semitone' if rest == 1 else 'semitones'}"] if rest else []
    move = f"{' and '.join(parts)} {'up' if shift > 0 else 'down'}" if parts else "not moved"
    outside = max(0, lowest - low - shift) + max(0, high + shift - highest)
    note = f", which it leaves by {outside} semitones" if outside else ""
    return shift, outside, f"It is put into the compass of a tenor{note}: {move}."
