"""What may be drawn, and what is drawn, against plain definitions, on random paths."""

import math

import numpy as np
import pytest

from seqmusic.formats.theme import parse_theme
from seqmusic.generation.constraints import (
    Constraints,
    allowed_durations,
    allowed_sounds,
    final_chord_onset,
)
from seqmusic.generation.partial_candidate import PartialCandidate, choose_durations, choose_sounds
from seqmusic.generation.request import Sampling
from seqmusic.generation.sampling import sample_ids
from seqmusic.generation.voice_masks import faulty_sound_mask
from seqmusic.score import SATB, Key, Score, Voice
from seqmusic.tokens.augmentation import COMPASS
from seqmusic.tokens.context import PITCH_CODE
from seqmusic.tokens.grammar import GrammarState
from seqmusic.tokens.rules import duration_masks, sound_masks
from seqmusic.tokens.tokenizer import encode_prompt
from seqmusic.tokens.vocabulary import (
    HOLD,
    KEY,
    MAX_DURATION,
    N_SOUNDS,
    PITCH,
    REST,
    TIMESIG,
    voice_name,
)
from seqmusic.tonality import scale_pitch_classes

G_MAJOR = Key(1, "major")
EMPTY = Score(tuple(Voice(name, ()) for name in SATB), key=G_MAJOR)
MELODY = parse_theme("G4 A4:1/8 B4 C5:1/4 D5 | D5:1/2 B4:1/16 A4 G4:3/8 | G4:1", key=G_MAJOR)
GIVEN = Score((MELODY.voices[0], *EMPTY.voices[1:]), key=G_MAJOR)
PROMPTS = {
    "empty": encode_prompt(EMPTY, [[(0, 288)]] * 4),
    "open": encode_prompt(EMPTY),
    "harmony": encode_prompt(GIVEN, [[], [(0, 288)], [(24, 96), (120, 288)], [(0, 288)]]),
    "ahead": encode_prompt(GIVEN, [[(48, 144), (156, 192)], [(0, 288)], [(0, 288)], [(0, 288)]]),
}
CONSTRAINTS = {
    "free": Constraints({}),
    "lenient": Constraints(COMPASS, lenience=0.2),
    "scale": Constraints({"Alto": (60, 69), "Bass": (0, 127)}, scale=True),
    "cadence": Constraints(COMPASS, cadence=True, lenience=0.2),
    "strict": Constraints({}, strict=True, cadence=True),
}


def pitch_sounding_at(line, tick):
    """The pitch that sounds in a line at a tick, given or composed."""
    pitches = [
        segment.code - PITCH_CODE
        for segment in [*line.given, *line.composed]
        if segment.onset <= tick < segment.end
    ]
    return pitches[0] if pitches and pitches[0] >= 0 else None


def is_faulty(state, pitch):
    """Whether a pitch crosses another voice, or is reached in parallel with one."""
    tick, index = state.tick, state.lines.index(state.line)
    for number, other in enumerate(state.lines):
        end = pitch_sounding_at(other, tick)
        if number == index or end is None:
            continue
        if (pitch - end) * (number - index) < 0:
            return True
        for before in [tick - 1, tick - 6] if tick % 6 == 0 else [tick - 1]:
            start = pitch_sounding_at(state.line, before)
            other_start = pitch_sounding_at(other, before)
            if start is None or other_start is None:
                continue
            intervals = {abs(start - other_start) % 12, abs(pitch - end) % 12}
            if intervals in ({0}, {7}) and (pitch - start) * (end - other_start) > 0:
                return True
    return False


def is_sound_allowed(state, constraints, sound):
    """Whether a sound may come next, except for the chord of a cadence."""
    if not sound_masks(4)[state.sound_rule, sound] or sound >= TIMESIG:
        return False
    if state.line is None or not (sound in (REST, HOLD) or PITCH <= sound < KEY):
        return True
    if sound == REST:
        return state.longest_ticks > 1 or state.end is None or state.tick + 1 < state.end
    pitch = state.line.composed[-1].code - PITCH_CODE if sound == HOLD else sound - PITCH
    low, high = constraints.compass.get(voice_name(state.voice), (0, 127))
    fits = low <= pitch <= high and (
        not constraints.scale or pitch % 12 in scale_pitch_classes(G_MAJOR)
    )
    return fits and not (constraints.strict and is_faulty(state, pitch))


def is_duration_allowed(state, constraints, sound, ticks):
    """Whether a duration may follow, except for what strict voice leading forbids."""
    is_note = sound in (REST, HOLD) or PITCH <= sound < KEY
    if not duration_masks()[state.duration_rule(sound), ticks] or not is_note or state.end is None:
        return bool(duration_masks()[state.duration_rule(sound), ticks])
    is_over = state.tick + ticks == state.end
    if constraints.cadence and state.line.hole_end == state.end and not is_over:
        return state.tick + ticks <= final_chord_onset(state)
    return not (is_over and sound == REST)


def check_masks(state, constraints):
    """Compare the masks with the definitions."""
    sounds = allowed_sounds(state, constraints)
    plain = np.array([is_sound_allowed(state, constraints, sound) for sound in range(N_SOUNDS)])
    is_end = (
        constraints.cadence and state.end is not None and state.tick >= final_chord_onset(state)
    )
    assert not (sounds & ~plain).any()
    assert is_end or np.array_equal(sounds, plain)
    if state.line is not None:
        faults = [sound for sound in range(PITCH, KEY) if is_faulty(state, sound - PITCH)]
        assert np.flatnonzero(faulty_sound_mask(state)).tolist() == faults
        for line in state.lines:
            for tick in range(state.tick - 7, state.tick + 60, 7):
                assert line.pitch_at(tick) == pitch_sounding_at(line, tick)
    for sound in np.flatnonzero(sounds)[::29].tolist():
        allowed = allowed_durations(state, sound, constraints)
        plain = np.array(
            [
                is_duration_allowed(state, constraints, sound, ticks)
                for ticks in range(MAX_DURATION + 1)
            ]
        )
        assert not (allowed & ~plain).any()
        is_free = not constraints.strict and not (
            constraints.cadence and state.end is not None and state.end - state.tick <= 96
        )
        assert not is_free or np.array_equal(allowed, plain)


def sample_by_definition(logits, allowed, penalty, temperature, uniform):
    """An id and its log-probability at temperature 1, by definition."""
    ids = np.flatnonzero(allowed)
    total = sum(math.exp(logits[i]) for i in ids)
    nats = {i: logits[i] - math.log(total) for i in ids}
    weights = [(math.exp(nats[i]) * penalty[i]) ** (1 / temperature) for i in ids]
    drawn = ids[np.searchsorted(np.cumsum(weights), uniform * sum(weights), side="right")]
    return int(drawn), nats[drawn]


@pytest.mark.parametrize("prompt", PROMPTS)
@pytest.mark.parametrize("constraints", CONSTRAINTS.values(), ids=CONSTRAINTS)
def test_candidates_draw_as_defined(prompt, constraints):
    state = GrammarState()
    for event in PROMPTS[prompt][1:]:
        state.push(*event)
    sampling, logits_rng = Sampling(temperature=0.8), np.random.default_rng(3)
    candidates = [
        PartialCandidate(state.copy(), np.random.default_rng([7, index]), constraints)
        for index in range(3)
    ]
    twins = [np.random.default_rng([7, index]) for index in range(3)]
    nats = [0.0] * 3
    for step in range(60):
        live = [index for index, candidate in enumerate(candidates) if not candidate.is_done]
        if not live:
            break
        composed = [candidates[index] for index in live]
        sound_logits = logits_rng.normal(0, 2, (len(live), N_SOUNDS))
        duration_logits = logits_rng.normal(0, 2, (len(live), MAX_DURATION + 1))
        duration_logits[:, [6, 12, 24, 96]] += [5, 5, 5, 4]
        sound_logits[:, [REST, HOLD]] += 4
        masks = [allowed_sounds(candidate.state, constraints) for candidate in composed]
        if not all(mask.any() for mask in masks):
            break
        penalties = [
            np.where(faulty_sound_mask(s.state) & (not constraints.strict), constraints.lenience, 1)
            for s in composed
        ]
        if step % 3 == 0:
            check_masks(composed[0].state, constraints)
        sounds = choose_sounds(composed, sound_logits, sampling)
        allowed = [
            allowed_durations(candidate.state, sound, constraints)
            for candidate, sound in zip(composed, sounds, strict=True)
        ]
        if not all(mask.any() for mask in allowed):
            break
        durations = choose_durations(composed, duration_logits, sounds, sampling)
        for row, index in enumerate(live):
            sound, sound_nats = sample_by_definition(
                sound_logits[row], masks[row], penalties[row], 0.8, twins[index].random()
            )
            duration, duration_nats = sample_by_definition(
                duration_logits[row], allowed[row], np.ones(97), 0.8, twins[index].random()
            )
            assert (sound, duration) == (sounds[row], durations[row])
            nats[index] += sound_nats + duration_nats
            candidates[index].advance(sound, duration)
            assert candidates[index].log_probability == pytest.approx(nats[index], rel=1e-6)


def test_a_candidate_without_a_choice_gets_stuck_alone():
    constraints, candidates = Constraints({"Alto": (60, 60)}, scale=True), []
    for index, key in enumerate((Key(2, "major"), G_MAJOR)):  # the first scale has no C
        state = GrammarState()
        prompt = encode_prompt(Score(EMPTY.voices, key=key), [[(0, 192)]] * 4)
        for event in [
            *prompt[1:],
            (PITCH + 62, 96),
            (PITCH + 43, 96),
            (REST, 24),
            (PITCH + 50, 96),
        ]:
            state.push(*event)  # the alto comes next, and a rest is no choice after a rest
        candidates.append(PartialCandidate(state, np.random.default_rng(index), constraints))
    sounds = choose_sounds(candidates, np.zeros((2, N_SOUNDS)), Sampling())
    durations = choose_durations(candidates, np.zeros((2, MAX_DURATION + 1)), sounds, Sampling())
    assert [candidate.is_stuck for candidate in candidates] == [True, False]
    assert sounds[1] == PITCH + 60
    for candidate, event in zip(candidates, zip(sounds, durations, strict=True), strict=True):
        candidate.advance(*event)
    assert [candidate.state.lines[1].end_ticks - 24 for candidate in candidates] == [
        0,
        durations[1],
    ]


@pytest.mark.parametrize(
    ("sampling", "kept"),
    [
        (Sampling(), [0, 1, 2, 3]),
        (Sampling(top_k=2), [1, 3]),
        (Sampling(top_p=0.6), [1, 3]),  # 0.5 alone is too little
        (Sampling(top_p=0.5), [3]),
        (Sampling(min_p=0.3), [1, 2, 3]),  # 0.15 is three tenths of 0.5
        (Sampling(temperature=0), [3]),
    ],
)
def test_tails_are_cut_by_hand(sampling, kept):
    weights = np.log([[0.2, 0.5, 0.3, 1.0]])  # of 2: probabilities 0.1, 0.25, 0.15, 0.5
    drawn = {
        sample_ids(weights, sampling, [uniform]).item() for uniform in np.linspace(0, 0.999, 200)
    }
    assert sorted(drawn) == kept


def test_a_note_is_not_held_above_a_soprano_that_falls_below_it():
    for soprano in (62, 55):
        state = GrammarState()
        chord = [(PITCH + pitch, 96) for pitch in (67, 60, 50, 43)]
        for event in [*encode_prompt(EMPTY, [[(0, 192)]] * 4)[1:], *chord, (PITCH + soprano, 24)]:
            state.push(*event)  # the alto comes next
        assert allowed_sounds(state, Constraints({}))[HOLD]
        assert allowed_sounds(state, Constraints({}, strict=True))[HOLD] == (soprano == 62)


@pytest.mark.parametrize("temperature", [0.0, 1e-4])
def test_a_low_temperature_takes_the_likeliest_after_rule_and_lenience(temperature):
    state = GrammarState()
    for event in [*encode_prompt(EMPTY, [[(0, 192)]] * 4)[1:], (PITCH + 60, 24)]:
        state.push(*event)  # the alto comes next, and 61 would be above the soprano
    logits = np.zeros((1, N_SOUNDS))
    logits[0, [PITCH + 59, PITCH + 60, PITCH + 61]] = 1, 2, 3

    def without_sixty(log_probabilities, _):
        log_probabilities[PITCH + 60] = -np.inf
        return log_probabilities

    candidate = PartialCandidate(
        state, np.random.default_rng(0), Constraints({}, lenience=1e-6), without_sixty
    )
    assert choose_sounds([candidate], logits, Sampling(temperature=temperature)) == [PITCH + 59]
