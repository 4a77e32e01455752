"""The data of a run: training pieces, validation pieces, and the vocabulary for both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from seqmusic.corpus.training_corpus import TrainingCorpus
from seqmusic.errors import CheckpointError, ConfigurationError
from seqmusic.model.settings import Vocabulary
from seqmusic.runs.data import TrainingData
from seqmusic.runs.pretrained import DEFAULT_MAX_VOICES, make_vocabulary
from seqmusic.score import SATB
from seqmusic.tokens.batched.encoding import trace_batch
from seqmusic.tokens.pieces import Pieces
from seqmusic.tokens.tokenizer import Trace
from seqmusic.tokens.vocabulary import VOICE
from seqmusic.training.settings import TrainingSettings

MAX_VALIDATION_PIECES = 256  # pieces that each evaluation of a training scores


@dataclass(frozen=True, slots=True)
class RunData:
    """The data of a run.

    Attributes:
        corpus: the works.
        training: the training pieces.
        vocabulary: of the model.
        validation: the traces of the validation pieces.
        n_cells: cells of the validation pieces.
    """

    corpus: TrainingCorpus
    training: TrainingData
    vocabulary: Vocabulary
    validation: Sequence[Trace]
    n_cells: int

    @property
    def sizes(self) -> str:
        """The numbers of training and validation pieces as a text."""
        n_all, n_scored = len(self.corpus.pieces_in("valid")), len(self.validation)
        scored = f"{n_scored} of {n_all:,}" if n_scored < n_all else f"{n_all}"
        n_training = len(self.training.pieces)
        return f"{n_training:,} works or passages to train on, {scored} to validate"


def make_run_data(corpus: TrainingCorpus, pieces: Pieces, start: Vocabulary | None) -> RunData:
    """The data of a run on a corpus.

    Args:
        corpus: the works.
        pieces: the training pieces.
        start: the vocabulary of the model that the run begins with, if there is one.

    Raises:
        CheckpointError: the corpus has more voices than `start`.
    """
    vocabulary = run_vocabulary(corpus.pieces, start)
    validation = corpus.pieces_in("valid").subsample(MAX_VALIDATION_PIECES)
    traces = trace_batch(validation.take(range(len(validation))), None, vocabulary.max_voices)
    training = TrainingData(pieces, vocabulary.max_voices)
    return RunData(corpus, training, vocabulary, traces, validation.n_cells)


def run_vocabulary(pieces: Pieces, start: Vocabulary | None) -> Vocabulary:
    """The vocabulary of a model for all pieces; its voices are numbered if none is of SATB.

    Raises:
        CheckpointError: the pieces have more voices than `start`.
    """
    max_voices = max(DEFAULT_MAX_VOICES, pieces.max_voices)
    if start is not None:
        if max_voices > start.max_voices:
            raise CheckpointError(
                f"the model to begin with knows {start.max_voices} voices, "
                f"and the corpus has up to {max_voices}"
            )
        max_voices = start.max_voices
    lowest_voice = min(pieces.voices, default=VOICE)
    return make_vocabulary(
        max_voices,
        has_numbered_voices=lowest_voice >= VOICE + len(SATB),
        marks_phrases=pieces.marks_phrases,
    )


def check_batch_size(settings: TrainingSettings, n_pieces: int, n_processes: int) -> None:
    """Refuse batches that leave a process, or one of its microbatches, without a piece.

    Raises:
        ConfigurationError: a batch is too small.
    """
    size = min(settings.batch_size, n_pieces)
    if n_processes * settings.accumulate > size:
        raise ConfigurationError(
            f"[training] a batch of {size} pieces is too small for {n_processes} processes "
            f"of {settings.accumulate} parts each; start at most "
            f"{max(1, size // settings.accumulate)} processes, or raise batch_size"
        )
