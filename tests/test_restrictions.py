"""Restrictions on single voices, by hand on small tables and lines."""

from fractions import Fraction

import numpy as np

from seqmusic.generation.repeated_rhythm import Repeat, RepeatedRhythm
from seqmusic.generation.restrictions import REST_COLUMN, PrescribedSounds, VoiceTable
from seqmusic.generation.structural_motion import StructuralMotion
from seqmusic.score import Note, Score, Voice
from seqmusic.tokens.grammar import GrammarState
from seqmusic.tokens.tokenizer import encode_prompt
from seqmusic.tokens.vocabulary import FERMATA, HOLD, KEY, PITCH, REST

BASS = (Note(0, 48, 48), Note(48, 48, 50), Note(120, 24, 52))


def table(n_ticks: int = 144) -> VoiceTable:
    return VoiceTable(
        sounds=np.ones((n_ticks, REST_COLUMN + 1), dtype=bool),
        may_end=np.ones(n_ticks + 1, dtype=bool),
        longest=np.full(n_ticks, 96),
        exact=np.zeros(n_ticks, dtype=np.int64),
    )


def state_after(*events: tuple[int, int]) -> GrammarState:
    """A soprano to be composed over the bass, after some events (pitch or -1 for a rest, ticks)."""
    score = Score((Voice("Soprano", ()), Voice("Bass", BASS)))
    state = GrammarState()
    for sound, duration in encode_prompt(score, (((0, 144),), ()))[1:]:
        state.push(sound, duration)
    for pitch, duration in events:
        state.push(REST if pitch < 0 else PITCH + pitch, duration)
    return state


def pitches(mask) -> set[int]:
    return set(np.flatnonzero(mask[PITCH:KEY]).tolist())


def test_a_pitch_may_begin_where_it_lasts_as_long_as_it_must() -> None:
    given = table()
    given.sounds[30, 60] = False
    given.exact[24] = 12
    assert not given.beginning(24)[60]
    assert given.beginning(24)[61]
    assert np.flatnonzero(given.lasting(24, 61)).tolist() == [12]
    assert np.flatnonzero(given.lasting(0, 60)).max() == 30


def test_what_is_held_may_be_less_than_what_begins() -> None:
    given = table()
    held = np.ones_like(given.sounds)
    held[48, 60] = False
    limited = VoiceTable(given.sounds, given.may_end, given.longest, given.exact, held)
    assert limited.beginning(48)[60]
    assert np.flatnonzero(limited.lasting(0, 60)).max() == 48


def test_notes_end_where_they_may() -> None:
    given = table()
    given.may_end[:] = False
    given.may_end[[12, 36, 144]] = True
    assert np.flatnonzero(given.lasting(0, 60)).tolist() == [12, 36]


def test_a_prescribed_voice_has_no_fermata_and_no_tie() -> None:
    state = state_after()
    assert state.line is not None
    mask = PrescribedSounds({"Soprano": table()}).sounds(state, state.line)
    assert not mask[FERMATA]
    assert not mask[HOLD]
    assert mask[REST]
    free = PrescribedSounds({"Alto": table()}).sounds(state, state.line)
    assert free.all()


def test_equal_perfect_consonances_with_the_reference_are_forbidden() -> None:
    # From C3 to D3 a voice on G4 may not go to A4, a fifth above, nor another octave of it upward.
    state = state_after((67, 48))
    assert state.line is not None
    motion = StructuralMotion(("Soprano",), BASS)
    found = pitches(motion.sounds(state, state.line))
    assert set(range(128)) - found == {69, 81, 93, 105, 117}
    other = StructuralMotion(("Alto",), BASS)
    assert pitches(other.sounds(state, state.line)) == set(range(128))


def test_motion_between_two_notes_of_the_reference_is_seen_from_one_to_the_next() -> None:
    # G4 over C3, then A4 before D3 enters: it may not be held into D3, but B4 may.
    state = state_after((67, 24))
    assert state.line is not None
    motion = StructuralMotion(("Soprano",), BASS)
    assert np.flatnonzero(motion.durations(state, state.line, PITCH + 69)).max() == 24
    assert np.flatnonzero(motion.durations(state, state.line, PITCH + 71)).max() == 96


def test_a_rest_of_the_reference_ends_a_succession() -> None:
    # D3 ends at 96 and E3 begins at 120: parallel fifths across the rest are free.
    state = state_after((67, 48), (64, 48), (69, 24))
    assert state.line is not None
    assert pitches(StructuralMotion(("Soprano",), BASS).sounds(state, state.line)) == set(
        range(128)
    )


def test_a_rhythm_is_taken_up_in_its_proportion() -> None:
    # 24 ticks of note, 12 of rest, 12 of note; from tick 48 on at half the values.
    repeats = (Repeat(0, 48, 72, Fraction(1, 2)),)
    rhythm = RepeatedRhythm(repeats, {"Soprano": table()})
    state = state_after((67, 24), (-1, 12), (65, 12))
    found = []
    while state.tick < 72:
        assert state.line is not None
        sounds = rhythm.sounds(state, state.line)
        is_rest = bool(sounds[REST])
        assert bool(pitches(sounds)) is not is_rest
        sound = REST if is_rest else PITCH + 60
        (duration,) = np.flatnonzero(rhythm.durations(state, state.line, sound)).tolist()
        found.append((is_rest, duration))
        state.push(sound, duration)
    assert found == [(False, 12), (True, 6), (False, 6)]
    assert state.line is not None
    assert rhythm.sounds(state, state.line).all()


def test_a_repeated_note_has_a_pitch_that_suits_all_of_its_duration() -> None:
    given = table()
    given.sounds[60, :60] = False
    rhythm = RepeatedRhythm((Repeat(0, 48, 72, Fraction(1)),), {"Soprano": given})
    state = state_after((67, 48))
    assert state.line is not None
    assert min(pitches(rhythm.sounds(state, state.line))) == 60
