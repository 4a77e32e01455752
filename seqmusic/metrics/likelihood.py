"""How likely a model holds real music to be: nats per cell over whole pieces.

A cell is one voice in one sixteenth step. The nats of a piece are those of all its scored events,
among them the time signature, pickup and key in the header and the end of the piece. Divided by
cells, whatever the events are, the figures of different representations compare.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from seqmusic.array_types import Floats, Ints
from seqmusic.metrics.bootstrap import bootstrap_interval
from seqmusic.model.recurrent import Recurrent
from seqmusic.model.transformer import Transformer
from seqmusic.training.batches import GrammarMasks, TokenSequence, make_batch

TrainableModel = Transformer | Recurrent


@dataclass(frozen=True, slots=True, eq=False)
class EventScores:
    """How well a model predicted each of the N scored events of one piece.

    Attributes:
        rows: (N,) rows of the trace; row t is about event t + 1.
        sound_nats: (N,) negative log-likelihood of each sound.
        duration_nats: (N,) negative log-likelihood of each duration given its sound.
        sound_ranks: (N,) number of likelier sounds; 0 if the sound was the first choice.
        duration_ranks: (N,) number of likelier durations.
        sound_choices: (N,) number of sounds that the grammar allowed.
        duration_choices: (N,) number of durations that the grammar allowed.
    """

    rows: Ints
    sound_nats: Floats
    duration_nats: Floats
    sound_ranks: Ints
    duration_ranks: Ints
    sound_choices: Ints
    duration_choices: Ints

    @property
    def nats(self) -> Floats:
        """(N,) sound and duration together."""
        return self.sound_nats + self.duration_nats


@dataclass(frozen=True, slots=True, eq=False)
class Predictions:
    """The distributions that a model predicted for the N scored events of one piece.

    Attributes:
        rows: (N,) rows of the trace; row t is about event t + 1.
        sounds: (N,) ids of the actual sounds.
        durations: (N,) ids of the actual durations.
        sound_log_p: (N, sound) log-probabilities, -inf where the grammar forbids the sound.
        duration_log_p: (N, duration) log-probabilities given the actual sound.
    """

    rows: Ints
    sounds: Ints
    durations: Ints
    sound_log_p: NDArray[Any]
    duration_log_p: NDArray[Any]

    def event_scores(self) -> EventScores:
        """How well the actual events were predicted."""
        sound_nats, sound_ranks, sound_choices = _score_targets(self.sound_log_p, self.sounds)
        nats, ranks, choices = _score_targets(self.duration_log_p, self.durations)
        return EventScores(self.rows, sound_nats, nats, sound_ranks, ranks, sound_choices, choices)


@dataclass(frozen=True, slots=True)
class Likelihood:
    """The negative log-likelihood of several pieces, in nats.

    >>> two = Likelihood(sound_nats=(3.0, 1.0), duration_nats=(1.0, 1.0), cells=(4, 4),
    ...     notes=(2, 1), sound_accuracy=1.0, duration_accuracy=0.5)
    >>> two.nats_per_cell, two.macro_nats_per_cell, two.nats_per_note, two.duration_nats_per_cell
    (0.75, 0.75, 2.0, 0.25)

    Attributes:
        sound_nats: of each piece.
        duration_nats: of each piece, the durations given their sounds.
        cells: of each piece: sixteenth steps x voices to be predicted.
        notes: of each piece.
        sound_accuracy: top-1 accuracy of sounds where the grammar allows several; nan where it
            never does.
        duration_accuracy: the same for durations given their sounds.
    """

    sound_nats: tuple[float, ...]
    duration_nats: tuple[float, ...]
    cells: tuple[int, ...]
    notes: tuple[int, ...]
    sound_accuracy: float
    duration_accuracy: float

    @property
    def nats(self) -> tuple[float, ...]:
        """Sounds and durations of each piece together."""
        return tuple(a + b for a, b in zip(self.sound_nats, self.duration_nats, strict=True))

    @property
    def nats_per_cell(self) -> float:
        """Over all cells alike (micro average): the main figure."""
        return sum(self.nats) / sum(self.cells)

    @property
    def macro_nats_per_cell(self) -> float:
        """Mean over pieces of their nats per cell."""
        per_piece = [nats / cells for nats, cells in zip(self.nats, self.cells, strict=True)]
        return sum(per_piece) / len(per_piece)

    @property
    def sound_nats_per_cell(self) -> float:
        """The part of `nats_per_cell` that sounds cost."""
        return sum(self.sound_nats) / sum(self.cells)

    @property
    def duration_nats_per_cell(self) -> float:
        """The part of `nats_per_cell` that durations cost."""
        return sum(self.duration_nats) / sum(self.cells)

    @property
    def nats_per_note(self) -> float:
        """All nats, those of rests and header included, per note."""
        return sum(self.nats) / sum(self.notes)

    def interval(self, seed: int = 0) -> tuple[float, float]:
        """The 95 percent bootstrap interval of `nats_per_cell` over pieces."""
        return bootstrap_interval(self.nats, self.cells, seed=seed)

    def metrics(self) -> dict[str, float | list[float]]:
        """All figures but those of single pieces, by name; accuracies only where they are known."""
        accuracies = {
            "sound_accuracy": self.sound_accuracy,
            "duration_accuracy": self.duration_accuracy,
        }
        return {
            "nats_per_cell": self.nats_per_cell,
            "macro_nats_per_cell": self.macro_nats_per_cell,
            "sound_nats_per_cell": self.sound_nats_per_cell,
            "duration_nats_per_cell": self.duration_nats_per_cell,
            "nats_per_note": self.nats_per_note,
            **{name: value for name, value in accuracies.items() if not math.isnan(value)},
            "interval": list(self.interval()),
            "pieces": len(self.cells),
            "cells": sum(self.cells),
        }


def score_pieces(
    model: TrainableModel,
    traces: Sequence[TokenSequence],
    masks: GrammarMasks,
    *,
    cells: Sequence[int],
    notes: Sequence[int],
    batch_size: int = 16,
) -> Likelihood:
    """The likelihood of whole pieces under a model, on the device where it is.

    Args:
        model: put into evaluation mode.
        traces: one a piece.
        masks: which tokens may follow which, on the device of the model.
        cells: of each piece, those to be predicted.
        notes: of each piece, those to be predicted.
        batch_size: pieces at a time; the result does not depend on it.
    """
    return total_likelihood(score_events(model, traces, masks, batch_size), cells, notes)


def total_likelihood(
    pieces: Sequence[EventScores], cells: Sequence[int], notes: Sequence[int]
) -> Likelihood:
    """The likelihood of pieces whose events were scored.

    Raises:
        ValueError: there is no piece, or `cells` or `notes` are of another number of pieces.
    """
    if not len(pieces) == len(cells) == len(notes):
        raise ValueError(
            "cells and notes need one number a piece, "
            f"got {len(pieces)} pieces, {len(cells)} cells and {len(notes)} notes"
        )
    if not pieces:
        raise ValueError("a likelihood needs one piece or more, got none")
    return Likelihood(
        sound_nats=tuple(float(piece.sound_nats.sum()) for piece in pieces),
        duration_nats=tuple(float(piece.duration_nats.sum()) for piece in pieces),
        cells=tuple(cells),
        notes=tuple(notes),
        sound_accuracy=top_k_accuracy([(p.sound_ranks, p.sound_choices) for p in pieces]),
        duration_accuracy=top_k_accuracy([(p.duration_ranks, p.duration_choices) for p in pieces]),
    )


def top_k_accuracy(ranks_and_choices: Sequence[tuple[Ints, Ints]], k: int = 1) -> float:
    """Share of the events that were among the k likeliest; nan where there was never a choice.

    Args:
        ranks_and_choices: (N,) ranks of the events of each piece, and numbers of allowed ids;
            events with one allowed id are left out.
        k: 1 or more.
    """
    ranks = np.concatenate([ranks[choices > 1] for ranks, choices in ranks_and_choices])
    return float((ranks < k).mean()) if len(ranks) else math.nan


def score_events(
    model: TrainableModel,
    traces: Sequence[TokenSequence],
    masks: GrammarMasks,
    batch_size: int = 16,
) -> list[EventScores]:
    """How well the model predicts each scored event of each piece."""
    scores = {
        piece: predicted.event_scores()
        for piece, predicted in predict_events(model, traces, masks, batch_size)
    }
    return [scores[piece] for piece in range(len(traces))]


def predict_events(
    model: TrainableModel,
    traces: Sequence[TokenSequence],
    masks: GrammarMasks,
    batch_size: int = 16,
) -> Iterator[tuple[int, Predictions]]:
    """The number of each piece with the predictions of its scored events, the shortest first."""
    model.eval()
    order = sorted(range(len(traces)), key=lambda piece: len(traces[piece].events))
    for start in range(0, len(order), batch_size):
        chosen = order[start : start + batch_size]
        found = _predict_batch(model, [traces[piece] for piece in chosen], masks)
        yield from zip(chosen, found, strict=True)


def masked_log_softmax(logits: Tensor, allowed: Tensor) -> Tensor:
    """(..., V) log-probabilities of the allowed ids, -inf for the others."""
    return logits.float().masked_fill(~allowed, -torch.inf).log_softmax(-1)


@torch.inference_mode()
def _predict_batch(
    model: TrainableModel, traces: Sequence[TokenSequence], masks: GrammarMasks
) -> list[Predictions]:
    batch = make_batch(traces, next(model.parameters()).device)
    scored = batch.is_scored  # (B, T)
    hidden = model(batch.events[:, :-1], batch.context, batch.ticks)[scored]  # (N, D)
    sounds, durations = batch.events[:, 1:][scored].unbind(-1)
    context, (sound_rule, duration_rule) = batch.context[scored], batch.rules[scored].unbind(-1)
    sound_logits = model.heads.sound_logits(hidden, context)
    duration_logits = model.heads.duration_logits(hidden, context, sounds)
    sound_log_p = masked_log_softmax(sound_logits, masks.sounds[sound_rule])
    duration_log_p = masked_log_softmax(duration_logits, masks.durations[duration_rule])
    piece, row = scored.nonzero(as_tuple=True)
    bounds = np.searchsorted(piece.cpu().numpy(), np.arange(1, len(traces)))
    columns = [
        np.split(column.cpu().numpy(), bounds)
        for column in (row, sounds, durations, sound_log_p, duration_log_p)
    ]
    return [Predictions(*piece_columns) for piece_columns in zip(*columns, strict=True)]


def _score_targets(log_p: NDArray[Any], targets: Ints) -> tuple[Floats, Ints, Ints]:
    """(N,) nats of the targets, numbers of likelier ids, and numbers of allowed ids."""
    target = np.take_along_axis(log_p, targets[:, None], axis=1)  # (N, 1)
    nats = -target[:, 0].astype(np.float64)
    return nats, (log_p > target).sum(axis=1), np.isfinite(log_p).sum(axis=1)
