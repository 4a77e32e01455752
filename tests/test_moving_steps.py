"""Moving steps: where the nats of a piece are spent, by hand."""

import numpy as np

from seqmusic.metrics.likelihood import EventScores
from seqmusic.metrics.moving_steps import moving_cells, moving_step_nats
from seqmusic.score import Note, Score, Voice
from seqmusic.tokens.tokenizer import encode, trace


def test_nats_belong_to_the_step_of_their_onset() -> None:
    """Of four steps, both voices move in the first and in the third, where one begins a rest.

    A repeated note does not move.
    """
    upper = Voice("Soprano", (Note(0, 6, 60), Note(6, 6, 60), Note(12, 12, 62)))
    lower = Voice("Bass", (Note(0, 12, 48), Note(18, 6, 48)))
    score = Score((upper, lower), ())
    assert moving_cells(score).tolist() == [[True, False, True, False], [True, False, True, True]]
    sequence = trace(encode(score))
    rows = np.flatnonzero(sequence.is_scored)
    n = len(rows)
    nats = 2.0 ** np.arange(n)
    zeros = np.zeros(n, int)
    moves = moving_step_nats(
        [EventScores(rows, nats, np.zeros(n), zeros, zeros, zeros, zeros)], [sequence], [score]
    )
    assert (moves.steps, moves.moving_steps, moves.nats) == (4, 2, 2.0**n - 1)
    # meter, pickup, key, 60, 48 | 60 | 62, rest | 48, end: the sixth, ninth and tenth do not move
    assert n == 10
    assert moves.moving_nats == 2**10 - 1 - 2**5 - 2**8 - 2**9
