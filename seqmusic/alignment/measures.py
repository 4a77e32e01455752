"""A dozen measures of a passage, in which a taste is described."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from seqmusic.array_types import Floats
from seqmusic.corpus.works_table import known_or_inferred_key
from seqmusic.metrics import harmony, phrases, resolution, style, voice_leading
from seqmusic.metrics.rates import Rate
from seqmusic.score import TICKS_PER_QUARTER, Score
from seqmusic.tonality import scale_pitch_classes


@dataclass(frozen=True, slots=True)
class Measure:
    """A figure of a passage.

    Attributes:
        name: what more of it is, such as "stepwise motion".
        value: of a score; nan where it says nothing.
    """

    name: str
    value: Callable[[Score], float]


def _share(score: Score, rate: Callable[[Score], Rate]) -> float:
    hits, opportunities = rate(score)
    return hits / opportunities if opportunities else math.nan


def notes_per_quarter(score: Score) -> float:
    """Notes of all voices that begin in a quarter, on average.

    >>> from seqmusic.formats.theme import parse_theme
    >>> notes_per_quarter(parse_theme("C5:1/8 D5 E5:1/4 ; C4:1/2"))
    2.0
    """
    return score.n_notes * TICKS_PER_QUARTER / max(1, score.end_ticks)


def notes_outside_scale(score: Score) -> float:
    """Share of the notes that are not of the scale; in minor both sixths and sevenths are.

    >>> from seqmusic.formats.theme import parse_theme
    >>> from seqmusic.score import Key
    >>> notes_outside_scale(parse_theme("C5 C#5 D5 E5", key=Key(0, "major")))
    0.25
    """
    key = known_or_inferred_key(score)
    if key is None or not score.n_notes:
        return math.nan
    scale = scale_pitch_classes(key)
    notes = itertools.chain.from_iterable(voice.notes for voice in score.voices)
    return sum(note.pitch % 12 not in scale for note in notes) / score.n_notes


def highest_voice_compass(score: Score) -> float:
    """Semitones from the lowest to the highest note of the highest voice."""
    pitches = [note.pitch for note in score.voices[0].notes]
    return float(max(pitches) - min(pitches)) if pitches else math.nan


MEASURES = (
    Measure("notes in a quarter", notes_per_quarter),
    Measure("stepwise motion", partial(_share, rate=voice_leading.steps)),
    Measure(
        "leaps beyond a fifth",
        partial(_share, rate=partial(voice_leading.leaps_beyond, semitones=voice_leading.FIFTH)),
    ),
    Measure("root-position triads", partial(_share, rate=harmony.root_position_triads)),
    Measure("dominant-tonic motion", partial(_share, rate=harmony.dominant_tonic_motion)),
    Measure("leading tones that rise", partial(_share, rate=resolution.resolved_leading_tones)),
    Measure("sevenths that fall by step", partial(_share, rate=resolution.resolved_sevenths)),
    Measure("prepared dissonances", partial(_share, rate=resolution.prepared_dissonances)),
    Measure("parallels", partial(_share, rate=voice_leading.parallel_fifths_and_octaves)),
    Measure(
        "authentic cadences", partial(_share, rate=partial(phrases.cadence_rate, kind="authentic"))
    ),
    Measure("repeated bars", partial(_share, rate=style.repeated_bars)),
    Measure("notes outside the scale", notes_outside_scale),
    Measure("compass of the highest voice", highest_voice_compass),
)
"""What is measured, in this order."""


def measure_values(scores: Sequence[Score]) -> Floats:
    """(N, M) the MEASURES of N scores; nan where a measure says nothing about a score."""
    return np.array([[measure.value(score) for measure in MEASURES] for score in scores]).reshape(
        len(scores), len(MEASURES)
    )
