"""Whether held-out music was trained on: found by content, also after transposition, in all voices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from seqmusic.corpus.similarity.digests import sketch
from seqmusic.corpus.similarity.duplicates import outline, pairs_among, repeats
from seqmusic.corpus.similarity.pairs import Pairs
from seqmusic.score import Score

MIN_SHARE = 0.75


class Overlap(NamedTuple):
    """A held-out piece that a training piece repeats.

    Attributes:
        held_out: position of the held-out piece.
        training: position of the training piece that is most like it.
        semitones: the training piece moved by so much sounds like the held-out one.
        share: of the passages of the shorter of the two, how many stand in the other, 0..1.
        is_exact: the same onsets, durations and intervals in all voices.
    """

    held_out: int
    training: int
    semitones: int
    share: float
    is_exact: bool


def overlap(
    training: Sequence[Score], held_out: Sequence[Score], min_share: float = MIN_SHARE
) -> list[Overlap]:
    """Held-out pieces that share at least `min_share` of their passages of six beats with a training piece, in order.

    >>> from seqmusic.score import Note, melody
    >>> one, other = melody([Note(0, 24, 60), Note(24, 24, 64)]), melody([Note(0, 24, 60)])
    >>> overlap([other, one], [one.transposed(-2)])
    [Overlap(held_out=0, training=1, semitones=-2, share=1.0, is_exact=True)]
    """
    sketches = [sketch(score) for score in (*training, *held_out)]
    outlines, pairs, n_training = (
        [outline(own) for own in sketches],
        pairs_among(sketches),
        len(training),
    )
    is_across = (pairs.earlier < n_training) & (pairs.later >= n_training)
    found = repeats(
        outlines, Pairs(*(column[is_across] for column in pairs)), min_share, n_originals=n_training
    )
    return [
        Overlap(number - n_training, *match)
        for number, match in sorted(found.items())
        if number >= n_training
    ]
