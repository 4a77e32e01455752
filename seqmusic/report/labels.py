"""Notes, durations, positions and probabilities in words, as the pages show them."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from seqmusic.formats.measures import position_in_bar
from seqmusic.formats.written_values import written_values
from seqmusic.report.explanation import Alternative, ExplainedEvent
from seqmusic.score import TICKS_PER_WHOLE, Bar
from seqmusic.spelling import VoiceSpelling

_VALUE_NAMES = {
    1: "whole",
    2: "half",
    4: "quarter",
    8: "eighth",
    16: "sixteenth",
    32: "thirty-second",
    64: "sixty-fourth",
}
_FRACTION_SIGNS = {"0": "", "1/4": "¼", "1/3": "⅓", "1/2": "½", "2/3": "⅔", "3/4": "¾"}


def duration_name(duration_ticks: int) -> str:
    """A duration in words.

    >>> duration_name(24), duration_name(36), duration_name(60), duration_name(8)
    ('quarter', 'dotted quarter', 'half + eighth', 'triplet eighth')
    """
    return " + ".join(
        f"{'triplet ' * v.is_triplet}{'dotted ' * v.dots}{_VALUE_NAMES[v.denominator]}"
        for v in written_values(duration_ticks)
    )


def position_name(bars: Sequence[Bar], onset_ticks: int) -> str:
    """The bar and beat of a tick; a pickup counts as the end of a bar.

    >>> from seqmusic.score import TimeSignature
    >>> signature = TimeSignature(3, 4)
    >>> position_name([Bar(0, 0, 24, signature), Bar(1, 24, 72, signature)], 12)
    'pickup, beat 3½'
    """
    bar = next((bar for bar in reversed(bars) if bar.onset_ticks <= onset_ticks), bars[0])
    beat_ticks = TICKS_PER_WHOLE // bar.time_signature.denominator
    beat = 1 + Fraction(position_in_bar(bar, onset_ticks), beat_ticks)
    sign = _FRACTION_SIGNS.get(str(beat % 1))
    beat_name = f"{float(beat):.2f}" if sign is None else f"{int(beat)}{sign}"
    return f"{f'bar {bar.number}' if bar.number else 'pickup'}, beat {beat_name}"


def event_name(event: ExplainedEvent, spellings: Sequence[VoiceSpelling]) -> str:
    """A note or rest in words, the note as it is written in its score.

    >>> from seqmusic.tonality import Spelling
    >>> event_name(ExplainedEvent(0, 24, 36, 70), [{24: Spelling("B", -1, 4)}])
    'B♭4 dotted quarter'
    """
    sound = "rest"
    if event.pitch is not None:
        sound = with_unicode_accidentals(str(spellings[event.voice][event.onset_ticks]))
    return f"{sound} {duration_name(event.duration_ticks)}"


def alternative_name(alternative: Alternative) -> str:
    """An alternative to a note or rest in words."""
    sound = with_unicode_accidentals(alternative.sound)
    if not alternative.duration_ticks:
        return sound
    return f"{sound} {duration_name(alternative.duration_ticks)}"


def with_unicode_accidentals(sound: str) -> str:
    """A pitch with the accidentals that musicians write; any other text unchanged.

    >>> [with_unicode_accidentals(sound) for sound in ("F#4", "Bb3", "Cbb4", "rest")]
    ['F♯4', 'B♭3', 'C♭♭4', 'rest']
    """
    is_pitch = sound[:1].isupper() and sound[-1:].isdigit()
    return sound[0] + sound[1:].replace("#", "♯").replace("b", "♭") if is_pitch else sound


def percent_text(probability: float) -> str:
    """A probability in percent, to two figures.

    >>> [percent_text(probability) for probability in (0.4142, 0.0314, 0.00004, 1.0)]
    ['41%', '3.1%', 'under 0.1%', '100%']
    """
    if probability < 0.001:
        return "under 0.1%"
    return f"{probability:.0%}" if probability >= 0.0995 else f"{probability:.1%}"


def odds_text(bits: float) -> str:
    """A surprise as a probability, to two figures.

    >>> odds_text(0.2), odds_text(3.0), odds_text(12)
    ('87%', '1 in 8', '1 in 4,100')
    """
    return f"1 in {n_choices_text(bits)}" if bits >= 1.5 else percent_text(2**-bits)


def n_choices_text(bits: float) -> str:
    """The number of equally likely choices of which each has that surprise, to two figures.

    >>> n_choices_text(1.5), n_choices_text(3.5), n_choices_text(20)
    ('2.8', '11', '1,000,000')
    """
    n = float(f"{2 ** min(bits, 99):.2g}")
    return f"{n:,.0f}" if n >= 10 or n == int(n) else f"{n:.1f}"


def with_count(n: int, noun: str) -> str:
    """A number with its noun.

    >>> with_count(1, "note"), with_count(2, "note")
    ('1 note', '2 notes')
    """
    return f"{n:,} {noun}{'s' * (n != 1)}"
