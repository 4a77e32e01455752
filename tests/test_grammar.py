"""The state machine: what it allows is a score, what it forbids is refused."""

import numpy as np
import pytest

from seqmusic.score import Key, TimeSignature
from seqmusic.tokens import vocabulary as v
from seqmusic.tokens.context import context_columns, context_sizes
from seqmusic.tokens.grammar import BODY_SECTION, GIVEN_SECTION, HEADER_SECTION, GrammarState
from seqmusic.tokens.rules import duration_masks, sound_masks
from seqmusic.tokens.tokenizer import decode, encode, normalized
from seqmusic.tokens.vocabulary import (
    BODY,
    BOS,
    EOS,
    GIVEN,
    HOLD,
    HOLE,
    PICKUP,
    PITCH,
    REST,
    VOICE,
    is_pitch,
    key_to_id,
    sound_name,
    timesig_to_id,
)

KINDS = np.digitize(
    np.arange(v.N_SOUNDS), [*range(1, v.PITCH + 1), v.KEY, v.VOICE, v.STYLE, v.TIMESIG]
)
FOUR_FOUR = timesig_to_id(TimeSignature(4, 4))
HEADER = [(VOICE, 0), (VOICE + 3, 0), (FOUR_FOUR, 0), (PICKUP, 0), (key_to_id(None), 0)]


def state_after(*events):
    state = GrammarState()
    for event in events:
        state.push(*event)
    return state


def sample_sound(rng, allowed, is_late):
    """A sound id: each kind is as likely as any other, until it is late and the section ends."""
    for delimiter in (BODY, EOS) if is_late else ():
        if allowed[delimiter]:
            return delimiter
    sounds = np.flatnonzero(allowed)
    sounds = sounds[sounds != EOS] if len(sounds) > 1 else sounds
    pitches = sounds[is_pitch(sounds)]
    if is_late and len(pitches):
        return int(rng.choice(pitches))
    return int(rng.choice(sounds[KINDS[sounds] == rng.choice(np.unique(KINDS[sounds]))]))


def sample_duration(state, rng, allowed, is_late):
    """Any duration; once it is late, one that makes the lines end together where it can."""
    target = max((line.end_ticks or 0 for line in state.lines), default=0) - state.tick
    is_possible = 0 < target <= v.MAX_DURATION and allowed[target]
    if is_late and state.section != HEADER_SECTION and is_possible:
        return target
    durations = np.flatnonzero(allowed)
    if rng.random() < 0.2:
        return int(durations[-1])  # a note that may be tied
    return int(rng.choice(durations))


def random_events(seed, max_voices, n_events=60):
    """Events from BOS to EOS, drawn under the masks, with checks of the masks and the context."""
    rng, state, events = np.random.default_rng(seed), GrammarState(max_voices), [(BOS, 0)]
    sizes = np.array(context_sizes(max_voices))
    while not state.is_finished:
        assert len(events) < 3000, "the sequence does not end"
        context, names = state.context(), context_columns(max_voices)
        assert context.shape == (len(names),)
        in_range = (context >= 0) & (context < sizes)
        assert in_range.all(), dict(zip(names, context, strict=True))
        allowed = sound_masks(max_voices)[state.sound_rule]
        assert allowed.any()
        is_late = len(events) > (n_events // 2 if state.section == GIVEN_SECTION else n_events)
        sound = sample_sound(rng, allowed, is_late)
        durations = duration_masks()[state.duration_rule(sound)]
        assert durations.any(), sound_name(sound)
        events.append((sound, sample_duration(state, rng, durations, is_late)))
        state.push(*events[-1])
    return state, events


def snapshot(state):
    """All that a state shows."""
    return (
        *(state.score(), state.context().tolist(), state.sound_rule),
        *(state.tick, state.voice, state.section),
    )


@pytest.mark.parametrize("max_voices", [1, 3, 4, 16])
def test_every_allowed_sequence_is_a_score(max_voices):
    kinds = set()
    for seed in range(100):
        state, events = random_events(seed, max_voices)
        score = decode(events)
        assert score == state.score()
        if score.end_ticks:
            assert decode(encode(score)) == normalized(score)
        kinds |= set(KINDS[[sound for sound, _ in events]])
    every_kind_but_pad = set(range(1, len(np.unique(KINDS))))
    assert kinds == every_kind_but_pad


@pytest.mark.parametrize("seed", range(12))
def test_events_outside_the_masks_are_refused(seed):
    rng = np.random.default_rng(seed)
    _, events = random_events(seed, 4, n_events=30)
    state = GrammarState(4)
    for sound, duration in events[1:]:
        forbidden = np.flatnonzero(~sound_masks(4)[state.sound_rule])
        with pytest.raises(ValueError, match=r"does not allow \w+.* here \(tick \d+\)"):
            state.push(int(rng.choice(forbidden)), 0)
        too_long = np.flatnonzero(~duration_masks()[state.duration_rule(sound)])
        for wrong in (-1, v.N_DURATIONS, *rng.permutation(too_long)[:1]):
            with pytest.raises(ValueError, match=rf"to last {wrong} ticks here"):
                state.push(sound, int(wrong))
        state.push(sound, duration)  # a refusal changes nothing
    assert state.is_finished
    with pytest.raises(ValueError, match="does not allow REST here"):
        state.push(REST, 24)


IN_BODY, IN_GIVEN, C4 = [*HEADER, (BODY, 0)], [*HEADER, (GIVEN, 0)], PITCH + 60
REFUSALS = [
    ([], (FOUR_FOUR, 0), "TIMESIG_4/4 here"),  # there is no voice yet
    ([(VOICE + 3, 0)], (VOICE, 0), "VOICE_Soprano here"),  # voices go from high to low
    ([(VOICE, 0)], (VOICE + 5, 0), "VOICE_Voice_2 here"),  # either named voices or numbered ones
    ([(VOICE, 0), (FOUR_FOUR, 0)], (PICKUP, 96), "PICKUP to last 96"),  # this is a whole bar
    ([(VOICE, 0), (timesig_to_id(None), 0)], (PICKUP, 1), "PICKUP to last 1 "),  # no meter
    (IN_BODY, (EOS, 0), "EOS here"),  # there is no music yet
    (IN_BODY, (HOLD, 24), "HOLD here"),  # there is nothing to hold
    (IN_BODY, (C4, 0), "PITCH_60 to last 0"),
    (IN_BODY, (HOLE, 24), "HOLE here"),  # holes belong to GIVEN
    ([*IN_BODY, (C4, 24)], (EOS, 0), "EOS here"),  # the bass has not ended
    ([*IN_BODY, (REST, 24), (C4, 24)], (REST, 24), "REST here"),  # one rest has one event
    ([*IN_BODY, (C4, 24), (REST, 96)], (HOLD, 24), "HOLD here"),  # only a note of 96 ticks goes on
    # A meter does not change before the last onset.
    ([*IN_BODY, (C4, 24), (REST, 48)], (FOUR_FOUR, 24), "TIMESIG_4/4 to last 24"),
    (IN_GIVEN, (BODY, 0), "BODY here"),  # neither notes nor holes are given
    ([*IN_GIVEN, (HOLE, 24), (C4, 24)], (HOLE, 24), "HOLE here"),  # one hole has one event
    # A note does not reach beyond its hole.
    ([*IN_GIVEN, (HOLE, 24), (C4, 24), (BODY, 0)], (C4, 25), "PITCH_60 to last 25"),
]


@pytest.mark.parametrize(("before", "event", "message"), REFUSALS)
def test_events_that_the_grammar_forbids_are_refused(before, event, message):
    with pytest.raises(ValueError, match=message):
        state_after(*before).push(*event)


def test_no_change_of_meter_inside_the_pickup():
    header = [(VOICE, 0), (FOUR_FOUR, 0), (PICKUP, 24), (key_to_id(None), 0), (BODY, 0)]
    with pytest.raises(ValueError, match="TIMESIG_4/4"):
        state_after(*header, (PITCH + 60, 12)).push(FOUR_FOUR, 0)
    state = state_after(*header, (PITCH + 60, 36))
    with pytest.raises(ValueError, match="TIMESIG_4/4 to last 13"):
        state.push(FOUR_FOUR, 13)
    state.push(FOUR_FOUR, 12)  # where the pickup ends
    assert state.score().time_signatures == ((0, TimeSignature(4, 4)), (24, TimeSignature(4, 4)))


@pytest.mark.parametrize(
    ("voices", "order"),
    [((0, 1, 2, 3), (0, 3, 1, 2)), ((1, 2), (1, 2)), ((0, 1, 3), (0, 3, 1)), ((2,), (2,)),
     ((4, 5, 6, 7, 8), (4, 8, 5, 6, 7))],
)  # fmt: skip
def test_outer_voices_come_first_where_lines_end_together(voices, order):
    state = GrammarState(5)
    for event in [*((VOICE + voice, 0) for voice in voices), *HEADER[2:], (BODY, 0)]:
        state.push(*event)
    for _ in range(2):
        seen = []
        for _ in voices:
            seen.append(state.voice - VOICE)
            state = state.copy()  # a copy keeps the order
            state.push(PITCH + 60, 24)
        assert tuple(seen) == order


def test_the_earliest_voice_is_next():
    state = state_after(*HEADER, (BODY, 0))
    order = []
    for sound, duration in [(PITCH + 72, 48), (PITCH + 48, 24), (PITCH + 50, 24), (PITCH + 71, 24)]:
        order.append((state.tick, state.voice - VOICE))
        state.push(sound, duration)
    assert order == [(0, 0), (0, 3), (24, 3), (48, 0)]
    assert (state.tick, state.voice - VOICE) == (48, 3)


def test_the_longest_event_ends_with_its_hole():
    state = state_after(*HEADER, (GIVEN, 0), (HOLE, 40), (REST, 40), (BODY, 0))
    assert state.section == BODY_SECTION
    assert state.longest_ticks == 40
    state.push(PITCH + 60, 30)
    assert state.longest_ticks == 10
    state.push(PITCH + 60, 10)
    assert state.voice is None
    assert sound_masks(4)[state.sound_rule, EOS]


@pytest.mark.parametrize("seed", range(8))
def test_a_copy_is_independent(seed):
    _, events = random_events(seed, 4)
    for cut in range(1, len(events), 5):
        state = state_after(*events[1:cut])
        before = snapshot(state)
        other = state.copy()
        for event in events[cut:]:
            other.push(*event)
        assert snapshot(state) == before
        for event in events[cut:]:
            state.push(*event)
        assert state.score() == other.score() == decode(events)


def test_bar_positions_count_from_the_last_bar_line():
    """4/4 with a pickup of a quarter changes to 3/4 at tick 72, where a new bar starts."""
    three_four = timesig_to_id(TimeSignature(3, 4))
    header = [(VOICE, 0), (FOUR_FOUR, 0), (PICKUP, 24), (key_to_id(None), 0), (BODY, 0)]
    positions, state = [], state_after(*header)
    for event in [(C4, 36), (C4, 36), (three_four, 0), (C4, 90), (C4, 24)]:
        positions.append(state.bar_position())
        state.push(*event)
    # 96 - 24; 36 - 24; 72 - 24; 0 after the change; 90 - 72.
    assert positions == [72, 12, 48, 0, 18]


def test_a_score_keeps_its_header():
    voices, key = [(VOICE + 4, 0), (VOICE + 6, 0)], (key_to_id(Key(2, "minor")), 0)
    state = state_after(*voices, (v.STYLE + 3, 0), (FOUR_FOUR, 0), (PICKUP, 95), key, (BODY, 0))
    score = state.score()
    assert [voice.name for voice in score.voices] == ["Voice 1", "Voice 3"]
    assert (score.pickup_ticks, score.key, state.style) == (95, Key(2, "minor"), v.STYLE + 3)
