"""The manner of scores in figures: rhythm, form, and all that is counted, in one table.

Each measure is a pure function from a score to a `Rate`, defined where it stands; `STYLE_METRICS` names them all with their units.
Rhythm and form are defined here, without a model elsewhere; what is said of the voices has its source in `voice_leading`.
"""

from __future__ import annotations

import bisect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from seqmusic.corpus.works_table import known_or_inferred_key
from seqmusic.metrics import voice_leading
from seqmusic.metrics.moving_steps import moving_cells
from seqmusic.metrics.rates import Rate, RateEstimate, pooled_rate
from seqmusic.score import Score, Voice
from seqmusic.tonality import tonic_pitch_class

_TONIC_CHORD = {
    "major": {0, 4, 7},
    "minor": {0, 3, 4, 7},
}  # semitones above the tonic; a minor piece may end in major
_Content = tuple[tuple[int, int, int], ...]


@dataclass(frozen=True, slots=True)
class StyleMetric:
    """Something that is counted in scores.

    Attributes:
        name: in a table.
        unit: of the figure.
        scale: the figure is so many times hits by chances.
        rate: counts it in one score.
    """

    name: str
    unit: str
    scale: float
    rate: Callable[[Score], Rate]


def hold_rate(score: Score) -> Rate:
    """Cells of the sixteenth grid like the cell before them in their voice, of all cells but those of the first step.

    A note struck again counts as held, a rest that goes on too. Whole chorales of the usual benchmark hold 77 to 79 percent of
    their cells; others report 78.2 percent, which its training pieces give when they are cut into crops of 128 steps.

    >>> from seqmusic.score import Note, melody
    >>> hold_rate(melody([Note(0, 12, 60), Note(12, 6, 60), Note(18, 6, 62)]))
    Rate(hits=2, opportunities=3)
    """
    changes = moving_cells(score)[:, 1:]
    return Rate(int((~changes).sum()), changes.size)


def onset_rate(score: Score) -> Rate:
    """Cells of the sixteenth grid unlike the cell before them in their voice, and those of the first step, by steps.

    >>> from seqmusic.score import Note, Voice
    >>> onset_rate(Score((Voice("Alto", (Note(0, 12, 64), Note(12, 12, 65))), Voice("Tenor", (Note(0, 24, 55),)))))
    Rate(hits=3, opportunities=4)
    """
    changes = moving_cells(score)
    return Rate(int(changes.sum()), changes.shape[1])


def repeated_bars(score: Score) -> Rate:
    """Bars of single voices that repeat an earlier bar of the same voice, note for note, of all in which a note begins.

    A bar is the notes that begin in it, with their places in it, durations and pitches. A score without a meter has no bars.

    >>> from seqmusic.score import Note, melody
    >>> repeated_bars(melody([Note(48 * i, 48, pitch) for i, pitch in enumerate((60, 62, 64, 65, 60, 62))]))
    Rate(hits=1, opportunities=3)
    """
    bar_onsets = [bar.onset_ticks for bar in score.bars()]
    contents = [_bar_contents(voice, bar_onsets) for voice in score.voices] if bar_onsets else []
    return Rate(sum(len(own) - len(set(own)) for own in contents), sum(map(len, contents)))


def ends_on_tonic(score: Score) -> bool:
    """Whether the piece closes in its key: at the end the lowest sounding voice has the tonic, the others only the tonic chord.

    The key is the one that the score names, or, where it names none with a mode, the one that fits its notes best. Third and fifth
    may be missing, and in minor the third may be major. One voice alone ends on the tonic or not. Of the chorales 78 percent do;
    the others lead on to a next verse, or are Dorian and Mixolydian tunes whose key signature names another tonic.

    >>> from seqmusic.score import Key, Note, Voice
    >>> voices = [Voice(str(pitch), (Note(0, 24, pitch),)) for pitch in (73, 64, 57)]
    >>> ends_on_tonic(Score(tuple(voices), key=Key(0, "minor"))), ends_on_tonic(Score(tuple(voices), key=Key(0, "major")))
    (True, False)
    """
    if (key := known_or_inferred_key(score)) is None:
        return False
    last = [
        voice.notes[-1].pitch
        for voice in score.voices
        if voice.notes and voice.end_ticks == score.end_ticks
    ]
    lowest, *others = sorted((pitch - tonic_pitch_class(key)) for pitch in last)
    return lowest % 12 == 0 and {other % 12 for other in others} <= _TONIC_CHORD[key.mode]


def endings_on_tonic(score: Score) -> Rate:
    """`ends_on_tonic` as a rate: 1 or 0 of 1.

    >>> from seqmusic.score import Key, Note, melody
    >>> endings_on_tonic(melody([Note(0, 24, 67), Note(24, 24, 62)], key=Key(1, "major")))
    Rate(hits=0, opportunities=1)
    """
    return Rate(int(ends_on_tonic(score)), 1)


_PAIRS, _MOVES, _STEPS = (
    "per 1000 moves of two voices",
    "% of melodic moves",
    "% of sixteenth steps",
)
STYLE_METRICS = (
    StyleMetric("parallel fifths", _PAIRS, 1000, voice_leading.parallel_fifths),
    StyleMetric("parallel octaves", _PAIRS, 1000, voice_leading.parallel_octaves),
    StyleMetric(
        "hidden fifths and octaves",
        "per 1000 moves of the outer voices",
        1000,
        voice_leading.hidden_fifths_and_octaves,
    ),
    StyleMetric("voice crossings", _STEPS, 100, voice_leading.crossings),
    StyleMetric("upper voices beyond an octave", _STEPS, 100, voice_leading.wide_spacings),
    StyleMetric("held cells", "% of cells", 100, hold_rate),
    StyleMetric("onsets", "per sixteenth step", 1, onset_rate),
    StyleMetric(
        "leaps beyond a fifth",
        _MOVES,
        100,
        partial(voice_leading.leaps_beyond, semitones=voice_leading.FIFTH),
    ),
    StyleMetric(
        "leaps beyond an octave",
        _MOVES,
        100,
        partial(voice_leading.leaps_beyond, semitones=voice_leading.OCTAVE),
    ),
    StyleMetric("tritone leaps", _MOVES, 100, voice_leading.tritone_leaps),
    StyleMetric("repeated bars", "% of bars, voice by voice", 100, repeated_bars),
    StyleMetric("endings on the tonic", "% of pieces", 100, endings_on_tonic),
)


def style_figures(scores: Sequence[Score]) -> list[RateEstimate]:
    """Every measure over all scores together, in the order of MEASURES, each with its bootstrap interval over scores.

    >>> from seqmusic.score import Note, melody
    >>> figures = style_figures([melody([Note(0, 24, 60), Note(24, 24, 72), Note(48, 24, 71)])])
    >>> [(figure.name, figure.value) for figure in figures if figure.name.startswith("leaps")]
    [('leaps beyond a fifth', 50.0), ('leaps beyond an octave', 0.0)]
    """
    return [
        pooled_rate(
            measure.name, measure.unit, [measure.rate(score) for score in scores], measure.scale
        )
        for measure in STYLE_METRICS
    ]


def _bar_contents(voice: Voice, bar_onsets: list[int]) -> list[_Content]:
    """Of each bar in which a note begins, those notes: place in the bar, duration, pitch."""
    bars: dict[int, list[tuple[int, int, int]]] = {}
    for note in voice.notes:
        onset = bar_onsets[bisect.bisect_right(bar_onsets, note.onset_ticks) - 1]
        bars.setdefault(onset, []).append(
            (note.onset_ticks - onset, note.duration_ticks, note.pitch)
        )
    return [tuple(notes) for notes in bars.values()]
