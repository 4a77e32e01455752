"""What a page says of notes: durations, places and probabilities in words."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from seqmusic.formats.written_values import written_values
from seqmusic.report.explanation import Alternative, ExplainedEvent
from seqmusic.score import TICKS_PER_WHOLE, Bar, Key
from seqmusic.tonality import spell

_VALUES = {
    1: "whole",
    2: "half",
    4: "quarter",
    8: "eighth",
    16: "sixteenth",
    32: "thirty-second",
    64: "sixty-fourth",
}
_FRACTION_SIGNS = {
    0: "",
    Fraction(1, 4): "¼",
    Fraction(1, 3): "⅓",
    Fraction(1, 2): "½",
    Fraction(2, 3): "⅔",
    Fraction(3, 4): "¾",
}


def duration_name(duration_ticks: int) -> str:
    """A duration in words.

    >>> duration_name(24), duration_name(36), duration_name(60), duration_name(8)
    ('quarter', 'dotted quarter', 'half + eighth', 'triplet eighth')
    """
    values = written_values(duration_ticks)
    return " + ".join(
        f"{'triplet ' * v.is_triplet}{'dotted ' * v.dots}{_VALUES[v.denominator]}" for v in values
    )


def position_name(bars: Sequence[Bar], onset_ticks: int) -> str:
    """Where in the bars a tick is, in words; a pickup is counted as the end of a bar.

    >>> from seqmusic.score import TimeSignature
    >>> position_name([Bar(0, 0, 24, TimeSignature(3, 4)), Bar(1, 24, 72, TimeSignature(3, 4))], 12)
    'pickup, beat 3½'
    """
    bar = next((bar for bar in reversed(bars) if bar.onset_ticks <= onset_ticks), bars[0])
    missing = bar.time_signature.bar_ticks - bar.duration_ticks if bar.number == 0 else 0
    beat = 1 + Fraction(
        onset_ticks - bar.onset_ticks + missing, TICKS_PER_WHOLE // bar.time_signature.denominator
    )
    beat_name = (
        f"{int(beat)}{_FRACTION_SIGNS[beat % 1]}"
        if beat % 1 in _FRACTION_SIGNS
        else f"{float(beat):.2f}"
    )
    return f"{f'bar {bar.number}' if bar.number else 'pickup'}, beat {beat_name}"


def note_name(event: ExplainedEvent, key: Key) -> str:
    """A note or rest in words, as it is written in the key.

    >>> note_name(ExplainedEvent(0, 0, 36, 70), Key(-2, "major"))
    'B♭4 dotted quarter'
    """
    sound = (
        "rest" if event.pitch is None else with_unicode_accidentals(str(spell(event.pitch, key)))
    )
    return f"{sound} {duration_name(event.duration_ticks)}"


def alternative_name(alternative: Alternative) -> str:
    """What might have been, in words."""
    return " ".join(
        [
            with_unicode_accidentals(alternative.sound),
            *([duration_name(alternative.duration_ticks)] if alternative.duration_ticks else []),
        ]
    )


def with_unicode_accidentals(sound: str) -> str:
    """A pitch with the signs that musicians write; other words stay.

    >>> with_unicode_accidentals("F#4"), with_unicode_accidentals("Bb3"), with_unicode_accidentals("Cbb4"), with_unicode_accidentals("rest")
    ('F♯4', 'B♭3', 'C♭♭4', 'rest')
    """
    is_pitch = sound[:1].isupper() and sound[-1:].isdigit()
    return sound[0] + sound[1:].replace("#", "♯").replace("b", "♭") if is_pitch else sound


def percent_text(probability: float) -> str:
    """A probability for people.

    >>> percent_text(0.4142), percent_text(0.0314), percent_text(0.00004), percent_text(1.0)
    ('41%', '3.1%', 'under 0.1%', '100%')
    """
    if probability < 0.001:
        return "under 0.1%"
    return f"{probability:.0%}" if probability >= 0.0995 else f"{probability:.1%}"


def odds_text(bits: float) -> str:
    """A surprise as a chance, to two figures.

    >>> odds_text(0.2), odds_text(3.0), odds_text(12)
    ('87%', '1 in 8', '1 in 4,100')
    """
    return f"1 in {n_choices_text(bits)}" if bits >= 1.5 else percent_text(2**-bits)


def n_choices_text(bits: float) -> str:
    """Among how many equal choices one is that surprising, to two figures.

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
