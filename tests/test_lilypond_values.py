"""The written values of a bar add up to what sounds."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from seqmusic.formats.lilypond_values import notate_bar, value_name
from seqmusic.formats.printed_events import Span
from seqmusic.score import Note, TimeSignature

VALUE_TICKS = {str(2**i): Fraction(96, 2**i) for i in range(7)} | {r"\breve": Fraction(192)}
VALUE_TICKS |= {f"{name}.": ticks * Fraction(3, 2) for name, ticks in VALUE_TICKS.items()}


@given(st.data())
def test_what_is_written_lasts_as_long_as_what_sounds(data):
    numerator, denominator = data.draw(
        st.sampled_from([(4, 4), (3, 4), (6, 8), (5, 8), (9, 16), (7, 4), (3, 2), (1, 32), (12, 8)])
    )
    signature = TimeSignature(numerator, denominator)
    inside = st.integers(0, signature.bar_ticks)
    edges = sorted(data.draw(st.sets(inside, min_size=2, max_size=9)))
    notes = [data.draw(st.none() | st.just(Note(edge, 1, 60))) for edge in edges[:-1]]
    spans = [
        Span(start, end, note) for start, end, note in zip(edges, edges[1:], notes, strict=False)
    ]
    lengths = [Fraction(0)]
    for group in notate_bar(spans, signature):
        for written in group.notes:
            ticks = VALUE_TICKS[value_name(written.value)]
            lengths[-1] += ticks * Fraction(2, 3) if group.is_triplet else ticks
            assert written.value.is_triplet == group.is_triplet
            if written.ends_here:
                lengths.append(Fraction(0))
    sounding = [span.end - span.start for span in spans]
    if None not in notes:
        assert lengths[:-1] == sounding
    assert sum(lengths) == sum(sounding)
