"""Scores to events: nothing is lost, a prompt is how the whole begins, and a small score worked out by hand."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from strategies import SIGNATURES, scores, scores_with_holes, without_holes

from seqmusic.errors import UnencodableError
from seqmusic.score import Key, Note, Score, TimeSignature, Voice, melody
from seqmusic.tokens.context import context_columns, context_sizes
from seqmusic.tokens.tokenizer import decode, encode, encode_prompt, normalized, tokens_text, trace
from seqmusic.tokens.vocabulary import BODY, EOS, PITCH, sound_name

HAND_WRITTEN = Score(
    (
        Voice("Soprano", (Note(0, 24, 65), Note(24, 48, 69), Note(72, 24, 67))),
        Voice("Bass", (Note(24, 72, 53),)),
    ),
    ((0, TimeSignature(3, 4)),),
    24,
    Key(-1, "major"),
)


def event_names(events):
    return [(sound_name(sound), duration) for sound, duration in events]


def context_rows(traced):
    """Of every row of the context, what is not 0, by name."""
    return [
        {name: int(value) for name, value in zip(context_columns(4), row, strict=True) if value}
        for row in traced.context
    ]


@given(scores())
def test_a_score_survives_its_tokens(score):
    assert normalized(score) == score
    assert decode(encode(score)) == score


@settings(max_examples=200)
@given(scores_with_holes())
def test_a_score_survives_with_any_part_given(pair):
    score, holes = pair
    assert decode(encode(score, holes)) == score


@settings(max_examples=200)
@given(scores_with_holes())
def test_a_prompt_is_how_the_whole_begins(pair):
    score, holes = pair
    known = without_holes(score, holes)
    ends = [tick for own in holes for start, end in own for tick in (start, end or start)]
    assume(known.end_ticks or any(ends) or all(holes))
    prompt = encode_prompt(known, holes)
    assert prompt[-1] == (BODY, 0)
    assert decode(prompt).voices == known.voices
    all_open = all(own and own[-1][1] is None for own in holes)
    if (
        all_open or max([known.end_ticks, *ends]) == score.end_ticks
    ):  # else the music that is not given would tell its own length
        assert encode(score, holes)[: len(prompt)] == prompt


@given(scores())
def test_a_prompt_without_music_is_the_header(score):
    prompt = encode_prompt(score)
    assert encode(score)[: len(prompt)] == prompt
    assert prompt[-1] == (BODY, 0)


@settings(max_examples=40)
@given(scores_with_holes())
def test_context_stays_inside_its_sizes(pair):
    score, holes = pair
    traced = trace(encode(score, holes), max_voices=6)
    assert (traced.context >= 0).all()
    assert (traced.context < np.array(context_sizes(6))).all()
    assert (
        len(traced.events)
        == len(traced.context)
        == len(traced.rules)
        == len(traced.is_scored)
        == len(traced.ticks)
    )


def test_normalized_keeps_what_tokens_can_say():
    score = Score(
        (Voice("Flute", (Note(0, 24, 60, fermata=True),)), Voice("Alto", ())),
        ((0, SIGNATURES[0]), (24, SIGNATURES[1])),
        tempo_bpm=90.0,
    )
    assert normalized(score) == Score(
        (Voice("Voice 1", (Note(0, 24, 60),)), Voice("Voice 2", ())), ((0, SIGNATURES[0]),)
    )
    for order, kept in (
        (("Alto", "Bass"), True),
        (("Bass", "Alto"), False),
        (("Alto", "Alto"), False),
    ):
        out = normalized(Score(tuple(Voice(name, ()) for name in order)))
        assert ([voice.name for voice in out.voices] == list(order)) is kept


@pytest.mark.parametrize(
    ("score", "words"),
    [
        (Score(()), r"1\.\.16 voices, got 0"),
        (Score(tuple(Voice("", (Note(0, 24, 60),)) for _ in range(17))), r"1\.\.16 voices, got 17"),
        (
            melody([Note(0, 24, 60)], time_signatures=((0, TimeSignature(3, 2)),), pickup_ticks=97),
            "at most 96 ticks, got 97",
        ),
        (
            melody([Note(0, 24, 60)], time_signatures=((0, TimeSignature(4, 32)),)),
            "4/32 has no token",
        ),
        (
            melody(
                [Note(0, 24, 60)], time_signatures=((0, SIGNATURES[0]), (12, TimeSignature(17, 4)))
            ),
            "17/4 has no token",
        ),
        (melody([]), "at least one note"),
    ],
)
def test_what_tokens_cannot_say_is_refused(score, words):
    with pytest.raises(UnencodableError, match=words):
        encode(score)


def test_a_sequence_starts_with_bos():
    with pytest.raises(ValueError, match="starts with BOS, got VOICE_Soprano"):
        decode(encode(HAND_WRITTEN)[1:])


def test_hand_worked_tokens():
    events = encode(HAND_WRITTEN)
    assert event_names(events) == [
        ("BOS", 0),
        ("VOICE_Soprano", 0),
        ("VOICE_Bass", 0),
        ("TIMESIG_3/4", 0),
        ("PICKUP", 24),
        ("KEY_-1_major", 0),
        ("BODY", 0),
        ("PITCH_65", 24),
        ("REST", 24),
        ("PITCH_69", 48),
        ("PITCH_53", 72),
        ("PITCH_67", 24),
        ("EOS", 0),
    ]
    traced = trace(events)
    assert traced.ticks.tolist()[6:] == [0, 0, 24, 24, 72, 96, 96]
    assert traced.is_scored.tolist() == [
        False,
        False,
        True,
        True,
        True,
        False,
        True,
        True,
        True,
        True,
        True,
        True,
        False,
    ]
    # 3/4 is meter 1 + 16 + 2, one flat major is key 1 + 6; a pitch is 2 + its number, a unison is interval 25.
    # The bass stands in column 3.
    body = {"section": 2, "meter": 19, "key": 7}
    assert context_rows(traced)[:6] == [{}] * 6
    assert context_rows(traced)[6:12] == [
        {**body, "voice": 1, "position": 48},
        {**body, "voice": 4, "position": 48, "sound_0": 67, "remaining_0": 24},
        {
            **body,
            "voice": 1,
            "sound_0": 67,
            "elapsed_0": 24,
            "interval_0": 25,
            "sound_3": 1,
            "elapsed_3": 24,
        },
        {**body, "voice": 4, "sound_0": 71, "remaining_0": 48, "sound_3": 1, "elapsed_3": 24},
        {
            **body,
            "voice": 1,
            "position": 48,
            "sound_0": 71,
            "elapsed_0": 48,
            "interval_0": 25,
            "sound_3": 55,
            "elapsed_3": 48,
            "remaining_3": 24,
            "interval_3": 25 - 16,
        },
        {
            **body,
            "voice": 1,
            "sound_0": 69,
            "elapsed_0": 24,
            "interval_0": 25,
            "sound_3": 55,
            "elapsed_3": 72,
            "interval_3": 25 - 14,
        },
    ]


def test_hand_worked_infilling():
    events = encode(HAND_WRITTEN, [[(24, 72)], [(0, None)]])
    assert event_names(events)[6:] == [
        ("GIVEN", 0),
        ("PITCH_65", 24),
        ("HOLE", 0),
        ("HOLE", 48),
        ("PITCH_67", 24),
        ("BODY", 0),
        ("REST", 24),
        ("PITCH_69", 48),
        ("PITCH_53", 72),
        ("EOS", 0),
    ]
    body = {"section": 2, "meter": 19, "key": 7}
    ahead = {"ahead_0": 69}
    assert context_rows(trace(events))[11:15] == [
        {
            **body,
            "voice": 4,
            "position": 48,
            "to_end": 5,
            "sound_0": 67,
            "remaining_0": 24,
            **ahead,
            "until_ahead_0": 73,
            "next_step_0": 27,
        },
        {
            **body,
            "voice": 1,
            "to_end": 4,
            "sound_0": 67,
            "elapsed_0": 24,
            "interval_0": 25,
            **ahead,
            "until_ahead_0": 49,
            "next_step_0": 27,
            "sound_3": 1,
            "elapsed_3": 24,
        },
        {
            **body,
            "voice": 4,
            "to_end": 4,
            "sound_0": 71,
            "remaining_0": 48,
            **ahead,
            "until_ahead_0": 49,
            "next_step_0": 23,
            "sound_3": 1,
            "elapsed_3": 24,
        },
        {**body, "to_end": 1, "sound_0": 69, "elapsed_0": 24, "sound_3": 55, "elapsed_3": 72},
    ]


def test_the_next_two_given_notes_are_told():
    score = Score(
        (Voice("Soprano", (Note(0, 24, 65), Note(36, 12, 69), Note(48, 24, 62))), Voice("Bass", ()))
    )
    first = context_rows(trace(encode(score, [[], [(0, 72)]])))[12]  # at the first note of the bass
    assert {name: value for name, value in first.items() if name.endswith("_0")} == {
        "sound_0": 67,
        "remaining_0": 24,
        "ahead_0": 1,
        "until_ahead_0": 25,
        "until_then_0": 13,  # a rest has no interval
    }
    later = context_rows(
        trace([*encode(score, [[], [(0, 72)]])[:13], (PITCH + 50, 36), (PITCH + 50, 36), (EOS, 0)])
    )[13]
    assert {
        name: value for name, value in later.items() if name.endswith("_0") and name != "interval_0"
    } == {
        "sound_0": 71,
        "remaining_0": 12,
        "ahead_0": 64,
        "until_ahead_0": 13,
        "next_step_0": 18,
    }


def test_meter_changes_under_a_long_note():
    four, three, two = SIGNATURES[:3]
    score = melody(
        [Note(0, 200, 60)], time_signatures=((0, four), (50, four), (70, three), (198, two))
    )
    assert event_names(encode(score))[5:] == [  # each at the first event after it, with its age
        ("BODY", 0),
        ("PITCH_60", 96),
        ("TIMESIG_4/4", 46),
        ("TIMESIG_3/4", 26),
        ("HOLD", 96),
        ("HOLD", 8),
        ("TIMESIG_2/2", 2),
        ("EOS", 0),
    ]
    assert decode(encode(score)) == score


def test_a_prompt_keeps_the_meter_of_what_is_to_be_composed():
    score = melody([], time_signatures=((0, SIGNATURES[0]), (96, SIGNATURES[1])))
    assert decode(encode_prompt(score, [[(0, 192)]])).time_signatures == score.time_signatures


def test_a_hole_that_opens_at_the_end_is_none():
    score = Score((Voice("Soprano", (Note(0, 24, 60),)), Voice("Bass", ())))
    assert event_names(encode_prompt(score, [[], [(48, None)]]))[7:] == [
        ("PITCH_60", 24),
        ("REST", 48),
        ("REST", 24),
        ("BODY", 0),
    ]
    assert decode(encode_prompt(score, [[], [(48, None)]])) == score


def test_a_prompt_that_lasts_no_time_is_refused():
    with pytest.raises(
        UnencodableError, match="a voice without a hole says how long the music lasts"
    ):
        encode_prompt(Score((Voice("Soprano", ()), Voice("Bass", ()))), [[], [(0, None)]])


def test_text_names_voice_and_place():
    text = list(tokens_text(encode(HAND_WRITTEN)))
    assert text[0].split() == ["0", "BOS"]
    assert text[10].split() == ["10", "24", "Bass", "PITCH_53", "72"]
    assert len(text) == 13


def test_the_corpus_survives_its_tokens(chorales):
    lengths = []
    for work in chorales.kept_works:
        events = encode(work.score)
        assert decode(events) == normalized(work.score), work.name
        lengths.append(len(events))
    assert sum(lengths) / len(lengths) < 250


def test_what_would_be_parallel_is_told():
    """The soprano goes from G4 to A4 over a C4: from there the bass would go to D4 in parallel fifths."""
    score = Score(
        (
            Voice("Soprano", (Note(0, 24, 67), Note(24, 24, 69))),
            Voice("Bass", (Note(0, 24, 60), Note(24, 24, 65))),
        )
    )
    at_the_bass = context_rows(trace(encode(score)))[-3]
    assert (at_the_bass["sound_0"], at_the_bass["parallel_0"], at_the_bass["before_0"]) == (
        71,
        64,
        8,
    )
    resting = Score(
        (
            Voice("Soprano", (Note(0, 24, 67), Note(24, 48, 67))),
            Voice("Bass", (Note(0, 24, 60), Note(48, 24, 65))),
        )
    )
    assert not any(
        name.startswith(("parallel", "before"))
        for row in context_rows(trace(encode(resting)))
        for name in row
    )
