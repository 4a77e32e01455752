"""Tests of `recognition.techniques`: canon, ground bass, cantus firmus, and all as sentences."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from seqmusic.formats import read_score
from seqmusic.recognition.techniques.cantus_firmus import find_cantus_firmus
from seqmusic.recognition.techniques.ground_bass import find_ostinatos
from seqmusic.recognition.techniques.imitation import MIN_CANON_BITS, find_imitations
from seqmusic.recognition.techniques.lines import voice_line
from seqmusic.recognition.techniques.repetitions import ALL_LAGS_UP_TO
from seqmusic.recognition.techniques.rhythm_runs import strong_runs
from seqmusic.recognition.techniques.sentences import sentences, techniques_to_data
from seqmusic.recognition.techniques.techniques import find_techniques
from seqmusic.recognition.techniques.texture import texture_of
from seqmusic.report.isorhythm_picture import isorhythm_svg
from seqmusic.score import Note, Score, Voice

QUARTER = 24


def random_line(n_notes: int, seed: int, low: int = 60, unit: int = 12) -> tuple[Note, ...]:
    rng = Random(seed)
    notes, tick = [], 0
    for _ in range(n_notes):
        duration = unit * rng.choice([1, 1, 2, 3, 4])
        notes.append(Note(tick, duration, rng.randrange(low, low + 12)))
        tick += duration
    return tuple(notes)


def moved(notes: Sequence[Note], ticks: int, semitones: int = 0) -> tuple[Note, ...]:
    return tuple(
        replace(note, onset_ticks=note.onset_ticks + ticks, pitch=note.pitch + semitones)
        for note in notes
    )


def test_a_canon_is_found_with_its_voices_lag_and_interval() -> None:
    leader = random_line(60, seed=1)
    follower = moved(leader[:50], 8 * QUARTER, 7)
    free = random_line(60, seed=2, low=48)
    score = Score((Voice("Alto", follower), Voice("Tenor", leader), Voice("Bass", free)))
    (canon,) = [one for one in find_imitations(score) if one.is_canon]
    assert (canon.leader, canon.follower) == (1, 0)
    assert (canon.lag_ticks, canon.semitones, canon.n_notes) == (8 * QUARTER, 7, 50)
    assert canon.share == pytest.approx(50 / 60)


def test_a_diatonic_answer_differs_by_semitones() -> None:
    leader = random_line(40, seed=3)
    answer = [
        replace(note, pitch=note.pitch + index % 2)
        for index, note in enumerate(moved(leader, 96, -5))
    ]
    score = Score((Voice("Soprano", leader), Voice("Alto", tuple(answer))))
    assert find_imitations(score)[0].n_notes == 40


def test_a_subject_alone_is_imitation_and_no_canon() -> None:
    subject = random_line(9, seed=4)
    end = subject[-1].end_ticks
    first = subject + moved(random_line(60, seed=5), end)
    second = moved(subject, end, -12) + moved(random_line(50, seed=6), 2 * end)
    found = find_imitations(Score((Voice("Soprano", first), Voice("Alto", second))))
    assert [one.is_canon for one in found] == [False]
    assert (found[0].n_notes, found[0].lag_ticks) == (9, end)


def test_a_third_of_the_leader_is_no_canon() -> None:
    leader = random_line(120, seed=15)
    follower = moved(leader[:40], 96, -12)
    score = Score((Voice("Soprano", leader), Voice("Alto", follower)))
    found = find_imitations(score)[0]
    assert (found.n_notes, found.is_canon) == (40, False)
    assert found.bits > MIN_CANON_BITS


def test_voices_that_move_together_do_not_imitate() -> None:
    line = random_line(60, seed=7)
    score = Score((Voice("Soprano", line), Voice("Alto", moved(line, 0, -4))))
    assert find_imitations(score) == ()


def test_a_ground_bass_needs_four_statements() -> None:
    ground = random_line(9, seed=8, low=40, unit=24)
    cycle = ground[-1].end_ticks
    for n_statements, is_found in ((3, False), (4, True), (6, True)):
        bass = tuple(note for i in range(n_statements) for note in moved(ground, i * cycle))
        above = random_line(60, seed=9)
        found = find_ostinatos(Score((Voice("Soprano", above), Voice("Bass", bass))))
        assert bool(found) == is_found
        if found:
            assert (found[0].n_statements, found[0].cycle_ticks) == (n_statements, cycle)
            assert found[0].is_lowest


def test_the_tune_of_a_cantus_firmus_is_found_among_others() -> None:
    rng = Random(10)
    tunes = {f"tune {i}": [rng.randrange(55, 68) for _ in range(30)] for i in range(40)}
    sung = [pitch + 3 for pitch in tunes["tune 17"]]
    del sung[5], sung[12]  # two notes are left out
    tenor = tuple(Note(i * 96, 96, pitch) for i, pitch in enumerate(sung))
    score = Score((Voice("Cantus", random_line(110, seed=11)), Voice("Tenor", tenor)))
    found = find_cantus_firmus(score, tunes)
    assert found is not None
    assert (found.voice, found.tune) == (1, "tune 17")
    assert found.distance == pytest.approx(2 / 30, abs=0.05)
    del tunes["tune 17"]
    without = find_cantus_firmus(score, tunes)
    assert without is not None
    assert without.tune == ""


def test_texture_counts_the_onsets_that_voices_share() -> None:
    line = random_line(40, seed=12)
    chords = Score(tuple(Voice(f"V{i}", moved(line, 0, -3 * i)) for i in range(4)))
    texture = texture_of(chords)
    assert texture is not None
    assert (texture.common_onsets, texture.name) == (1.0, "homophony")
    assert texture_of(Score((Voice("V", line),))) is None


@pytest.mark.parametrize(
    "score", [Score(()), Score((Voice("A", ()),)), Score((Voice("A", (Note(0, 24, 60),)),))]
)
def test_small_scores_have_no_techniques(score: Score) -> None:
    assert sentences(score, find_techniques(score)) == []


@pytest.mark.parametrize(("semitones", "is_found"), [(0, False), (5, False), (None, True)])
def test_a_melody_again_is_no_run_of_a_rhythm(semitones: int | None, is_found: bool) -> None:
    line = random_line(60, seed=16)
    again = random_line(60, seed=17) if semitones is None else moved(line, 0, semitones)
    second = [replace(note, pitch=other.pitch) for note, other in zip(line, again, strict=True)]
    voice = Voice("Tenor", line + moved(second, line[-1].end_ticks))
    assert any(run.lag == 60 for run in strong_runs(voice_line(voice))) == is_found


def test_a_long_voice_is_searched_at_the_lags_where_it_repeats() -> None:
    rng = Random(13)
    rhythm = random_line(700, seed=14)
    cycle = rhythm[-1].end_ticks
    notes = [
        replace(note, pitch=rng.randrange(50, 70))
        for i in range(7)
        for note in moved(rhythm, i * cycle)
    ]
    assert len(notes) > ALL_LAGS_UP_TO
    runs = strong_runs(voice_line(Voice("Tenor", tuple(notes))))
    assert (runs[0].cycle_ticks, runs[0].length) == (cycle, 6 * 700)


@pytest.fixture(scope="module")
def o_canenda() -> Score:
    import music21

    folder = Path(music21.__file__).parent / "corpus" / "trecento"
    return read_score(folder / "PMFC_01-Rex quem metrorum.xml")


def test_rows_state_what_was_found(o_canenda: Score) -> None:
    found = find_techniques(o_canenda)
    assert (
        "Isorhythm, Tenor: talea of 36 quarters (4 notes and 2 rests), sung 8 + 4 times, in the "
        "proportions 2 : 1; color of 16 notes, sung 3 times, bars 1 to 120."
    ) in sentences(o_canenda, found)
    rows = techniques_to_data(o_canenda, found)
    assert json.loads(json.dumps(rows)) == rows
    tenor = next(row for row in rows if row["voices"] == ["Tenor"])
    assert (tenor["technique"], tenor["bars"]) == ("isorhythm", [1, 120])


def test_the_picture_has_a_line_for_each_talea_and_a_number_for_each_note(
    o_canenda: Score,
) -> None:
    (tenor,) = [o for o in find_techniques(o_canenda).isorhythms if o.name == "Tenor"]
    svg = isorhythm_svg(o_canenda, tenor)
    assert svg.count(">talea ") == 12
    assert [svg.count(f">note {number} of color ") for number in (1, 16, 17)] == [3, 3, 0]
    assert svg.count(">color ") == 3
    assert "<title>" in svg
    assert "<desc>" in svg
    assert 'role="img"' in svg
    assert "http" not in svg.replace("http://www.w3.org/2000/svg", "")


def test_the_picture_of_a_color_alone_has_a_line_for_each_statement() -> None:
    rng = Random(4)
    color = [rng.choice([53, 55, 57, 58, 60, 62]) for _ in range(40)]
    ticks, notes = 0, []
    for values in ((3, 1, 2, 6, 2, 4), (1, 2, 1, 2, 2, 1)):
        for index, pitch in enumerate(color):
            duration = values[index % 6] * QUARTER + (index % 7 == 0) * 12
            notes.append(Note(ticks, duration, pitch))
            ticks += duration
    score = Score((Voice("Tenor <1>", tuple(notes)),))
    (one,) = find_techniques(score).isorhythms
    svg = isorhythm_svg(score, one)
    assert svg.count(">color 1, bar 1<") == 1
    assert "Tenor &lt;1&gt;" in svg
    assert "Tenor <1>" not in svg


# Voices of the first canon of each file, from high to low; lag in quarters, and semitones.
CANONS = {
    "Agnus_I.krn": (0, 2, 24, -7),  # Ad coenam Agni
    "Sanctus_00_b.krn": (1, 0, 8, 7),  # Ad fugam
    "Agnus_I_00.krn": (1, 0, 4, 5),
    "Benedictus_00.krn": (0, 1, 16, -7),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", CANONS)
def test_canons_of_palestrina(name: str) -> None:
    import music21

    score = read_score(Path(music21.__file__).parent / "corpus" / "palestrina" / name)
    canon = find_imitations(score)[0]
    assert canon.is_canon
    found = (canon.leader, canon.follower, canon.lag_ticks // QUARTER, canon.semitones)
    assert found == CANONS[name]
