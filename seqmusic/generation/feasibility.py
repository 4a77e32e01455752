"""Whether a request can be met, before anything is drawn: given music may contradict it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from seqmusic.array_types import Mask
from seqmusic.counterpoint import perfect_parallels
from seqmusic.errors import RequestError, ThemeError
from seqmusic.formats.theme import parse_theme
from seqmusic.generation.constraints import Constraints, third_pitch_classes
from seqmusic.generation.prompts import Prompt
from seqmusic.generation.request import Request
from seqmusic.pitch_grid import REST_CELL, pitch_grid
from seqmusic.score import SATB, TICKS_PER_SIXTEENTH, Key, Score
from seqmusic.tokens.augmentation import COMPASS
from seqmusic.tonality import key_name, spell, tonic_pitch_class

_COMPASS_PATTERN = r"\s*([A-Za-z]+)\s*=\s*([A-Za-z#b♯♭]*[0-9]+)\s*-\s*([A-Za-z#b♯♭]*[0-9]+)\s*"


def constraints_of(prompt: Prompt, request: Request, shift: int = 0) -> Constraints:
    """What composed music must obey, for a prompt that is moved by `shift` semitones.

    Raises:
        RequestError: the given music contradicts the request; the message says where.
    """
    key = prompt.score.key
    if request.scale and key is None:
        raise RequestError("a scale needs a key; set one with --key")
    compasses = _parse_compasses(request.compass, prompt)
    if key is None:
        conflict = "a cadence needs a key; set one with --key"
    else:
        conflict = _cadence_conflict(prompt, key, compasses)
    if request.cadence and conflict:
        raise RequestError(conflict)
    if request.strict and (fault := next(voice_leading_faults(_given_score(prompt)), None)):
        raise RequestError(f"{fault}; with these given notes, --strict cannot be met")
    moved = {name: (low + shift, high + shift) for name, (low, high) in compasses.items()}
    return Constraints(
        compass=COMPASS | moved,
        scale=request.scale,
        cadence=request.cadence is not False and not conflict,
        strict=request.strict,
        lenience=request.lenience,
    )


def voice_leading_faults(score: Score) -> Iterator[str]:
    """Each crossing of two voices and each parallel fifth or octave in a score, as text.

    These are what --strict forbids. Motion is compared from tick to tick, and from one sixteenth of
    the grid to the next.
    """
    pitches = pitch_grid(score, step_ticks=1)
    for (high, a), (low, b) in combinations(zip(score.voices, pitches, strict=True), 2):
        pair = f"{high.name.lower()} and {low.name.lower()}"
        for tick in _run_starts((a < b) & (a != REST_CELL) & (b != REST_CELL)):
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


def _parallel_tick_mask(a: NDArray[np.int16], b: NDArray[np.int16], interval: int) -> Mask:
    """(tick,) whether two voices, (tick,) pitches, move in parallel into a tick in one interval."""
    found = np.zeros(len(a), dtype=bool)
    for step in (1, TICKS_PER_SIXTEENTH):
        ticks = np.arange(step, len(a), step)
        pitches = a[ticks - step], a[ticks], b[ticks - step], b[ticks]
        sounds = np.minimum.reduce(pitches) != REST_CELL
        found[ticks] |= sounds & perfect_parallels(*pitches, intervals=(interval,))
    return found


def _run_starts(found: Mask) -> list[int]:
    """First ticks of the runs of True."""
    return [int(tick) for tick in np.flatnonzero(found & ~np.concatenate(([False], found[:-1])))]


def _bar_number(score: Score, tick: int) -> int:
    return next((bar.number for bar in score.bars(tick + 1) if bar.end_ticks > tick), 1)


def _cadence_conflict(prompt: Prompt, key: Key, compasses: Mapping[str, tuple[int, int]]) -> str:
    """Why the last chord cannot be the tonic chord; empty if it can."""
    tonic, lowest = tonic_pitch_class(key), len(prompt.score.voices) - 1
    for number, voice in enumerate(prompt.score.voices):
        chord, name = {tonic}, "the tonic"
        if number != lowest:
            chord |= {(tonic + 7) % 12, *third_pitch_classes(key)}
            name = "a note of the tonic chord"
        if prompt.gives_end_of(number):
            pitch = voice.notes[-1].pitch
            conflict = f"the {voice.name.lower()} ends on {spell(pitch, key)}, not on"
            fits = pitch % 12 in chord
        else:
            low, high = compasses.get(voice.name, (0, 127))
            conflict = f"the compass of the {voice.name.lower()} does not hold"
            fits = any(pitch % 12 in chord for pitch in range(low, high + 1))
        if not fits:
            return f"{conflict} {name} of {key_name(key)}: no cadence"
    return ""


def _parse_compasses(texts: Sequence[str], prompt: Prompt) -> dict[str, tuple[int, int]]:
    """Lowest and highest pitch by voice, from texts such as soprano=C4-G5."""
    compasses = {}
    voices = {voice.name for voice in prompt.score.voices}
    for text in texts:
        name, low, high = _parse_compass(text)
        if low > high:
            raise RequestError(f"a compass goes from the lowest pitch to the highest, got {text!r}")
        if name not in voices:
            raise RequestError(f"there is no {name.lower()} here to have the compass {text!r}")
        compasses[name] = low, high
    return compasses


def _parse_compass(text: str) -> tuple[str, int, int]:
    error = RequestError(f"a compass is written like soprano=C4-G5, got {text!r}")
    match = re.fullmatch(_COMPASS_PATTERN, text)
    if match is None or match[1].capitalize() not in SATB:
        raise error
    try:
        low, high = (parse_theme(pitch).voices[0].notes[0].pitch for pitch in match.groups()[1:])
    except (ThemeError, IndexError) as cause:
        raise error from cause
    return match[1].capitalize(), low, high
