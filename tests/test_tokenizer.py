"""Scores to events: nothing is lost, a prompt begins the whole, and hand-worked small scores."""

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import assume, given, settings
from strategies import SIGNATURES, scores, scores_with_holes, without_holes

from seqmusic.errors import UnencodableError
from seqmusic.score import Key, Note, Score, TimeSignature, Voice, melody
from seqmusic.tokens.context import context_columns, context_sizes
from seqmusic.tokens.fermatas import fermata_ticks
from seqmusic.tokens.grammar import GrammarState
from seqmusic.tokens.tokenizer import (
    Trace,
    decode,
    encode,
    encode_prompt,
    normalized,
    tokens_text,
    trace,
)
from seqmusic.tokens.vocabulary import BODY, EOS, FERMATA, PITCH, sound_name

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
    """The columns that are not 0 in each row of the context, by name."""
    return [
        {name: int(value) for name, value in zip(context_columns(4), row, strict=True) if value}
        for row in traced.context
    ]


@given(scores())
def test_decoding_inverts_encoding(score):
    assert normalized(score) == score
    assert decode(encode(score)) == score


@settings(max_examples=200)
@given(scores_with_holes())
def test_decoding_inverts_encoding_with_holes(pair):
    score, holes = pair
    assert decode(encode(score, holes)) == score
    assert decode(encode(score, holes, given_fermatas=())) == score


@settings(max_examples=200)
@given(scores_with_holes())
def test_the_whole_sequence_begins_with_the_prompt(pair):
    score, holes = pair
    known = without_holes(score, holes)
    ends = [tick for gaps in holes for start, end in gaps for tick in (start, end or start)]
    assume(known.end_ticks or any(ends) or all(holes))
    prompt = encode_prompt(known, holes, marks_phrases=bool(fermata_ticks(score)))
    assert prompt[-1] == (BODY, 0)
    assert decode(prompt).voices == known.voices
    all_open = all(gaps and gaps[-1][1] is None for gaps in holes)
    # Otherwise the length of the whole depends on notes that are not given.
    if all_open or max([known.end_ticks, *ends]) == score.end_ticks:
        assert encode(score, holes)[: len(prompt)] == prompt


@given(scores())
def test_a_prompt_without_holes_is_the_header(score):
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
    n_rows = {len(getattr(traced, field.name)) for field in fields(Trace)}
    assert n_rows == {len(traced.events)}


def test_normalized_scores_keep_what_tokens_can_express():
    score = Score(
        (Voice("Flute", (Note(0, 24, 60, fermata=True),)), Voice("Alto", ())),
        ((0, SIGNATURES[0]), (24, SIGNATURES[1])),
        tempo_bpm=90.0,
    )
    assert normalized(score) == Score(
        (Voice("Voice 1", (Note(0, 24, 60, fermata=True),)), Voice("Voice 2", ())),
        ((0, SIGNATURES[0]),),
    )
    for names, keeps_names in (("Alto Bass", True), ("Bass Alto", False), ("Alto Alto", False)):
        score = Score(tuple(Voice(name, ()) for name in names.split()))
        found = " ".join(voice.name for voice in normalized(score).voices)
        assert (found == names) is keeps_names


def test_a_chord_has_one_fermata_over_all_notes_that_start_with_it():
    """The bass has none in print, the tenor one more under the held chord."""
    tenor = (Note(0, 24, 55), Note(24, 24, 53, fermata=True), Note(48, 24, 52))
    lines = [(Note(0, 48, 72, fermata=True), Note(48, 24, 71)), tenor, (Note(0, 72, 48),)]
    score = Score(tuple(Voice(f"Voice {i + 1}", line) for i, line in enumerate(lines)))
    marked = [[note.fermata for note in voice.notes] for voice in normalized(score).voices]
    assert marked == [[True, False], [True, False, False], [True]]


FERMATAS = Score(
    (
        Voice("Soprano", (Note(0, 24, 67), Note(24, 48, 71, True), Note(72, 24, 72, True))),
        Voice("Bass", (Note(0, 72, 55), Note(72, 24, 48))),
    )
)


def test_hand_worked_fermatas():
    assert event_names(encode(FERMATAS))[3:] == [
        *(("PHRASES", 0), ("TIMESIG_4/4", 0), ("PICKUP", 0), ("KEY_unknown", 0), ("BODY", 0)),
        *(("PITCH_67", 24), ("PITCH_55", 72), ("FERMATA", 0), ("PITCH_71", 48)),
        *(("FERMATA", 0), ("PITCH_72", 24), ("PITCH_48", 24), ("EOS", 0)),
    ]
    names = ("fermata", "since_fermata", "until_fermata")

    def columns(events):
        rows = context_rows(trace(events))
        return [tuple(row.get(name, 0) for name in names) for row in rows]

    assert columns(encode(FERMATAS))[7:-1] == [
        *((1, 0, 0), (1, 0, 0), (1, 0, 0), (2, 1, 0), (1, 3, 0), (2, 1, 0), (2, 1, 0)),
        (1, 2, 0),
    ]
    holes = [[], [(0, 96)]]
    given = [event for event in event_names(encode(FERMATAS, holes)) if event[0] == "FERMATA"]
    assert len(given) == 2
    # In BODY, at the onset of each note of the bass and at the end.
    assert columns(encode(FERMATAS, holes))[-4:-1] == [(1, 0, 2), (2, 1, 0), (1, 2, 0)]
    body = event_names(encode(FERMATAS, holes, given_fermatas=()))
    # The first stays in GIVEN: no note of the bass starts there.
    assert body[-5:] == [
        *(("BODY", 0), ("PITCH_55", 72), ("FERMATA", 0), ("PITCH_48", 24), ("EOS", 0)),
    ]


def test_fermatas_are_marked_only_where_they_are_wanted():
    state = GrammarState()
    for event in encode_prompt(FERMATAS, marks_phrases=False)[1:]:
        state.push(*event)
    with pytest.raises(ValueError, match="does not allow FERMATA here"):
        state.push(FERMATA, 0)


def one_note(*signatures, pickup_ticks=0):
    return melody([Note(0, 24, 60)], time_signatures=signatures, pickup_ticks=pickup_ticks)


@pytest.mark.parametrize(
    ("score", "message"),
    [
        (Score(()), r"1\.\.16 voices, got 0"),
        (Score(tuple(Voice("", (Note(0, 24, 60),)) for _ in range(17))), r"1\.\.16 voices, got 17"),
        (one_note((0, TimeSignature(3, 2)), pickup_ticks=97), "at most 96 ticks, got 97"),
        (one_note((0, TimeSignature(4, 32))), "4/32 has no token"),
        (one_note((0, SIGNATURES[0]), (12, TimeSignature(17, 4))), "17/4 has no token"),
        (melody([]), "at least one note"),
    ],
)
def test_scores_that_tokens_cannot_express_are_refused(score, message):
    with pytest.raises(UnencodableError, match=message):
        encode(score)


def test_a_sequence_starts_with_bos():
    with pytest.raises(ValueError, match="starts with BOS, got VOICE_Soprano"):
        decode(encode(HAND_WRITTEN)[1:])


def test_hand_worked_tokens():
    events = encode(HAND_WRITTEN)
    assert event_names(events) == [
        *(("BOS", 0), ("VOICE_Soprano", 0), ("VOICE_Bass", 0)),
        *(("TIMESIG_3/4", 0), ("PICKUP", 24), ("KEY_-1_major", 0), ("BODY", 0)),
        *(("PITCH_65", 24), ("REST", 24), ("PITCH_69", 48), ("PITCH_53", 72), ("PITCH_67", 24)),
        ("EOS", 0),
    ]
    traced = trace(events)
    assert traced.ticks.tolist()[6:] == [0, 0, 24, 24, 72, 96, 96]
    # What follows a row is scored: not voices and BODY, and nothing follows EOS.
    assert np.flatnonzero(~traced.is_scored).tolist() == [0, 1, 5, 12]
    # 3/4 is meter 1 + 16 + 2, one flat major is key 1 + 6, a pitch is 2 + its number, and a unison
    # is interval 25. The bass has column 3. F, G and A are degrees 1, 3 and 5.
    body = {"section": 2, "meter": 19, "key": 7}
    rows = context_rows(traced)
    assert rows[:6] == [{}] * 6
    assert rows[6:9] == [
        {**body, "voice": 1, "position": 48},
        {**body, "voice": 4, "position": 48, "sound_0": 67, "degree_0": 1, "remaining_0": 24},
        {**body, "voice": 1, "sound_0": 67, "degree_0": 1, "elapsed_0": 24, "interval_0": 25}
        | {"sound_3": 1, "elapsed_3": 24},
    ]
    assert rows[9:12] == [
        {
            **body,
            "voice": 4,
            "sound_0": 71,
            "degree_0": 5,
            "remaining_0": 48,
            "sound_3": 1,
            "elapsed_3": 24,
        },
        {
            **body,
            "voice": 1,
            "position": 48,
            "sound_0": 71,
            "degree_0": 5,
            "elapsed_0": 48,
            "interval_0": 25,
        }
        | {"sound_3": 55, "degree_3": 1, "elapsed_3": 48, "remaining_3": 24, "interval_3": 25 - 16},
        {**body, "voice": 1, "sound_0": 69, "degree_0": 3, "elapsed_0": 24, "interval_0": 25}
        | {"sound_3": 55, "degree_3": 1, "elapsed_3": 72, "interval_3": 25 - 14},
    ]


def test_hand_worked_infilling():
    events = encode(HAND_WRITTEN, [[(24, 72)], [(0, None)]])
    assert event_names(events)[6:] == [
        *(("GIVEN", 0), ("PITCH_65", 24), ("HOLE", 0), ("HOLE", 48), ("PITCH_67", 24)),
        *(("BODY", 0), ("REST", 24), ("PITCH_69", 48), ("PITCH_53", 72), ("EOS", 0)),
    ]
    body = {"section": 2, "meter": 19, "key": 7}
    bass_rest = {"sound_3": 1, "elapsed_3": 24}
    assert context_rows(trace(events))[11:15] == [
        {
            **body,
            "voice": 4,
            "position": 48,
            "to_end": 5,
            "sound_0": 67,
            "degree_0": 1,
            "remaining_0": 24,
        }
        | {"ahead_0": 69, "degree_ahead_0": 3, "until_ahead_0": 73, "next_step_0": 27},
        {
            **body,
            "voice": 1,
            "to_end": 4,
            "sound_0": 67,
            "degree_0": 1,
            "elapsed_0": 24,
            "interval_0": 25,
        }
        | {"ahead_0": 69, "degree_ahead_0": 3, "until_ahead_0": 49, "next_step_0": 27, **bass_rest},
        {**body, "voice": 4, "to_end": 4, "sound_0": 71, "degree_0": 5, "remaining_0": 48}
        | {"ahead_0": 69, "degree_ahead_0": 3, "until_ahead_0": 49, "next_step_0": 23, **bass_rest},
        {
            **body,
            "to_end": 1,
            "sound_0": 69,
            "degree_0": 3,
            "elapsed_0": 24,
            "sound_3": 55,
            "degree_3": 1,
            "elapsed_3": 72,
        },
    ]


@pytest.mark.parametrize(
    ("key", "degree", "degree_ahead"),
    [
        (Key(1, "major"), 1, 8),  # G and D over G
        (Key(1, "minor"), 12 + 4, 12 + 11),  # over E
        (Key(1), 0, 0),
        (None, 0, 0),
    ],
)
def test_the_context_names_scale_degrees(key, degree, degree_ahead):
    soprano = Voice("Soprano", (Note(0, 24, 67), Note(24, 24, 62)))
    score = Score((soprano, Voice("Bass", ())), key=key)
    row = context_rows(trace(encode(score, [[], [(0, 48)]])))[-3]  # before the bass
    assert (row.get("degree_0", 0), row.get("degree_ahead_0", 0)) == (degree, degree_ahead)


def soprano_columns(row):
    """The columns of the soprano, without the interval to the next voice."""
    return {k: value for k, value in row.items() if k.endswith("_0") and k != "interval_0"}


def test_the_context_names_the_next_two_given_notes():
    soprano = (Note(0, 24, 65), Note(36, 12, 69), Note(48, 24, 62))
    score = Score((Voice("Soprano", soprano), Voice("Bass", ())))
    holes = [[], [(0, 72)]]
    first = context_rows(trace(encode(score, holes)))[12]  # at the first note of the bass
    # A rest has no interval.
    rest_ahead = {"ahead_0": 1, "until_ahead_0": 25, "until_then_0": 13}
    assert soprano_columns(first) == {"sound_0": 67, "remaining_0": 24, **rest_ahead}
    body = [(PITCH + 50, 36), (PITCH + 50, 36), (EOS, 0)]
    later = context_rows(trace([*encode(score, holes)[:13], *body]))[13]
    note_ahead = {"ahead_0": 64, "until_ahead_0": 13, "next_step_0": 18}
    assert soprano_columns(later) == {"sound_0": 71, "remaining_0": 12, **note_ahead}


def test_meter_changes_under_a_long_note():
    four, three, two = SIGNATURES[:3]
    score = melody(
        [Note(0, 200, 60)], time_signatures=((0, four), (50, four), (70, three), (198, two))
    )
    # Each comes before the first event after it, with its age.
    assert event_names(encode(score))[5:] == [
        *(("BODY", 0), ("PITCH_60", 96), ("TIMESIG_4/4", 46), ("TIMESIG_3/4", 26)),
        *(("HOLD", 96), ("HOLD", 8), ("TIMESIG_2/2", 2), ("EOS", 0)),
    ]
    assert decode(encode(score)) == score


def test_a_prompt_keeps_the_meter_of_what_is_to_be_composed():
    score = melody([], time_signatures=((0, SIGNATURES[0]), (96, SIGNATURES[1])))
    assert decode(encode_prompt(score, [[(0, 192)]])).time_signatures == score.time_signatures


def test_a_hole_that_opens_at_the_end_is_dropped():
    score = Score((Voice("Soprano", (Note(0, 24, 60),)), Voice("Bass", ())))
    assert event_names(encode_prompt(score, [[], [(48, None)]]))[7:] == [
        *(("PITCH_60", 24), ("REST", 48), ("REST", 24), ("BODY", 0)),
    ]
    assert decode(encode_prompt(score, [[], [(48, None)]])) == score


def test_a_prompt_that_lasts_no_time_is_refused():
    message = "a voice without a hole says how long the music lasts"
    with pytest.raises(UnencodableError, match=message):
        encode_prompt(Score((Voice("Soprano", ()), Voice("Bass", ()))), [[], [(0, None)]])


def test_token_lines_name_onset_and_voice():
    text = list(tokens_text(encode(HAND_WRITTEN)))
    assert text[0].split() == ["0", "BOS"]
    assert text[10].split() == ["10", "24", "Bass", "PITCH_53", "72"]
    assert len(text) == 13


def test_decoding_inverts_encoding_for_the_corpus(chorales):
    lengths = []
    for work in chorales.kept_works:
        events = encode(work.score)
        assert decode(events) == normalized(work.score), work.name
        lengths.append(len(events))
    assert sum(lengths) / len(lengths) < 260


def test_the_context_names_parallel_motion():
    """Over a C4 the soprano moves from G4 to A4: in parallel fifths the bass would move to D4."""
    soprano = Voice("Soprano", (Note(0, 24, 67), Note(24, 24, 69)))
    bass = Voice("Bass", (Note(0, 24, 60), Note(24, 24, 65)))
    row = context_rows(trace(encode(Score((soprano, bass)))))[-3]  # before the second bass note
    assert (row["sound_0"], row["parallel_0"], row["before_0"]) == (2 + 69, 2 + 62, 1 + 7)


def test_a_repeated_pitch_is_no_motion():
    soprano = Voice("Soprano", (Note(0, 24, 67), Note(24, 48, 67)))
    bass = Voice("Bass", (Note(0, 24, 60), Note(48, 24, 65)))
    names = {name for row in context_rows(trace(encode(Score((soprano, bass))))) for name in row}
    assert not any(name.startswith(("parallel", "before")) for name in names)
