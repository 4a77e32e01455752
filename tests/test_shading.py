"""Discs behind the notes of an engraved score, and the numbers of its notes."""

import itertools
import re

from explained_scores import CHOIR, explanation_of

from seqmusic.report.explanation import ExplainedEvent, Explanation
from seqmusic.report.shading import shaded_svg, surprise_color
from seqmusic.score import Note, TimeSignature, melody


def test_every_printed_note_is_marked_and_shaded_in_both_engravings() -> None:
    explanation = explanation_of(CHOIR)
    for size in ((1000, 700), (340, 3000)):
        svg = "".join(shaded_svg(CHOIR, explanation, size, "small"))
        note = r'<g class="note( given)?" data-tick="(\d+)" data-event="(\d+)">(<circle[^>]*>)?'
        marked = re.findall(note, svg)
        # The second half note of each voice is written as two tied quarters.
        assert sorted({int(event) for _, _, event, _ in marked}) == list(range(16))
        assert len(marked) == 4 * 5
        for given, tick, index, disc in marked:
            event = explanation.events[int(index)]
            assert event.onset_ticks <= int(tick) < event.onset_ticks + event.duration_ticks
            assert bool(given) == event.is_given == (not disc)
            assert event.is_given or f'fill="{surprise_color(event.bits)}"' in disc
        assert not re.findall(r'id="v\d', svg)


def test_a_rest_is_shaded_where_the_explanation_holds_it() -> None:
    score = melody([Note(0, 24, 60), Note(48, 48, 62)], time_signatures=((0, TimeSignature(4, 4)),))
    rest = ExplainedEvent(0, 24, 24, None, sound_bits=6)
    explanation = Explanation((ExplainedEvent(0, 0, 24, 60), rest))
    svg = "".join(shaded_svg(score, explanation, (1000, 700), "small"))
    shaded_rest = r'<g class="rest" data-tick="24" data-event="1"><circle[^>]*fill="(#\w+)"'
    assert re.findall(shaded_rest, svg) == [surprise_color(6)]
    unexplained_note = '<g class="note" data-tick="48">'
    assert unexplained_note in svg, "it is there for the cursor"


def test_shades_grow_darker_with_surprise() -> None:
    def lightness(color: str) -> float:
        red, green, blue = (int(color[i : i + 2], 16) for i in (1, 3, 5))
        return 0.21 * red + 0.72 * green + 0.07 * blue

    shades = [lightness(surprise_color(bits / 4)) for bits in range(33)]
    assert all(a > b for a, b in itertools.pairwise(shades))
