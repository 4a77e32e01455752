"""Many pieces at once: every trace is what the grammar gives step by step, whatever is asked."""

from dataclasses import fields, replace
from itertools import groupby

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import scores

from seqmusic.errors import UnencodableError
from seqmusic.score import SATB, Note, Score, TimeSignature, Voice, melody
from seqmusic.tokens.augmentation import legal_shifts, transposed
from seqmusic.tokens.batched.columns import NoteColumns, note_columns
from seqmusic.tokens.batched.encoding import InfillingMask, trace_batch
from seqmusic.tokens.tokenizer import Trace, encode, normalized, trace
from seqmusic.tokens.vocabulary import VOICE, sound_name

KINDS = ["nothing", "voice", "tail", "region", "scatter", "all but one", "all", "none"]
TWO_PIECES = [
    Score((Voice("Soprano", (Note(0, 24, 60), Note(48, 200, 62))), Voice("Alto", ()))),
    melody(
        [Note(24, 24, 60)],
        "Flute",
        time_signatures=((0, TimeSignature(3, 4)), (30, TimeSignature(2, 4))),
        pickup_ticks=12,
    ),
]


def assert_same_traces(got, wanted):
    for field in fields(Trace):
        a, b = getattr(got, field.name), getattr(wanted, field.name)
        assert a.dtype == b.dtype, field.name
        assert np.array_equal(a, b), (
            field.name,
            a.shape,
            b.shape,
            np.argwhere(a != b)[:4].tolist() if a.shape == b.shape else "",
        )


def assert_same_columns(got, wanted):
    assert got.headers == wanted.headers
    for field in fields(NoteColumns):
        assert field.name == "headers" or np.array_equal(
            getattr(got, field.name), getattr(wanted, field.name)
        ), field.name


def missing_segments(kind, notes, rng):
    """(N,) what is missing of the tiles of one piece."""
    n, end = len(notes.piece), int(notes.end_ticks[0])
    if kind == "voice":
        return notes.voice == rng.choice(notes.voice)
    if kind == "tail":
        return (notes.onset >= rng.integers(end)) | (
            notes.voice == rng.choice([0, notes.voice[-1]])
        )
    if kind == "region":
        start = rng.integers(end)
        return (notes.onset >= start) & (notes.onset < start + rng.integers(1, end + 1))
    if kind == "all but one":
        return np.arange(n) != rng.integers(n)
    return rng.random(n) < 0.4 if kind == "scatter" else np.full(n, kind != "none")


def random_mask(notes, kinds, rng):
    singles = [notes.take([piece]) for piece in range(len(kinds))]
    missing = [
        missing_segments(kind, single, rng) for kind, single in zip(kinds, singles, strict=True)
    ]
    has_given = np.array([kind != "nothing" for kind in kinds])
    return InfillingMask(np.concatenate(missing), has_given, rng.random(len(kinds)) < 0.5)


def holes_of(notes, mask, piece):
    """The holes of each line, tile by tile."""
    voices = [sound for sound, _ in notes.headers[piece] if sound_name(sound).startswith("VOICE")]
    holes = {voice: [] for voice in voices}
    rows = np.flatnonzero(notes.piece == piece).tolist()
    for (voice, is_missing), run in groupby(
        rows, key=lambda row: (int(notes.voice[row]), bool(mask.missing[row]))
    ):
        run = list(run)
        start, end = int(notes.onset[run[0]]), int(notes.end[run[-1]])
        if is_missing:
            holes[voice].append(
                (start, None if mask.is_open[piece] and end == notes.end_ticks[piece] else end)
            )
    return [holes[voice] for voice in voices]


def assert_same_as_oracle(works, kinds, rng, max_voices=4):
    notes = note_columns(works)
    mask = random_mask(notes, kinds, rng)
    traces = trace_batch(notes, mask, max_voices)
    for piece, work in enumerate(works):
        holes = holes_of(notes, mask, piece) if mask.has_given[piece] else None
        assert_same_traces(traces[piece], trace(encode(work, holes), max_voices))


@st.composite
def works_with_columns(draw):
    works = draw(st.lists(scores(max_voices=6) | scores(), min_size=1, max_size=3))
    needed = max(
        len(SATB) if voice.name in SATB else len(work.voices)
        for work in works
        for voice in work.voices
    )
    return works, draw(st.integers(needed, 16))


@given(works_with_columns())
def test_whole_pieces_are_traced_as_the_grammar_does(drawn):
    works, max_voices = drawn
    for got, work in zip(trace_batch(note_columns(works), None, max_voices), works, strict=True):
        assert_same_traces(got, trace(encode(work), max_voices))


@settings(max_examples=200)
@given(
    works_with_columns(),
    st.lists(st.sampled_from(KINDS), min_size=3, max_size=3),
    st.integers(0, 2**32),
)
def test_pieces_with_anything_given_are_traced_as_the_grammar_does(drawn, kinds, seed):
    works, max_voices = drawn
    assert_same_as_oracle(works, kinds[: len(works)], np.random.default_rng(seed), max_voices)


def test_the_whole_corpus_is_traced_as_the_grammar_does(chorales):
    works = [work.score for work in chorales.kept_works]
    for got, work in zip(trace_batch(note_columns(works)), chorales.kept_works, strict=True):
        assert_same_traces(got, trace(encode(work.score)))


def test_the_corpus_with_parts_given_is_traced_as_the_grammar_does(chorales):
    rng = np.random.default_rng(1)
    chosen = rng.permutation(len(chorales.kept_works))[:160].tolist()
    assert_same_as_oracle([chorales.kept_works[piece].score for piece in chosen], KINDS * 20, rng)


@settings(max_examples=40)
@given(st.lists(scores(max_voices=4), min_size=1, max_size=4), st.data())
def test_taken_tiles_are_the_tiles_of_those_pieces(works, data):
    chosen = data.draw(st.lists(st.integers(0, len(works) - 1), unique=True))
    assert_same_columns(
        note_columns(works).take(chosen), note_columns([works[piece] for piece in chosen])
    )


def test_tiles_by_hand():
    notes = note_columns(TWO_PIECES)
    rows = list(
        zip(notes.piece, notes.voice - VOICE, notes.onset, notes.end, notes.pitch, strict=True)
    )
    assert rows == [
        (0, 0, 0, 24, 60), (0, 0, 24, 48, REST_PITCH), (0, 0, 48, 248, 62), (0, 1, 0, 248, REST_PITCH),  # an empty voice rests
        (1, 4, 0, 24, REST_PITCH), (1, 4, 24, 48, 60),  # a voice that is not sung is numbered
    ]  # fmt: skip
    assert notes.end_ticks.tolist() == [248, 48]
    assert [tuple(sound_name(sound) for sound, _ in own)[1:-3] for own in notes.headers] == [
        ("VOICE_Soprano", "VOICE_Alto"), ("VOICE_Voice_1",),
    ]  # fmt: skip
    assert (notes.change_piece.tolist(), notes.change_tick.tolist()) == ([1], [30])
    assert sound_name(int(notes.change_sound[0])) == "TIMESIG_2/4"


def test_taken_tiles_without_some():
    notes = note_columns(TWO_PIECES)
    take = notes.take([1, 0], keep=notes.pitch >= 0)
    assert (take.piece.tolist(), take.pitch.tolist()) == ([0, 1, 1], [60, 60, 62])
    assert take.end_ticks.tolist() == [48, 248]


def test_tiles_take_no_notice_of_what_tokens_cannot_say():
    four = (
        (0, TimeSignature(4, 4)),
        (24, TimeSignature(17, 4)),
    )  # a change at the end has no token, and needs none
    score = Score(
        (Voice("Flute", (Note(0, 24, 60, fermata=True),)), Voice("Flute", (Note(0, 24, 50),))),
        four,
        tempo_bpm=90,
    )
    assert_same_columns(note_columns([score]), note_columns([normalized(score)]))


def test_no_pieces_are_no_traces():
    assert trace_batch(note_columns([])) == []


@pytest.mark.parametrize(("score", "words"), [
    (Score(()), r"1\.\.16 voices, got 0"),
    (melody([]), "at least one note"),
    (melody([Note(0, 24, 60)], time_signatures=((0, TimeSignature(4, 32)),)), "4/32 has no token"),
    (melody([Note(0, 24, 60)], time_signatures=((0, TimeSignature(4, 4)), (12, TimeSignature(17, 4)))), "17/4 has no token"),
])  # fmt: skip
def test_what_tokens_cannot_say_is_refused(score, words):
    with pytest.raises(UnencodableError, match=words):
        note_columns([TWO_PIECES[0], score])


def test_a_voice_without_a_column_is_refused():
    with pytest.raises(
        ValueError, match="max_voices 3 leaves no column for the voice 'Soprano' of piece 1"
    ):
        trace_batch(note_columns([TWO_PIECES[1], TWO_PIECES[0]]), max_voices=3)
    five = Score(tuple(Voice("", (Note(0, 24, 60),)) for _ in range(5)))
    with pytest.raises(ValueError, match="no column for the voice 'Voice 5' of piece 0"):
        trace_batch(note_columns([five]))


@settings(max_examples=60)
@given(
    works_with_columns(),
    st.integers(-12, 12),
    st.lists(st.sampled_from(KINDS), min_size=1, max_size=1),
    st.integers(0, 2**32),
)
def test_a_transposed_trace_is_the_trace_of_the_transposed_score(drawn, semitones, kinds, seed):
    (work, *_), max_voices = drawn
    notes = note_columns([work])
    mask = random_mask(notes, kinds, np.random.default_rng(seed))
    (plain,) = trace_batch(notes, mask, max_voices)
    try:
        moved = work.transposed(semitones)
    except ValueError:
        with pytest.raises(ValueError, match=r"pitch must be a MIDI number in 0\.\.127"):
            transposed(plain, semitones)
        return
    assert_same_traces(
        transposed(plain, semitones), trace_batch(note_columns([moved]), mask, max_voices)[0]
    )


def test_a_transposition_out_of_range_is_refused():
    (plain,) = trace_batch(note_columns([TWO_PIECES[0]]))
    with pytest.raises(
        ValueError,
        match=r"got 60\.\.62 transposed by \+66; -60\.\.\+65 is what this sequence allows",
    ):
        transposed(plain, 66)


def test_legal_shifts_keep_every_voice_in_its_compass():
    low, high = (
        Voice("Soprano", (Note(0, 24, 60),)),
        Voice("Bass", (Note(0, 24, 64),)),
    )  # 57..81 and 36..66
    assert legal_shifts(Score((low, high))) == [-3, -2, -1, 0, 1, 2]
    assert legal_shifts(Score((replace(low, notes=(Note(0, 24, 30),)), high))) == [0]
