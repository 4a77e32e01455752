"""The layout of a tenor: counted by hand, and laws over random colors and taleae."""

import itertools
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqmusic.errors import RequestError
from seqmusic.transformation.contratenor import contratenor_rhythm, contratenor_talea
from seqmusic.transformation.layout import lay_out
from seqmusic.transformation.taleae import TALEAE, Step, Talea, parse_talea

O_CANENDA = TALEAE["o-canenda"]
STEPS = st.lists(
    st.builds(Step, st.sampled_from([Fraction(1, 2), Fraction(1), Fraction(3)]), st.booleans()),
    min_size=3,
    max_size=7,
)
SECTIONS = st.lists(
    st.sampled_from([Fraction(1), Fraction(1, 2), Fraction(1, 3)]), min_size=1, max_size=4
)


def test_o_canenda_has_the_numbers_of_the_motet() -> None:
    # Color 16 = 4 taleae of 12 units, twice and once at half: 48 + 48 + 24 units.
    layout = lay_out(range(50, 66), O_CANENDA, O_CANENDA.sections)
    assert [(s.onset_ticks, s.end_ticks) for s in layout.colores] == [
        (0, 48 * 24),
        (48 * 24, 96 * 24),
        (96 * 24, layout.end_ticks),
    ]
    assert len(layout.taleae) == 12
    assert [note.pitch for note in layout.notes] == [*range(50, 66)] * 3
    assert [note.duration_ticks // 24 for note in layout.notes[:5]] == [4, 2, 2, 1, 4]
    assert layout.notes[4].onset_ticks == 12 * 24
    assert layout.joints[:4] == (0, 3, 4, 7)


def test_a_talea_goes_on_where_color_and_talea_do_not_meet() -> None:
    # Three notes over a talea of two: the second color begins with the second note of the talea.
    layout = lay_out([60, 62, 60], parse_talea("3 1"), [Fraction(1)] * 2)
    assert layout.phases == (0, 1, 0, 1, 0, 1)
    assert [note.duration_ticks // 24 for note in layout.notes[:5]] == [3, 1, 3, 1, 3]


def test_the_final_lasts_half_a_bar_or_more_and_ends_with_one() -> None:
    layout = lay_out([60, 62, 60], parse_talea("4 3 R1"), [Fraction(1)])
    assert layout.end_ticks % 96 == 0
    assert layout.notes[-1].duration_ticks >= 48
    assert layout.notes[-1].end_ticks == layout.end_ticks


def test_an_introitus_moves_the_tenor_by_bars() -> None:
    plain = lay_out([60, 62, 60], O_CANENDA, [Fraction(1)])
    later = lay_out([60, 62, 60], O_CANENDA, [Fraction(1)], introitus_bars=2)
    moves = {b.onset_ticks - a.onset_ticks for a, b in zip(plain.notes, later.notes, strict=True)}
    assert moves == {2 * 96}


def test_proportions_that_no_quarter_holds_are_in_dotted_quarters() -> None:
    nine_six_four = [Fraction(1), Fraction(2, 3), Fraction(4, 9)]
    layout = lay_out([60, 62, 60], parse_talea("2 1"), nine_six_four)
    assert layout.unit_ticks == 36
    assert [layout.notes[index].duration_ticks for index in (0, 4, 6)] == [72, 48, 32]


@pytest.mark.parametrize(
    ("talea", "ratio", "message"),
    [
        ("1 2/7 3", Fraction(1), 'the nearest talea that fits is "1 1/4 3"'),
        ("4 2 1", Fraction(2, 5), "4 x 2/5 .* the nearest proportion that fits is 3/8"),
        (".5 1", Fraction(1, 8), "the nearest proportion that fits is 1/4"),
    ],
)
def test_values_off_the_grid_are_refused(talea: str, ratio: Fraction, message: str) -> None:
    with pytest.raises(RequestError, match=message):
        lay_out([60, 62, 60], parse_talea(talea), [ratio])


@given(STEPS, SECTIONS, st.integers(2, 9))
def test_each_statement_has_the_color_and_each_value_its_proportion(
    steps: list[Step], sections: list[Fraction], n_color: int
) -> None:
    steps = [Step(Fraction(2)), *steps]
    color = list(range(48, 48 + n_color))
    layout = lay_out(color, Talea(steps=tuple(steps)), sections)
    assert [note.pitch for note in layout.notes] == color * len(sections)
    for index, note in enumerate(layout.notes[:-1]):
        units = steps[layout.phases[index]].units
        assert note.duration_ticks == units * layout.unit_ticks * sections[index // n_color]
    assert all(a.end_ticks <= b.onset_ticks for a, b in itertools.pairwise(layout.notes))


@given(STEPS, SECTIONS, st.integers(2, 9))
def test_the_contratenor_fills_the_same_time_and_sounds_at_each_final(
    steps: list[Step], sections: list[Fraction], n_color: int
) -> None:
    talea = Talea(steps=(Step(Fraction(2)), *steps))
    layout = lay_out([60] * n_color, talea, sections)
    second = contratenor_talea(talea, layout)
    rhythm = contratenor_rhythm(talea, second, layout)
    assert second.units == talea.units
    assert rhythm[0].onset_ticks == 0
    assert all(a.end_ticks == b.onset_ticks for a, b in itertools.pairwise(rhythm))
    onsets = {event.onset_ticks for event in rhythm if not event.is_rest}
    assert {layout.notes[index].onset_ticks for index in layout.color_ends} <= onsets
