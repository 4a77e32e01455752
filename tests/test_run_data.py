"""Batches that leave a process without pieces, and vocabularies without room, are refused."""

import pytest
from trainings import NO_DROPOUT

from seqmusic.errors import CheckpointError, ConfigurationError
from seqmusic.runs.pretrained import make_vocabulary
from seqmusic.runs.run_data import check_batch_size, run_vocabulary
from seqmusic.score import Note, Score, Voice
from seqmusic.tokens.pieces import pack_scores


@pytest.mark.parametrize(
    ("n_pieces", "n_processes", "message"),
    [
        (
            99,
            6,
            "a batch of 5 pieces is too small for 6 processes of 1 parts each; "
            "start at most 5 processes, or raise batch_size",
        ),
        (3, 4, "a batch of 3 pieces is too small for 4 processes"),
    ],
)
def test_more_processes_than_pieces_are_refused(
    n_pieces: int, n_processes: int, message: str
) -> None:
    with pytest.raises(ConfigurationError, match=message):
        check_batch_size(NO_DROPOUT.training, n_pieces, n_processes)
    check_batch_size(NO_DROPOUT.training, n_pieces, min(5, n_pieces))


def test_a_model_has_room_for_all_voices_of_the_corpus() -> None:
    voices = tuple(Voice(f"Voice {i}", (Note(0, 24, 72 - i),)) for i in range(1, 6))
    pieces = pack_scores([Score(voices)])
    assert run_vocabulary(pieces, None) == make_vocabulary(5, has_numbered_voices=True)
    assert run_vocabulary(pieces, make_vocabulary(7)).max_voices == 7
    with pytest.raises(CheckpointError, match="knows 4 voices, and the corpus has up to 5"):
        run_vocabulary(pieces, make_vocabulary(4))
