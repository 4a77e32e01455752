"""Scores as values: what is refused, and the laws of transposing, slicing and counting bars."""

from __future__ import annotations

import itertools
from dataclasses import FrozenInstanceError, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqmusic.meter import Bar
from seqmusic.score import (
    SATB,
    Key,
    Note,
    Score,
    TimeSignature,
    Voice,
    melody,
    transposed_key,
)
from seqmusic.score_data import data_to_score, score_to_data

TWO_FOUR, THREE_FOUR, FOUR_FOUR = (TimeSignature(n, 4) for n in (2, 3, 4))
CHANGING = ((0, THREE_FOUR), (24 + 72, TWO_FOUR))  # after a pickup of a quarter and one bar


@st.composite
def scores(draw: st.DrawFn) -> Score:
    """One to three voices that leave an octave free above and below, with a pickup or without."""
    voices = []
    for name in SATB[: draw(st.integers(1, 3))]:
        notes, tick = [], 0
        for _ in range(draw(st.integers(0, 5))):
            tick += draw(st.integers(0, 30))
            duration, pitch = draw(st.integers(1, 60)), draw(st.integers(12, 115))
            notes.append(Note(tick, duration, pitch, draw(st.booleans())))
            tick = notes[-1].end_ticks
        voices.append(Voice(name, tuple(notes)))
    signatures = draw(st.sampled_from([(), ((0, THREE_FOUR),), CHANGING]))
    pickup = draw(st.sampled_from([0, 24])) if signatures else 0
    key = draw(st.sampled_from([None, Key(-3, "minor"), Key(2, "major")]))
    return Score(tuple(voices), signatures, pickup, key)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"onset_ticks": -1}, "onset_ticks must be 0 or more, got -1"),
        ({"duration_ticks": 0}, r"duration_ticks must be 1 or more, got 0 \(onset 7\)"),
        ({"pitch": 128}, r"pitch must be a MIDI number in 0..127, got 128 \(onset 7\)"),
        ({"pitch": -1}, "pitch must be a MIDI number in 0..127, got -1"),
    ],
)
def test_a_note_has_its_ranges(settings: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Note(**{"onset_ticks": 7, "duration_ticks": 5, "pitch": 60} | settings)


def test_values_are_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        melody([]).pickup_ticks = 1  # type: ignore[misc]


def test_notes_of_a_voice_may_touch_and_must_not_overlap() -> None:
    touching = Voice("Alto", (Note(0, 24, 60), Note(24, 12, 55)))
    assert (touching.end_ticks, touching.compass) == (36, (55, 60))
    with pytest.raises(ValueError, match="'Alto' note 1 starts at 23, note 0 ends at 24"):
        Voice("Alto", (Note(0, 24, 60), Note(23, 12, 55)))
    assert (Voice("Alto", ()).end_ticks, Voice("Alto", ()).compass) == (0, None)


@pytest.mark.parametrize(
    ("sharps", "mode", "message"),
    [(8, "", r"7 flats to 7 sharps, got \+8"), (0, "dorian", "mode must be .* got 'dorian'")],
)
def test_wrong_keys_are_refused(sharps: int, mode: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Key(sharps, mode)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"time_signatures": ((1, FOUR_FOUR),)}, r"start at tick 0 and rise, got ticks \[1\]"),
        (
            {"time_signatures": ((0, FOUR_FOUR), (96, TWO_FOUR), (96, FOUR_FOUR))},
            r"start at tick 0 and rise, got ticks \[0, 96, 96\]",
        ),
        ({"time_signatures": (), "pickup_ticks": 1}, "a pickup needs a time signature"),
        ({"pickup_ticks": 96}, r"shorter than a bar of 4/4 \(96 ticks\), got 96"),
        ({"pickup_ticks": -1}, "shorter than a bar of 4/4"),
        (
            {"time_signatures": ((0, FOUR_FOUR), (23, TWO_FOUR)), "pickup_ticks": 24},
            r"tick 23 falls inside the pickup \(24 ticks\)",
        ),
    ],
)
def test_a_score_without_a_consistent_meter_is_refused(
    settings: dict[str, object], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        Score((), **settings)  # type: ignore[arg-type]


def test_scores_are_compared_without_title_and_source() -> None:
    score = melody([Note(0, 24, 60)], title="A", source="a.mid")
    assert score == replace(score, title="B", source="")
    for change in ({"pickup_ticks": 1}, {"key": Key(1)}, {"tempo_bpm": 90.0}, {"voices": ()}):
        assert score != replace(score, **change)  # type: ignore[arg-type]


def test_a_melody_is_a_score_of_one_voice_with_the_settings_of_a_score() -> None:
    notes = (Note(0, 24, 60), Note(24, 48, 64))
    settings = (((0, THREE_FOUR),), 24, Key(1, "minor"), 72.0, "Title", "source")
    names = ("time_signatures", "pickup_ticks", "key", "tempo_bpm", "title", "source")
    by_name = dict(zip(names, settings, strict=True))
    one = melody(iter(notes), "Alto", **by_name)  # type: ignore[arg-type]
    assert one == Score((Voice("Alto", notes),), *settings)
    assert (one.title, one.source) == ("Title", "source")
    assert melody(notes) == Score((Voice("Soprano", notes),))


def test_bars_by_hand() -> None:
    score = Score((), CHANGING, 24)
    bars = [(0, 0, 24), (1, 24, 72), (2, 96, 48), (3, 144, 48)]
    signatures = [THREE_FOUR, THREE_FOUR, TWO_FOUR, TWO_FOUR]
    assert score.bars(145) == [
        Bar(*row, signature) for row, signature in zip(bars, signatures, strict=True)
    ]
    assert len(score.bars(144)) == 3
    assert score.bars() == []  # no music, so no tick to cover
    assert Score((Voice("Alto", (Note(0, 9, 60),)),), ()).bars() == []  # no meter


def test_a_change_of_time_signature_cuts_its_bar_short() -> None:
    score = Score((), ((0, FOUR_FOUR), (120, THREE_FOUR)))
    assert [(bar.number, bar.onset_ticks, bar.duration_ticks) for bar in score.bars(200)] == [
        (1, 0, 96),
        (2, 96, 24),
        (3, 120, 72),
        (4, 192, 72),
    ]


@given(scores(), st.integers(1, 300))
def test_bars_cover_every_tick_once(score: Score, end: int) -> None:
    bars = score.bars(end)
    if score.time_signatures:
        assert bars[0].onset_ticks == 0
        assert bars[-1].onset_ticks < end <= bars[-1].end_ticks
    for before, after in itertools.pairwise(bars):
        assert (after.onset_ticks, after.number) == (before.end_ticks, before.number + 1)


@given(scores(), st.integers(-12, 12))
def test_transposing_back_gives_the_same_notes(score: Score, semitones: int) -> None:
    moved = score.transposed(semitones)
    pairs = zip(score.voices, moved.voices, strict=True)
    assert all(
        replace(note, pitch=note.pitch + semitones) == other
        for a, b in pairs
        for note, other in zip(a.notes, b.notes, strict=True)
    )
    assert moved.transposed(-semitones).voices == score.voices
    assert score.transposed(0) == score


def test_transposing_out_of_range_names_the_note_and_the_largest_move() -> None:
    score = Score((melody([Note(0, 24, 100), Note(24, 24, 119)]).voices[0], Voice("Alto", ())))
    message = (
        r"0\.\.127, got 131 \(voice 'Soprano', note 1, transposed by \+12\); \+8 is the most this"
    )
    with pytest.raises(ValueError, match=message):
        score.transposed(12)
    assert score.transposed(8).voices[0].notes[1].pitch == 127
    with pytest.raises(ValueError, match=r"transposed by -101\); -100 is the most"):
        score.transposed(-101)


@given(st.integers(-6, 6), st.sampled_from(["major", "minor", ""]), st.integers(-30, 30))
def test_a_key_moves_along_the_circle_of_fifths(sharps: int, mode: str, semitones: int) -> None:
    moved = transposed_key(Key(sharps, mode), semitones)
    assert moved.mode == mode
    assert -6 <= moved.sharps <= 6
    assert (moved.sharps - sharps - 7 * semitones) % 12 == 0  # a fifth is seven semitones


def test_a_key_of_seven_sharps_stays_where_nothing_moves() -> None:
    assert transposed_key(Key(7, "major"), 12) == Key(7, "major")
    assert transposed_key(Key(0, "major"), 6) == Key(-6, "major")  # a tie goes to flats


@given(scores(), st.integers(0, 150), st.integers(1, 150))
def test_a_slice_holds_the_notes_that_begin_in_it(score: Score, start: int, length: int) -> None:
    end = start + length
    sliced = score.sliced(start, end)
    for voice, kept in zip(score.voices, sliced.voices, strict=True):
        expected = [note for note in voice.notes if start <= note.onset_ticks < end]
        assert [note.onset_ticks + start for note in kept.notes] == [
            note.onset_ticks for note in expected
        ]
        assert [note.end_ticks + start for note in kept.notes] == [
            min(note.end_ticks, end) for note in expected
        ]


@given(scores(), st.integers(0, 150), st.integers(1, 150))
def test_bar_lines_stay_where_they_are_in_a_slice(score: Score, start: int, length: int) -> None:
    end = start + length
    inside = {bar.end_ticks - start for bar in score.bars(end) if start < bar.end_ticks < end}
    sliced = score.sliced(start, end)
    assert {bar.end_ticks for bar in sliced.bars(length) if bar.end_ticks < length} == inside


def test_slices_by_hand() -> None:
    score = melody([Note(0, 96, 60), Note(96, 96, 62)])
    assert score.sliced(0, 200) == score
    assert score.sliced(48, 120) == melody([Note(48, 24, 62)], pickup_ticks=48)
    changing = Score((), CHANGING, 24)
    assert changing.sliced(0, 30) == Score((), ((0, THREE_FOUR),), 24)
    assert changing.sliced(24, 97) == Score((), ((0, THREE_FOUR), (72, TWO_FOUR)))
    for span in ((5, 5), (7, 6), (-1, 3)):
        with pytest.raises(ValueError, match=f"0 <= start < end, got {span[0]} and {span[1]}"):
            score.sliced(*span)


def test_a_score_shows_its_size() -> None:
    assert repr(melody([Note(0, 24, 60)], title="Air")) == (
        "<Score 'Air', 1 voices, 1 notes, 4/4, 24 ticks>"
    )
    assert repr(Score((), ())) == "<Score 0 voices, 0 notes, no meter, 0 ticks>"


@given(scores())
def test_plain_data_hold_the_whole_score(score: Score) -> None:
    marked = replace(score, tempo_bpm=81.5, title="Air")
    restored = data_to_score(score_to_data(marked))
    assert (restored, restored.title) == (marked, "Air")
