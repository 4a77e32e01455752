"""Prompts: a score with holes says what is given and what is to be composed, for every task."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from seqmusic.errors import RequestError
from seqmusic.generation.requested_voices import (
    default_voices,
    matching_voice_names,
    parse_voice_name,
    requested_voice_names,
    selected_voices,
    with_voices,
)
from seqmusic.score import SATB, Note, Score, Voice
from seqmusic.tokens.augmentation import COMPASS
from seqmusic.tokens.tokenizer import Hole

MAX_PIECE_BARS = 64


@dataclass(frozen=True, slots=True)
class Prompt:
    """Given music, and the spans of it to be composed.

    Attributes:
        score: with all requested voices, named as the model knows them (Soprano, Alto, Tenor, Bass,
            or Voice 1, Voice 2 ...), also empty ones. Notes that begin in a hole are ignored.
        holes: one tuple per voice, each of spans (start, end) in ticks; the music ends where the
            last hole or note ends.
        style: the number of the requested style, None for none.
    """

    score: Score
    holes: tuple[tuple[Hole, ...], ...]
    style: int | None = None

    def is_given(self, voice: int, note: Note) -> bool:
        """Whether a note of a voice stands outside its holes."""
        return not any(
            start <= note.onset_ticks and (end is None or note.onset_ticks < end)
            for start, end in self.holes[voice]
        )

    @property
    def end_ticks(self) -> int:
        """Where the music ends."""
        return max([self.score.end_ticks, *(end or 0 for line in self.holes for _, end in line)])

    def gives_end_of(self, voice: int) -> bool:
        """Whether the note that ends a voice at the end of the music is given."""
        notes = self.score.voices[voice].notes
        is_last = bool(notes) and notes[-1].end_ticks == self.end_ticks
        return is_last and self.is_given(voice, notes[-1])


def continuation_prompt(
    theme: Score, bars: int = 8, voices: str = "satb", model_voices: Sequence[str] = SATB
) -> Prompt:
    """The theme, open to the end of the last bar; missing voices are composed from the start.

    Args:
        theme: the beginning.
        bars: in all.
        voices: "melody", "satb" (four voices), or a number.
        model_voices: names of the voices that the model has learned.

    Raises:
        RequestError: the theme has no notes, too many voices, or no fewer bars than `bars`.
    """
    if not 1 <= bars <= MAX_PIECE_BARS:
        raise ValueError(f"bars must be in 1..{MAX_PIECE_BARS}, got {bars}")
    names = requested_voice_names(voices, model_voices)
    require_notes(theme)
    if not theme.time_signatures:
        raise RequestError("the theme has no time signature; set one with --time-signature")
    end = _end_ticks(theme, bars)
    if theme.end_ticks >= end:
        n_bars = sum(bar.number > 0 for bar in theme.bars())
        raise RequestError(
            f"the theme has {n_bars} {'bar' if n_bars == 1 else 'bars'}, which leaves none of "
            f"{bars} to compose; request more, such as --bars {min(n_bars + 4, MAX_PIECE_BARS)}"
        )
    score = with_voices(theme, matching_voice_names(theme, names), names)
    return Prompt(score, tuple(((voice.end_ticks, end),) for voice in score.voices))


def require_notes(theme: Score) -> None:
    """Refuse a theme without notes.

    Raises:
        RequestError: there are none.
    """
    if not theme.n_notes:
        raise RequestError("the theme has no notes; give at least one, for instance C4")


def harmonization_prompt(
    given: Score, names: Sequence[str] = (), model_voices: Sequence[str] = SATB
) -> Prompt:
    """The given voices as they are, and holes in the other ones of soprano, alto, tenor, bass.

    Args:
        given: one to three voices, or more of which `names` selects some.
        names: which of Soprano, Alto, Tenor, Bass they are; by default a single voice is the
            soprano, and several are known by their own names.
        model_voices: names of the voices that the model has learned.

    Raises:
        RequestError: nothing is given, nothing is left to compose, or it is unclear which voices
            are given.
    """
    if tuple(model_voices) != SATB:
        raise RequestError(
            "this model has learned numbered voices, not soprano, alto, tenor and bass; seqmusic "
            "continue --voices 4 composes others beside a theme that is as long as the piece"
        )
    if given.n_notes == 0:
        raise RequestError("there are no notes to harmonize; give at least one, for instance C5")
    given, names = _named_voices(given, tuple(parse_voice_name(name) for name in names))
    if len(names) == len(SATB):
        raise RequestError(
            "all four voices are given, so nothing is left to compose; "
            "pick some with --voice, such as --voice soprano"
        )
    score = with_voices(given, names, SATB)
    if not score.n_notes:
        raise RequestError(f"the {' and '.join(names).lower()} has no notes; pick another voice")
    return Prompt(score, tuple(() if name in names else ((0, score.end_ticks),) for name in SATB))


def _named_voices(given: Score, names: tuple[str, ...]) -> tuple[Score, tuple[str, ...]]:
    """The given voices, of which `names` may select some, and their names among SATB."""
    score_names = tuple(voice.name for voice in given.voices)
    if not names:
        names = SATB[:1] if len(score_names) == 1 else score_names
    elif len(names) < len(score_names) and set(names) <= set(score_names):
        voices = tuple(voice for voice in given.voices if voice.name in names)
        given, names = replace(given, voices=voices), tuple(voice.name for voice in voices)
    is_distinct = len(set(names)) == len(names)
    if not is_distinct or len(names) != len(given.voices) or not set(names) <= set(SATB):
        raise RequestError(
            f"there are {len(score_names)} voices ({', '.join(score_names)}); "
            "name as many with --voice, such as --voice soprano,bass"
        )
    return given, names


def regeneration_prompt(
    score: Score,
    bars: tuple[int, int] | None = None,
    voices: Sequence[str] = (),
    model_voices: Sequence[str] = SATB,
) -> Prompt:
    """The score with a hole in some bars of some voices.

    A note held into the first bar stays, and one held out of the last bar is composed anew.

    Args:
        score: in one voice, in four, or in some named Soprano, Alto, Tenor, Bass.
        bars: first and last, numbered as printed (a pickup is bar 0); None for all.
        voices: names of the voices to compose; all by default.
        model_voices: names of the voices that the model has learned.

    Raises:
        RequestError: there are no such bars or voices, or nothing in them.
    """
    if score.n_notes == 0:
        raise RequestError("the score has no notes")
    requested = requested_voice_names(default_voices(score, model_voices), model_voices)
    names = matching_voice_names(score, requested)
    start, end = _bar_range_ticks(score, bars)
    selected = selected_voices(score, names, voices)
    holes = tuple(
        voice_hole(voice, start, end) if name in selected else ()
        for name, voice in zip(names, score.voices, strict=True)
    )
    if not any(holes):
        raise RequestError("no note begins there, and no voice rests; choose other bars or voices")
    return Prompt(with_voices(score, names, names), holes)


def with_random_holes(prompt: Prompt, share: float, rng: np.random.Generator) -> Prompt:
    """The prompt with smaller holes: those of notes drawn at random from its holes.

    Each note is drawn with probability `share`, and at least one is.

    Raises:
        RequestError: no note begins in the holes.
    """
    notes = [
        (voice, note)
        for voice, line in enumerate(prompt.score.voices)
        for note in line.notes
        if not prompt.is_given(voice, note)
    ]
    if not notes:
        raise RequestError("no note begins there; choose other bars or voices")
    drawn = rng.random(len(notes)) < share
    drawn[rng.integers(len(notes))] = True
    holes: list[list[tuple[int, int]]] = [[] for _ in prompt.holes]
    for (voice, note), is_drawn in zip(notes, drawn.tolist(), strict=True):
        line = holes[voice]
        if is_drawn and line and line[-1][1] == note.onset_ticks:
            line[-1] = (line[-1][0], note.end_ticks)
        elif is_drawn:
            line.append((note.onset_ticks, note.end_ticks))
    return replace(prompt, holes=tuple(tuple(line) for line in holes))


def fitting_shift(score: Score) -> int:
    """Semitones by which to move a prompt, as the model knows each voice only in its compass.

    The shift leaves the fewest notes outside; of several, whole octaves are preferred, then the
    nearest one. What is composed is moved back.

    >>> from seqmusic.formats.theme import parse_theme
    >>> fitting_shift(parse_theme("G4 A4 B4")), fitting_shift(parse_theme("G2 A2 B2"))
    (0, 24)
    """
    compasses = [COMPASS.get(voice.name, (0, 127)) for voice in score.voices]
    pitches = [
        (note.pitch, *compass)
        for compass, voice in zip(compasses, score.voices, strict=True)
        for note in voice.notes
    ]
    lowest = max([max(high for _, high in compasses) - 127, *(-pitch for pitch, _, _ in pitches)])
    highest = min([min(low for low, _ in compasses), *(127 - pitch for pitch, _, _ in pitches)])

    def misfit(shift: int) -> tuple[int, bool, int]:
        outside = sum(not low <= pitch + shift <= high for pitch, low, high in pitches)
        return outside, shift % 12 != 0, abs(shift)

    return min(range(min(lowest, 0), max(highest, 0) + 1), key=misfit)


def _bar_range_ticks(score: Score, bars: tuple[int, int] | None) -> tuple[int, int]:
    """Onset of the first bar, and end of the last bar or of the music."""
    if bars is None:
        return 0, score.end_ticks
    all_bars = score.bars()
    if not all_bars:
        raise RequestError("the score has no time signature, and so no bars to count")
    first, last = bars
    if first > last:
        raise RequestError(f"bars {first}-{last} hold nothing: the first comes after the last")
    by_number = {bar.number: bar for bar in all_bars}
    if first not in by_number or last not in by_number:
        raise RequestError(
            f"bars {first}-{last} do not exist; the music has bars {min(by_number)}-"
            f"{max(by_number)} (a pickup is bar 0)"
        )
    return by_number[first].onset_ticks, min(by_number[last].end_ticks, score.end_ticks)


def voice_hole(voice: Voice, start: int, end: int) -> tuple[Hole, ...]:
    """The span without a note held into it, and with the whole of a note held out of it."""
    for note in voice.notes:
        if note.onset_ticks < start < note.end_ticks:
            start = note.end_ticks
        elif start <= note.onset_ticks < end:
            end = max(end, note.end_ticks)
    return ((start, end),) if start < end else ()


def _end_ticks(theme: Score, n_bars: int) -> int:
    """End of the last of `n_bars` bars, through changes of time signature, a pickup not counted.

    After a pickup the last bar is short by it, as chorales are printed: the two make one bar.
    """
    longest = max(signature.bar_ticks for _, signature in theme.time_signatures)
    bars = [bar for bar in theme.bars(theme.pickup_ticks + n_bars * longest) if bar.number]
    return bars[n_bars - 1].end_ticks - theme.pickup_ticks
