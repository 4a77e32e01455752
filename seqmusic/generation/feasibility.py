"""Whether a request can be met, before anything is drawn: what is given may contradict what is asked."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from seqmusic.errors import RequestError, ThemeError
from seqmusic.formats.theme import parse_theme
from seqmusic.generation.constraints import Constraints, third_pitch_classes
from seqmusic.generation.prompts import Prompt
from seqmusic.generation.request import Request
from seqmusic.score import SATB, TICKS_PER_SIXTEENTH, Key, Score
from seqmusic.tokens.augmentation import COMPASS
from seqmusic.tonality import key_name, spell, tonic_pitch_class

_SILENT = -1


def constraints_of(prompt: Prompt, request: Request, shift: int = 0) -> Constraints:
    """What composed music must obey, for a prompt that is moved by `shift` semitones.

    Raises:
        RequestError: what is given cannot stand beside what is asked; the text says where.
    """
    key = prompt.score.key
    if request.scale and key is None:
        raise RequestError("a scale needs a key; say one with --key")
    asked = _parse_compasses(request.compass, prompt)
    against = (
        "a cadence needs a key; say one with --key"
        if key is None
        else _cadence_conflict(prompt, key, asked)
    )
    if request.cadence and against:
        raise RequestError(against)
    if request.strict and (fault := next(voice_leading_faults(_given_score(prompt)), None)):
        raise RequestError(f"{fault}; as they are given, --strict cannot be met")
    moved = {name: (low + shift, high + shift) for name, (low, high) in asked.items()}
    return Constraints(
        compass=COMPASS | moved,
        scale=request.scale,
        cadence=request.cadence is not False and not against,
        strict=request.strict,
        lenience=request.lenience,
    )


def voice_leading_faults(score: Score) -> Iterator[str]:
    """What --strict forbids and a score has: each crossing of two voices, and each parallel fifth or octave, in words.

    Two voices move in parallel where they go the same way, from one perfect fifth, octave or unison to the next, at one tick or
    from one sixteenth to the next.
    """
    pitches = _pitches_by_tick(score)
    names = [voice.name for voice in score.voices]
    for high in range(len(names)):
        for low in range(high + 1, len(names)):
            a, b = pitches[high], pitches[low]
            pair = f"{names[high].lower()} and {names[low].lower()}"
            for tick in _run_starts((a < b) & (a != _SILENT) & (b != _SILENT)):
                yield f"{pair} cross in bar {_bar_number(score, tick)}"
            for kind, interval in (("fifths", 7), ("octaves", 0)):
                for tick in _run_starts(_parallel_tick_mask(a, b, interval)):
                    yield f"{pair} move in parallel {kind} in bar {_bar_number(score, tick)}"


def _given_score(prompt: Prompt) -> Score:
    voices = tuple(
        replace(voice, notes=tuple(note for note in voice.notes if prompt.is_given(number, note)))
        for number, voice in enumerate(prompt.score.voices)
    )
    return replace(prompt.score, voices=voices)


def _pitches_by_tick(score: Score) -> NDArray[np.int16]:
    """(voice, tick) what sounds."""
    pitches = np.full((len(score.voices), score.end_ticks + 1), _SILENT, dtype=np.int16)
    for row, voice in zip(pitches, score.voices, strict=True):
        for note in voice.notes:
            row[note.onset_ticks : note.end_ticks] = note.pitch
    return pitches


def _parallel_tick_mask(
    a: NDArray[np.int16], b: NDArray[np.int16], interval: int
) -> NDArray[np.bool_]:
    """(tick,) whether the two move into it in parallel intervals of that many semitones, octaves apart or not."""
    found = np.zeros(len(a), dtype=bool)
    for step in (1, TICKS_PER_SIXTEENTH):
        ticks = np.arange(step, len(a), step)
        before = ticks - step
        moves = (np.sign(a[ticks] - a[before]) == np.sign(b[ticks] - b[before])) & (
            a[ticks] != a[before]
        )
        sound = (
            np.minimum(np.minimum(a[ticks], a[before]), np.minimum(b[ticks], b[before])) != _SILENT
        )
        fits = (np.abs(a[before] - b[before]) % 12 == interval) & (
            np.abs(a[ticks] - b[ticks]) % 12 == interval
        )
        found[ticks] |= moves & sound & fits
    return found


def _run_starts(found: NDArray[np.bool_]) -> list[int]:
    """First ticks of the runs that are true."""
    return [int(tick) for tick in np.flatnonzero(found & ~np.concatenate(([False], found[:-1])))]


def _bar_number(score: Score, tick: int) -> int:
    return next((bar.number for bar in score.bars(tick + 1) if bar.end_ticks > tick), 1)


def _cadence_conflict(prompt: Prompt, key: Key, compasses: Mapping[str, tuple[int, int]]) -> str:
    """Why the last chord cannot be that of the tonic; empty where it can."""
    lowest, tonic = len(prompt.score.voices) - 1, tonic_pitch_class(key)
    for number, voice in enumerate(prompt.score.voices):
        chord = (
            {tonic} if number == lowest else {tonic, (tonic + 7) % 12, *third_pitch_classes(key)}
        )
        wanted = f"{'the tonic' if number == lowest else 'a note of the tonic chord'} of {key_name(key)}: no cadence"
        low, high = compasses.get(voice.name, (0, 127))
        if (
            voice.notes
            and prompt.is_given(number, voice.notes[-1])
            and voice.end_ticks == prompt.end_ticks
        ):
            if voice.notes[-1].pitch % 12 not in chord:
                return f"the {voice.name.lower()} ends on {spell(voice.notes[-1].pitch, key)}, not on {wanted}"
        elif not any(pitch % 12 in chord for pitch in range(low, high + 1)):
            return f"the compass of the {voice.name.lower()} does not hold {wanted}"
    return ""


def _parse_compasses(texts: Sequence[str], prompt: Prompt) -> dict[str, tuple[int, int]]:
    """Lowest and highest pitch by voice, from texts such as soprano=C4-G5."""
    found = {}
    for text in texts:
        match = re.fullmatch(
            r"\s*([A-Za-z]+)\s*=\s*([A-Za-z#b♯♭]*[0-9]+)\s*-\s*([A-Za-z#b♯♭]*[0-9]+)\s*", text
        )
        name = next((name for name in SATB if match and match[1].lower() == name.lower()), None)
        if match is None or name is None:
            raise RequestError(f"a compass is written like soprano=C4-G5, got {text!r}")
        try:
            low, high = (
                parse_theme(pitch).voices[0].notes[0].pitch for pitch in match.groups()[1:]
            )
        except (ThemeError, IndexError) as error:
            raise RequestError(f"a compass is written like soprano=C4-G5, got {text!r}") from error
        if low > high:
            raise RequestError(f"a compass goes from the lowest pitch to the highest, got {text!r}")
        if name not in {voice.name for voice in prompt.score.voices}:
            raise RequestError(f"there is no {name.lower()} here to have the compass {text!r}")
        found[name] = low, high
    return found
