"""Random masks over the notes of pieces, and comparisons of columns and traces."""

from dataclasses import fields

import numpy as np

from seqmusic.tokens.batched.columns import NoteColumns
from seqmusic.tokens.batched.encoding import InfillingMask
from seqmusic.tokens.tokenizer import Trace

MASK_KINDS = ["nothing", "voice", "tail", "region", "scatter", "all but one", "all", "none"]


def assert_same_traces(first, second):
    for field in fields(Trace):
        a, b = getattr(first, field.name), getattr(second, field.name)
        assert a.dtype == b.dtype, field.name
        assert a.shape == b.shape, field.name
        assert np.array_equal(a, b), (field.name, np.argwhere(a != b)[:4].tolist())


def assert_same_columns(first, second):
    assert first.headers == second.headers
    for name in (field.name for field in fields(NoteColumns) if field.name != "headers"):
        assert np.array_equal(getattr(first, name), getattr(second, name)), name


def random_mask(notes, kinds, rng):
    """A mask of the given kind for each piece; "nothing" gives nothing of it."""
    missing = [_missing_notes(kind, notes.take([piece]), rng) for piece, kind in enumerate(kinds)]
    has_given = np.array([kind != "nothing" for kind in kinds])
    is_open, gives_fermatas = rng.random((2, len(kinds))) < 0.5
    return InfillingMask(np.concatenate(missing), has_given, is_open, gives_fermatas)


def _missing_notes(kind, notes, rng):
    """(N,) which notes and rests of one piece are missing."""
    n, end = len(notes.piece), int(notes.end_ticks[0])
    if kind == "voice":
        return notes.voice == rng.choice(notes.voice)
    if kind == "tail":
        is_late = notes.onset >= rng.integers(end)
        return is_late | (notes.voice == rng.choice([0, notes.voice[-1]]))
    if kind == "region":
        start = rng.integers(end)
        return (notes.onset >= start) & (notes.onset < start + rng.integers(1, end + 1))
    if kind == "all but one":
        return np.arange(n) != rng.integers(n)
    if kind == "scatter":
        return rng.random(n) < 0.4
    return np.full(n, kind != "none")
