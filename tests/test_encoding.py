"""Many pieces at once: every trace is what the grammar gives step by step, whatever is given."""

from itertools import groupby

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import scores, scores_with_columns
from traces import MASK_KINDS, assert_same_columns, assert_same_traces, random_mask

from seqmusic.errors import UnencodableError
from seqmusic.score import Note, Score, TimeSignature, Voice, melody
from seqmusic.tokens.batched.columns import note_columns
from seqmusic.tokens.batched.encoding import trace_batch
from seqmusic.tokens.tokenizer import encode, normalized, trace
from seqmusic.tokens.vocabulary import VOICE, is_voice, sound_name

TWO_PIECES = [
    Score((Voice("Soprano", (Note(0, 24, 60), Note(48, 200, 62))), Voice("Alto", ()))),
    melody(
        [Note(24, 24, 60)],
        "Flute",
        time_signatures=((0, TimeSignature(3, 4)), (30, TimeSignature(2, 4))),
        pickup_ticks=12,
    ),
]


def holes_of(notes, mask, piece):
    """The holes of each voice of a piece, note by note."""
    holes = {sound: [] for sound, _ in notes.headers[piece] if is_voice(sound)}
    rows = np.flatnonzero(notes.piece == piece).tolist()

    def voice_and_mask(row):
        return int(notes.voice[row]), bool(mask.missing[row])

    for (voice, is_missing), group in groupby(rows, key=voice_and_mask):
        run = list(group)
        start, end = int(notes.onset[run[0]]), int(notes.end[run[-1]])
        is_open = mask.is_open[piece] and end == notes.end_ticks[piece]
        if is_missing:
            holes[voice].append((start, None if is_open else end))
    return list(holes.values())


def assert_same_as_oracle(scores, kinds, rng, max_voices=4):
    notes = note_columns(scores)
    mask = random_mask(notes, kinds, rng)
    traces = trace_batch(notes, mask, max_voices)
    for piece, score in enumerate(scores):
        holes = holes_of(notes, mask, piece) if mask.has_given[piece] else None
        fermatas = None if mask.gives_fermatas[piece] else ()
        events = encode(score, holes, given_fermatas=fermatas)
        assert_same_traces(traces[piece], trace(events, max_voices))


@given(scores_with_columns())
def test_whole_pieces_have_the_traces_of_the_grammar(drawn):
    pieces, max_voices = drawn
    traces = trace_batch(note_columns(pieces), None, max_voices)
    for result, score in zip(traces, pieces, strict=True):
        assert_same_traces(result, trace(encode(score), max_voices))


@settings(max_examples=200)
@given(
    scores_with_columns(),
    st.lists(st.sampled_from(MASK_KINDS), min_size=3, max_size=3),
    st.integers(0, 2**32),
)
def test_masked_pieces_have_the_traces_of_the_grammar(drawn, kinds, seed):
    pieces, max_voices = drawn
    rng = np.random.default_rng(seed)
    assert_same_as_oracle(pieces, kinds[: len(pieces)], rng, max_voices)


def test_the_corpus_has_the_traces_of_the_grammar(chorales):
    pieces = [work.score for work in chorales.kept_works]
    for result, score in zip(trace_batch(note_columns(pieces)), pieces, strict=True):
        assert_same_traces(result, trace(encode(score)))


def test_the_masked_corpus_has_the_traces_of_the_grammar(chorales):
    rng = np.random.default_rng(1)
    chosen = rng.permutation(len(chorales.kept_works))[:160].tolist()
    assert_same_as_oracle(
        [chorales.kept_works[piece].score for piece in chosen], MASK_KINDS * 20, rng
    )


@settings(max_examples=40)
@given(st.lists(scores(max_voices=4), min_size=1, max_size=4), st.data())
def test_pieces_taken_from_columns_are_the_columns_of_those_pieces(drawn, data):
    chosen = data.draw(st.lists(st.integers(0, len(drawn) - 1), unique=True))
    expected = note_columns([drawn[piece] for piece in chosen])
    assert_same_columns(note_columns(drawn).take(chosen), expected)


def test_hand_worked_columns():
    notes = note_columns(TWO_PIECES)
    columns = (notes.piece, notes.voice - VOICE, notes.onset, notes.end, notes.pitch)
    assert list(zip(*columns, strict=True)) == [
        (0, 0, 0, 24, 60),
        (0, 0, 24, 48, -1),
        (0, 0, 48, 248, 62),
        (0, 1, 0, 248, -1),  # an empty voice rests
        (1, 4, 0, 24, -1),  # the voice of the flute is numbered
        (1, 4, 24, 48, 60),
    ]
    assert notes.end_ticks.tolist() == [248, 48]
    names = [[sound_name(sound) for sound, _ in header[1:-3]] for header in notes.headers]
    assert names == [["VOICE_Soprano", "VOICE_Alto"], ["VOICE_Voice_1"]]
    assert (notes.change_piece.tolist(), notes.change_tick.tolist()) == ([1], [30])
    assert sound_name(int(notes.change_sound[0])) == "TIMESIG_2/4"


def test_pieces_are_taken_without_their_rests():
    notes = note_columns(TWO_PIECES)
    take = notes.take([1, 0], keep=notes.pitch >= 0)
    assert (take.piece.tolist(), take.pitch.tolist()) == ([0, 1, 1], [60, 60, 62])
    assert take.end_ticks.tolist() == [48, 248]


def test_columns_ignore_what_tokens_cannot_express():
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


def test_no_pieces_have_no_traces():
    assert trace_batch(note_columns([])) == []


FOUR_FOUR = TimeSignature(4, 4)


def one_note(*signatures):
    return melody([Note(0, 24, 60)], time_signatures=signatures)


@pytest.mark.parametrize(
    ("score", "message"),
    [
        (Score(()), r"1\.\.16 voices, got 0"),
        (melody([]), "at least one note"),
        (one_note((0, TimeSignature(4, 32))), "4/32 has no token"),
        (one_note((0, FOUR_FOUR), (12, TimeSignature(17, 4))), "17/4 has no token"),
    ],
)
def test_scores_that_tokens_cannot_express_are_refused(score, message):
    with pytest.raises(UnencodableError, match=message):
        note_columns([TWO_PIECES[0], score])


def test_a_voice_without_a_column_is_refused():
    message = "max_voices 3 leaves no column for the voice 'Soprano' of piece 1"
    with pytest.raises(ValueError, match=message):
        trace_batch(note_columns([TWO_PIECES[1], TWO_PIECES[0]]), max_voices=3)
    five = Score(tuple(Voice("", (Note(0, 24, 60),)) for _ in range(5)))
    with pytest.raises(ValueError, match="no column for the voice 'Voice 5' of piece 0"):
        trace_batch(note_columns([five]))
