"""Held-out pieces as sequences of tokens, and how likely a model holds them to be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from seqmusic.metrics.likelihood import Likelihood, TrainableModel, score_pieces
from seqmusic.pitch_grid import count_cells
from seqmusic.runs.pretrained import DEFAULT_MAX_VOICES, make_grammar_masks
from seqmusic.score import Score
from seqmusic.tokens.batched.columns import note_columns
from seqmusic.tokens.batched.encoding import trace_batch
from seqmusic.tokens.context import columns_to_max_voices
from seqmusic.tokens.fermatas import without_fermatas
from seqmusic.tokens.tokenizer import Trace
from seqmusic.training.batches import GrammarMasks


@dataclass(frozen=True, slots=True)
class EncodedPieces:
    """Scores with their traces, in the same order."""

    scores: tuple[Score, ...]
    traces: tuple[Trace, ...]

    @property
    def max_voices(self) -> int:
        """For how many voices the traces have context columns."""
        return columns_to_max_voices(self.traces[0].context.shape[1])

    @property
    def cells(self) -> list[int]:
        """Cells of each piece."""
        return [count_cells(score) for score in self.scores]

    @property
    def notes(self) -> list[int]:
        """Notes of each piece."""
        return [score.n_notes for score in self.scores]


def encode_pieces(
    scores: Sequence[Score], max_voices: int = DEFAULT_MAX_VOICES, *, marks_phrases: bool = True
) -> EncodedPieces:
    """The scores with their traces.

    Args:
        scores: the pieces.
        max_voices: of the model.
        marks_phrases: whether the model has learned fermatas; otherwise the traces have none.
    """
    readable = scores if marks_phrases else [without_fermatas(score) for score in scores]
    traces = trace_batch(note_columns(readable), None, max_voices)
    return EncodedPieces(tuple(scores), tuple(traces))


def grammar_masks_for(model: TrainableModel) -> GrammarMasks:
    """Which tokens may follow which by the grammar, on the device of the model."""
    device = next(model.parameters()).device
    return make_grammar_masks(device, model.vocabulary.max_voices)


def score_held_out(
    model: TrainableModel, pieces: EncodedPieces, masks: GrammarMasks | None = None
) -> Likelihood:
    """The likelihood of whole pieces under a model, on the device where it is.

    Args:
        model: put into evaluation mode.
        pieces: one piece or more.
        masks: which tokens may follow which, on the device of the model; by default those of the
            grammar.
    """
    masks = masks or grammar_masks_for(model)
    return score_pieces(model, pieces.traces, masks, cells=pieces.cells, notes=pieces.notes)
