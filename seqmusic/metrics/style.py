"""The style of scores in figures: rhythm, form, voices, harmony and cadences, in one table.

Each measure is a pure function from a score to a `Rate`; `STYLE_METRICS` names them all with their
units. Rhythm and form are defined here and follow no publication; the other measures have their
sources in `voice_leading`, `harmony`, `resolution` and `phrases`.
"""

from __future__ import annotations

import bisect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from seqmusic.corpus.works_table import known_or_inferred_key
from seqmusic.metrics import harmony, phrases, resolution, voice_leading
from seqmusic.metrics.moving_steps import moving_cells
from seqmusic.metrics.rates import Rate, RateEstimate, pooled_rate
from seqmusic.score import Score, Voice
from seqmusic.tonality import tonic_pitch_class

# Semitones above the tonic; a minor piece may end in major.
_TONIC_CHORD = {"major": {0, 4, 7}, "minor": {0, 3, 4, 7}}
_Content = tuple[tuple[int, int, int], ...]


@dataclass(frozen=True, slots=True)
class StyleMetric:
    """Something that is counted in scores.

    Attributes:
        name: in a table.
        unit: of the figure.
        scale: the figure is hits over opportunities times this.
        rate: counts it in one score.
    """

    name: str
    unit: str
    scale: float
    rate: Callable[[Score], Rate]


def hold_rate(score: Score) -> Rate:
    """Cells of the sixteenth grid equal to the cell before them, without those of the first step.

    A repeated note counts as held, a rest that goes on too. Whole chorales of the usual benchmark
    hold 77 to 79 percent of their cells; others report 78.2 percent, which its training pieces
    give when they are cut into crops of 128 steps.

    >>> from seqmusic.score import Note, melody
    >>> hold_rate(melody([Note(0, 12, 60), Note(12, 6, 60), Note(18, 6, 62)]))
    Rate(hits=2, opportunities=3)
    """
    changes = moving_cells(score)[:, 1:]
    return Rate(int((~changes).sum()), changes.size)


def onset_rate(score: Score) -> Rate:
    """Cells unlike the cell before them in their voice, and those of the first step, per step.

    >>> from seqmusic.score import Note, Voice
    >>> alto = Voice("Alto", (Note(0, 12, 64), Note(12, 12, 65)))
    >>> onset_rate(Score((alto, Voice("Tenor", (Note(0, 24, 55),)))))
    Rate(hits=3, opportunities=4)
    """
    changes = moving_cells(score)
    return Rate(int(changes.sum()), changes.shape[1])


def repeated_bars(score: Score) -> Rate:
    """Bars of single voices that repeat an earlier bar of that voice, of all with an onset.

    A bar is the notes that begin in it: their positions in the bar, durations and pitches. A score
    without a meter has no bars.

    >>> from seqmusic.score import Note, melody
    >>> pitches = (60, 62, 64, 65, 60, 62)
    >>> repeated_bars(melody([Note(48 * i, 48, pitch) for i, pitch in enumerate(pitches)]))
    Rate(hits=1, opportunities=3)
    """
    bar_onsets = [bar.onset_ticks for bar in score.bars()]
    contents = [_bar_contents(voice, bar_onsets) for voice in score.voices] if bar_onsets else []
    return Rate(sum(len(bars) - len(set(bars)) for bars in contents), sum(map(len, contents)))


def ends_on_tonic(score: Score) -> bool:
    """Whether the lowest voice that sounds at the end has the tonic and the others its chord.

    The key is the one that the score names, or the one that fits its notes best if it names none
    with a mode. Third and fifth of the chord may be missing, and in minor the third may be major.
    Of the chorales 78 percent end so; the others lead on to a next verse, or are Dorian and
    Mixolydian tunes whose key signature names another tonic.

    >>> from seqmusic.score import Key, Note, Voice
    >>> voices = tuple(Voice(str(pitch), (Note(0, 24, pitch),)) for pitch in (73, 64, 57))
    >>> [ends_on_tonic(Score(voices, key=Key(0, mode))) for mode in ("minor", "major")]
    [True, False]
    """
    if (key := known_or_inferred_key(score)) is None:
        return False
    last = [
        voice.notes[-1].pitch
        for voice in score.voices
        if voice.notes and voice.end_ticks == score.end_ticks
    ]
    lowest, *others = sorted(pitch - tonic_pitch_class(key) for pitch in last)
    return lowest % 12 == 0 and {other % 12 for other in others} <= _TONIC_CHORD[key.mode]


def endings_on_tonic(score: Score) -> Rate:
    """`ends_on_tonic` as a rate: 1 or 0 of 1.

    >>> from seqmusic.score import Key, Note, melody
    >>> endings_on_tonic(melody([Note(0, 24, 67), Note(24, 24, 62)], key=Key(1, "major")))
    Rate(hits=0, opportunities=1)
    """
    return Rate(int(ends_on_tonic(score)), 1)


_PAIRS, _MOVES = "per 1000 moves of two voices", "% of melodic moves"
_OUTER, _STEPS = "per 1000 moves of the outer voices", "% of sixteenth steps"
_leaps_beyond_fifth = partial(voice_leading.leaps_beyond, semitones=voice_leading.FIFTH)
_leaps_beyond_octave = partial(voice_leading.leaps_beyond, semitones=voice_leading.OCTAVE)
HARMONY_METRICS = (
    StyleMetric(
        "root-position triads", "% of beats in all voices", 100, harmony.root_position_triads
    ),
    StyleMetric(
        "dominant-tonic motion between beats", "% of beats", 100, harmony.dominant_tonic_motion
    ),
    StyleMetric("leading tones that rise", "% of them", 100, resolution.resolved_leading_tones),
    StyleMetric("sevenths that fall by step", "% of them", 100, resolution.resolved_sevenths),
    StyleMetric("tritones that resolve", "% of them", 100, resolution.resolved_tritones),
    StyleMetric(
        "resolutions of tritones", "% of moves of two voices", 100, resolution.tritone_resolutions
    ),
    StyleMetric("prepared dissonances", "% of them", 100, resolution.prepared_dissonances),
)
CADENCE_METRICS = tuple(
    StyleMetric(
        f"{kind} cadences", "% of phrase ends", 100, partial(phrases.cadence_rate, kind=kind)
    )
    for kind in phrases.CADENCES
)
VOICE_METRICS = (
    StyleMetric("parallel fifths", _PAIRS, 1000, voice_leading.parallel_fifths),
    StyleMetric("parallel octaves", _PAIRS, 1000, voice_leading.parallel_octaves),
    StyleMetric("hidden fifths and octaves", _OUTER, 1000, voice_leading.hidden_fifths_and_octaves),
    StyleMetric("voice crossings", _STEPS, 100, voice_leading.crossings),
    StyleMetric("upper voices beyond an octave", _STEPS, 100, voice_leading.wide_spacings),
    StyleMetric("held cells", "% of cells", 100, hold_rate),
    StyleMetric("onsets", "per sixteenth step", 1, onset_rate),
    StyleMetric("stepwise motion", _MOVES, 100, voice_leading.steps),
    StyleMetric("leaps beyond a fifth", _MOVES, 100, _leaps_beyond_fifth),
    StyleMetric("leaps beyond an octave", _MOVES, 100, _leaps_beyond_octave),
    StyleMetric("tritone leaps", _MOVES, 100, voice_leading.tritone_leaps),
)
STYLE_METRICS = (
    *VOICE_METRICS,
    *HARMONY_METRICS,
    StyleMetric("repeated bars", "% of bars, voice by voice", 100, repeated_bars),
    StyleMetric("endings on the tonic", "% of pieces", 100, endings_on_tonic),
    *CADENCE_METRICS,
)


def style_estimates(scores: Sequence[Score]) -> list[RateEstimate]:
    """Each of STYLE_METRICS over all scores together, in their order.

    >>> from seqmusic.score import Note, melody
    >>> found = style_estimates([melody([Note(0, 24, 60), Note(24, 24, 72), Note(48, 24, 71)])])
    >>> [(one.name, one.value) for one in found if one.name.startswith("leaps")]
    [('leaps beyond a fifth', 50.0), ('leaps beyond an octave', 0.0)]
    """
    return [
        pooled_rate(metric.name, metric.unit, list(map(metric.rate, scores)), metric.scale)
        for metric in STYLE_METRICS
    ]


def _bar_contents(voice: Voice, bar_onsets: list[int]) -> list[_Content]:
    """Of each bar in which a note begins, those notes: position in the bar, duration, pitch."""
    bars: dict[int, list[tuple[int, int, int]]] = {}
    for note in voice.notes:
        onset = bar_onsets[bisect.bisect_right(bar_onsets, note.onset_ticks) - 1]
        content = (note.onset_ticks - onset, note.duration_ticks, note.pitch)
        bars.setdefault(onset, []).append(content)
    return [tuple(notes) for notes in bars.values()]
