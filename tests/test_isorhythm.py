"""Tests of `recognition.techniques.isorhythm`: made and real isorhythm, and what is none."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from random import Random

import pytest

from seqmusic.formats import read_score
from seqmusic.recognition.techniques.isorhythm import (
    Isorhythm,
    find_isorhythms,
    is_panisorhythmic,
)
from seqmusic.recognition.techniques.talea import RhythmicValue
from seqmusic.score import TICKS_PER_QUARTER, Note, Score, Voice

QUARTER = TICKS_PER_QUARTER
# Durations in quarters; rests are negative.
TALEA = (4, -2, 2, 2, 1, -1, 3, 0.5, 0.5)
COLOR = (57, 60, 59, 57, 62, 64, 60, 59, 62, 60, 57, 55, 59, 57)


def laid_out(
    talea: Sequence[float], color: Sequence[int], speeds: Sequence[float], onset: float = 0
) -> tuple[Note, ...]:
    """A tenor: one statement of the talea for each speed, the color repeated below them."""
    notes: list[Note] = []
    tick = int(onset * QUARTER)
    for speed in speeds:
        for value in talea:
            duration = int(abs(value) * speed * QUARTER)
            if value > 0:
                notes.append(Note(tick, duration, color[len(notes) % len(color)]))
            tick += duration
    return tuple(notes)


def tenor(notes: Sequence[Note], name: str = "Tenor") -> Score:
    return Score((Voice(name, tuple(notes)),))


def the_one(score: Score) -> Isorhythm:
    (found,) = find_isorhythms(score)
    return found


def test_talea_color_and_diminution_are_those_that_were_laid_out() -> None:
    found = the_one(tenor(laid_out(TALEA, COLOR, [1] * 6 + [0.5] * 6, onset=12)))
    assert found.talea == tuple(
        RhythmicValue(int(abs(value) * QUARTER), value < 0) for value in TALEA
    )
    assert found.first_tick == 12 * QUARTER
    assert found.proportions == (Fraction(1), Fraction(1, 2))
    assert [section.n_taleae for section in found.sections] == [6, 6]
    # 7 notes a talea and 12 taleae make 84 notes: six statements of 14.
    assert (found.color_length_notes, found.n_colores) == (14, 6)


def test_a_talea_that_begins_with_a_rest_is_found_with_it() -> None:
    talea = (-3, 4, 2, 1, 1, 3, -1, 0.5, 0.5)
    found = the_one(tenor(laid_out(talea, COLOR, [1] * 8)))
    assert found.first_tick == 0
    assert found.talea[0] == RhythmicValue(3 * QUARTER, is_rest=True)
    assert found.n_taleae == 8


def test_a_talea_cut_short_by_the_diminution_counts_as_its_share() -> None:
    whole = laid_out(TALEA, COLOR, [1] * 5)
    cut_ticks = 4 * 16 * QUARTER + 10 * QUARTER  # in the fifth statement, after five values
    before = [note for note in whole if note.onset_ticks < cut_ticks]
    later = laid_out(TALEA, COLOR, [0.5] * 5, onset=cut_ticks / QUARTER)
    found = the_one(tenor([*before, *later]))
    assert found.proportions == (Fraction(1), Fraction(1, 2))
    assert [section.n_taleae for section in found.sections] == [4 + Fraction(5, 8), 5]


def test_one_wrong_note_in_a_statement_changes_nothing_else() -> None:
    notes = list(laid_out(TALEA, COLOR, [1] * 8))
    tied = Note(notes[8].onset_ticks, 4 * QUARTER, notes[8].pitch)
    found = the_one(tenor([*notes[:8], tied, *notes[10:]]))
    assert found.n_taleae == 8


def test_a_melody_that_is_played_again_is_not_isorhythm() -> None:
    rng = Random(1)
    values = [rng.choice([0.5, 1, 1.5, 2, -1, 3]) for _ in range(60)]
    n_notes = sum(value > 0 for value in values)
    melody, other = ([rng.randrange(55, 75) for _ in range(n_notes)] for _ in range(2))
    assert find_isorhythms(tenor(laid_out(values, melody, [1, 1]))) == ()
    # With other pitches the same rhythm is.
    assert find_isorhythms(tenor(laid_out(values, melody + other, [1, 1])))


def test_a_melody_that_is_played_again_on_another_degree_is_not_isorhythm() -> None:
    rng = Random(2)
    values = [rng.choice([0.5, 1, 1.5, 2, -1, 3]) for _ in range(60)]
    n_notes = sum(value > 0 for value in values)
    melody = [rng.randrange(55, 75) for _ in range(n_notes)]
    answer = [pitch + 5 for pitch in melody]
    assert find_isorhythms(tenor(laid_out(values, melody + answer, [1, 1]))) == ()


def test_equal_values_are_worth_nothing() -> None:
    rng = Random(3)
    quarters = [Note(i * QUARTER, QUARTER, rng.randrange(50, 70)) for i in range(2000)]
    assert find_isorhythms(tenor(quarters)) == ()


def test_the_same_color_in_unequal_values_is_mensural_transformation() -> None:
    rng = Random(4)
    color = [rng.choice([53, 55, 57, 58, 60, 62]) for _ in range(40)]
    first = laid_out([3, 1, 2, 6, 2, 4], color, [1] * 7)[:40]
    second = laid_out([2, 2, 2, 4, 1, 3], color, [1] * 7, first[-1].end_ticks / QUARTER)[:40]
    found = next(one for one in find_isorhythms(tenor([*first, *second])) if one.color is not None)
    assert (found.color_length_notes, found.n_colores) == (40, 2)


def test_a_tune_of_equal_phrases_in_chords_is_not_isorhythm() -> None:
    soprano = Voice("Soprano", laid_out(TALEA, COLOR, [1] * 8))
    alto = Voice("Alto", laid_out(TALEA, [50, 52, 53, 55, 57], [1] * 8))
    assert find_isorhythms(Score((soprano, alto))) == ()
    assert len(find_isorhythms(Score((soprano,)))) == 1


def test_panisorhythm_needs_all_voices() -> None:
    rng = Random(5)
    values = [rng.choice([0.5, 1, 1.5, 2, -1, 3]) for _ in range(70)]
    voices = []
    for name, low in (("Cantus I", 62), ("Cantus II", 60), ("Tenor", 48)):
        rng.shuffle(values)  # another talea of the same length
        pitches = [rng.randrange(low, low + 12) for _ in range(140)]
        voices.append(Voice(name, laid_out(values, pitches, [1, 1])))
    score = Score(tuple(voices))
    assert is_panisorhythmic(score, find_isorhythms(score))
    free = Voice("Contratenor", tuple(Note(i * 30, 30, 50 + i % 5) for i in range(200)))
    score = Score((*voices, free))
    found = find_isorhythms(score)
    assert [one.voice for one in found] == [0, 1, 2]
    assert not is_panisorhythmic(score, found)


@pytest.mark.parametrize("n_voices", [0, 1])
def test_a_score_without_notes_has_none(n_voices: int) -> None:
    assert find_isorhythms(Score((Voice("Tenor", ()),) * n_voices)) == ()


# Of music21's corpus: voice, quarters of each talea, statements, proportions of the sections,
# notes of the color, and its statements. Where ties are lost in reading, a last statement is short.
Voices = list[tuple[str, tuple[float, ...], tuple[float, ...], tuple[str, ...], int, int]]
PIECES: dict[str, Voices] = {
    "PMFC_01-Rex quem metrorum.xml": [
        ("Contratenor", (36, 18), (8, 4), ("1", "1/2"), 24, 3),
        ("Tenor", (36, 18), (8, 4), ("1", "1/2"), 16, 3),
    ],
    "PMFC_01-Virtutibus laudabilis.xml": [
        ("Contratenor", (54, 27), (5, 5), ("1", "1/2"), 50, 2),
        ("Tenor", (54, 27), (5, 5), ("1", "1/2"), 29, 2),
    ],
    "PMFC_24_17-Doctorum principem-Melodia suavissima-Vir mitis.xml": [
        ("Contratenor", (), (), (), 41, 3),
        ("Tenor", (), (), (), 37, 3),
    ],
    "PMFC_01-Vos Qui Admiramini Gratissima virginis species.xml": [
        ("Contratenor", (45, 27), (6, 7.5), ("1", "1"), 30, 2),
        ("Tenor", (45, 27), (6, 7.5), ("1", "1"), 30, 2),
    ],
    "PMFC_01-Lugentium siccentur.xml": [("Tenor", (148.5,), (7,), ("1",), 0, 0)],
    "PMFC_24_16-Albane misse celitus.xml": [
        (name, (160,), (2,), ("1",), 0, 0)
        for name in ("Cantus I", "Cantus II", "Contratenor", "Tenor")
    ],
    "PMFC_24_19-Ut te per omnes celitus- Ingens alumnus padue.xml": [
        (name, (168,), (2,), ("1",), 0, 0)
        for name in ("Cantus I", "Cantus II", "Contratenor", "Tenor")
    ],
    "PMFC_24_20-Padu... serenans.xml": [
        (name, (111,), (2,), ("1",), 0, 0) for name in ("Cantus II", "Tenor")
    ],
    "PMFC_24_21-O proles hispanie.xml": [
        (name, (123,), (2,), ("1",), 0, 0) for name in ("Cantus II", "Tenor")
    ],
    "PMFC_04-Si dolce non sono.xml": [("Tenor", (21,), (9,), ("1",), 45, 3)],
    "PMFC_13_16-Gloria.xml": [
        ("Cantus 1", (54,), (5,), ("1",), 0, 0),
        ("Cantus 2", (54,), (5,), ("1",), 0, 0),
        ("Contratenor", (180, 90), (1, 1), ("1", "1/2"), 30, 2),
        ("Tenor", (66, 33), (2.7, 2.7), ("1", "1/2"), 30, 2),
    ],
    "PMFC_13_18-Gloria Spiritus et Alme.xml": [("Tenor", (162,), (4,), ("1",), 0, 0)],
    "PMFC_23_23-Kyrie Rex Inmense Maiestasis.xml": [
        (name, (264,), (1.4,), ("1",), 0, 0) for name in ("Cantus I", "Cantus II", "Tenor")
    ],
    "PMFC_12_19-Sanctus Barbitonsoris.xml": [("T", (39,), (4,), ("1",), 0, 0)],
    # Works of the same composer that are not isorhythmic.
    "PMFC_24_15-O virum omnimoda.xml": [],
    "PMFC_24_22-O beatum incendium.xml": [],
}
PANISORHYTHMIC = {name for name in PIECES if re.match("PMFC_(23|24_(16|19|20|21))", name)}
FAST = ("PMFC_01-Rex", "PMFC_24_17")


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=() if name.startswith(FAST) else pytest.mark.slow)
        for name in PIECES
    ],
)
def test_the_isorhythm_of_real_pieces(name: str) -> None:
    import music21

    score = read_score(Path(music21.__file__).parent / "corpus" / "trecento" / name)
    found = {one.name: one for one in find_isorhythms(score)}
    assert bool(found) == bool(PIECES[name])
    for voice, quarters, counts, proportions, n_color, n_colores in PIECES[name]:
        one = found[voice]
        assert [s.talea_ticks / QUARTER for s in one.sections] == list(quarters)
        assert [float(s.n_taleae) for s in one.sections] == pytest.approx(counts, abs=0.5)
        assert [str(proportion) for proportion in one.proportions] == list(proportions)
        assert (one.color_length_notes, one.n_colores) == (n_color, n_colores)
    assert is_panisorhythmic(score, tuple(found.values())) == (name in PANISORHYTHMIC)
