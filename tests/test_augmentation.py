"""Transposition: a transposed trace is the trace of the transposed score."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import scores_with_columns
from traces import MASK_KINDS, assert_same_columns, assert_same_traces, random_mask

from seqmusic.score import Note, Score, Voice, melody
from seqmusic.tokens.augmentation import legal_shifts, transpose_pieces, transposed
from seqmusic.tokens.batched.columns import note_columns
from seqmusic.tokens.batched.encoding import trace_batch


@settings(max_examples=60)
@given(
    scores_with_columns(),
    st.integers(-12, 12),
    st.lists(st.sampled_from(MASK_KINDS), min_size=1, max_size=1),
    st.integers(0, 2**32),
)
def test_a_transposed_trace_is_the_trace_of_the_transposed_score(drawn, semitones, kinds, seed):
    (score, *_), max_voices = drawn
    notes = note_columns([score])
    mask = random_mask(notes, kinds, np.random.default_rng(seed))
    (original,) = trace_batch(notes, mask, max_voices)
    try:
        moved = note_columns([score.transposed(semitones)])
    except ValueError:
        with pytest.raises(ValueError, match=r"pitch must be a MIDI number in 0\.\.127"):
            transposed(original, semitones)
        return
    assert_same_traces(transposed(original, semitones), trace_batch(moved, mask, max_voices)[0])
    assert_same_columns(transpose_pieces(notes, [semitones]), moved)


def test_a_transposition_out_of_range_is_refused():
    (original,) = trace_batch(note_columns([melody([Note(0, 24, 60), Note(24, 24, 62)])]))
    message = r"got 60\.\.62 transposed by \+66; -60\.\.\+65 is what this sequence allows"
    with pytest.raises(ValueError, match=message):
        transposed(original, 66)


def test_legal_shifts_keep_every_voice_in_its_compass():
    # A soprano sings 57..81, a bass 36..66.
    soprano, bass = Voice("Soprano", (Note(0, 24, 60),)), Voice("Bass", (Note(0, 24, 64),))
    assert legal_shifts(Score((soprano, bass))) == [-3, -2, -1, 0, 1, 2]
    assert legal_shifts(Score((replace(soprano, notes=(Note(0, 24, 30),)), bass))) == [0]
