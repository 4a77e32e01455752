"""How likely a model holds real music to be, said exactly: nats a cell over whole pieces, with an interval.

A cell is one voice in one sixteenth step. The nats of a piece are those of all its scored events, the header's meter, pickup and
key and the end of the piece among them; divided by cells, whatever the events, figures of different representations compare.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from seqmusic.model.recurrent import Recurrent
from seqmusic.model.transformer import Transformer
from seqmusic.training.batches import GrammarMasks, TokenSequence, make_batch

TrainableModel = Transformer | Recurrent
N_RESAMPLES = 2000
_CONFIDENCE_LEVEL = 0.95
_Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class EventScores:
    """What a model gave each scored event of one piece; N of them.

    Attributes:
        rows: (N,) rows of the trace; row t is about event t + 1.
        sound_nats: (N,) negative log-likelihood of each sound.
        duration_nats: (N,) of each duration, its sound being known.
        sound_ranks: (N,) how many sounds were held likelier; 0 = the sound was the first choice.
        duration_ranks: (N,) the same for the duration.
        sound_choices: (N,) how many sounds the grammar allowed.
        duration_choices: (N,) how many durations.
    """

    rows: NDArray[np.int64]
    sound_nats: _Floats
    duration_nats: _Floats
    sound_ranks: NDArray[np.int64]
    duration_ranks: NDArray[np.int64]
    sound_choices: NDArray[np.int64]
    duration_choices: NDArray[np.int64]

    @property
    def nats(self) -> _Floats:
        """(N,) sound and duration together."""
        return self.sound_nats + self.duration_nats


@dataclass(frozen=True, slots=True, eq=False)
class Predictions:
    """The distributions that a model gave for the scored events of one piece, and what came; N events.

    Attributes:
        rows: (N,) rows of the trace; row t is about event t + 1.
        sounds: (N,) ids of the sounds that came.
        durations: (N,) ids of their durations.
        sound_log_p: (N, sound) log-probabilities, -inf where the grammar does not allow the sound.
        duration_log_p: (N, duration) the same for durations, the sound being known.
    """

    rows: NDArray[np.int64]
    sounds: NDArray[np.int64]
    durations: NDArray[np.int64]
    sound_log_p: NDArray[Any]
    duration_log_p: NDArray[Any]

    def event_scores(self) -> EventScores:
        """What was given to what came."""
        sound, duration = (
            _evaluate_targets(self.sound_log_p, self.sounds),
            _evaluate_targets(self.duration_log_p, self.durations),
        )
        return EventScores(
            self.rows, sound[0], duration[0], sound[1], duration[1], sound[2], duration[2]
        )


@dataclass(frozen=True, slots=True)
class Likelihood:
    """The negative log-likelihood of P pieces, in nats.

    >>> two = Likelihood(sound_nats=(3.0, 1.0), duration_nats=(1.0, 1.0), cells=(4, 4), notes=(2, 1),
    ...     sound_accuracy=1.0, duration_accuracy=0.5)
    >>> two.nats_per_cell, two.macro_nats_per_cell, two.nats_per_note, two.duration_nats_per_cell
    (0.75, 0.75, 2.0, 0.25)

    Attributes:
        sound_nats: of each piece.
        duration_nats: of each piece; how long the sounds last, the sounds being known.
        cells: of each piece: sixteenth steps x voices to be predicted.
        notes: of each piece.
        sound_accuracy: share of the sounds, where the grammar leaves a choice, that were held likeliest; nan where it never does.
        duration_accuracy: the same for durations, the sound being known.
    """

    sound_nats: tuple[float, ...]
    duration_nats: tuple[float, ...]
    cells: tuple[int, ...]
    notes: tuple[int, ...]
    sound_accuracy: float
    duration_accuracy: float

    @property
    def nats(self) -> tuple[float, ...]:
        """Of each piece."""
        return tuple(a + b for a, b in zip(self.sound_nats, self.duration_nats, strict=True))

    @property
    def nats_per_cell(self) -> float:
        """Over all cells alike (micro): the main figure."""
        return sum(self.nats) / sum(self.cells)

    @property
    def macro_nats_per_cell(self) -> float:
        """Mean over pieces."""
        return sum(nats / cells for nats, cells in zip(self.nats, self.cells, strict=True)) / len(
            self.cells
        )

    @property
    def sound_nats_per_cell(self) -> float:
        """What the sounds cost."""
        return sum(self.sound_nats) / sum(self.cells)

    @property
    def duration_nats_per_cell(self) -> float:
        """What the durations cost."""
        return sum(self.duration_nats) / sum(self.cells)

    @property
    def nats_per_note(self) -> float:
        """All nats, those of rests and marks too, over the notes."""
        return sum(self.nats) / sum(self.notes)

    def interval(self, seed: int = 0) -> tuple[float, float]:
        """Where 95 percent of the micro figures lie when the pieces are drawn again."""
        return bootstrap_interval(self.nats, self.cells, seed=seed)

    def metrics(self) -> dict[str, float | list[float]]:
        """Everything but the single pieces, by name."""
        names = (
            "nats_per_cell",
            "macro_nats_per_cell",
            "sound_nats_per_cell",
            "duration_nats_per_cell",
            "nats_per_note",
        )
        figures: dict[str, float | list[float]] = {name: getattr(self, name) for name in names}
        accuracies = {
            "sound_accuracy": self.sound_accuracy,
            "duration_accuracy": self.duration_accuracy,
        }
        known = {name: value for name, value in accuracies.items() if value == value}
        return (
            figures
            | known
            | {
                "interval": list(self.interval()),
                "pieces": len(self.cells),
                "cells": sum(self.cells),
            }
        )


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
        model: of the model contract; put into evaluation mode.
        traces: one a piece.
        masks: what may follow what, on the model's device.
        cells: of each piece, those to be predicted.
        notes: of each piece, those to be predicted.
        batch_size: pieces at a time; the result does not depend on it.
    """
    return total_likelihood(score_events(model, traces, masks, batch_size), cells, notes)


def total_likelihood(
    pieces: Sequence[EventScores], cells: Sequence[int], notes: Sequence[int]
) -> Likelihood:
    """The likelihood of pieces whose events were scored."""
    if not len(pieces) == len(cells) == len(notes):
        raise ValueError(
            f"cells and notes are told of each piece, got {len(pieces)} pieces, {len(cells)} and {len(notes)}"
        )
    if not pieces:
        raise ValueError("a likelihood needs one piece or more, got none")
    return Likelihood(
        sound_nats=tuple(float(piece.sound_nats.sum()) for piece in pieces),
        duration_nats=tuple(float(piece.duration_nats.sum()) for piece in pieces),
        cells=tuple(cells),
        notes=tuple(notes),
        sound_accuracy=_accuracy([(piece.sound_ranks, piece.sound_choices) for piece in pieces]),
        duration_accuracy=_accuracy(
            [(piece.duration_ranks, piece.duration_choices) for piece in pieces]
        ),
    )


def score_events(
    model: TrainableModel, traces: Sequence[TokenSequence], masks: GrammarMasks, batch_size: int = 16
) -> list[EventScores]:
    """What the model gave each scored event of each piece; pieces of like length are run together."""
    scores = {
        piece: predicted.event_scores()
        for piece, predicted in predictions(model, traces, masks, batch_size)
    }
    return [scores[piece] for piece in range(len(traces))]


def predictions(
    model: TrainableModel, traces: Sequence[TokenSequence], masks: GrammarMasks, batch_size: int = 16
) -> Iterator[tuple[int, Predictions]]:
    """What the model expected of the scored events of each piece, with the piece's number, the shortest piece first."""
    model.eval()
    order = sorted(range(len(traces)), key=lambda piece: len(traces[piece].events))
    for start in range(0, len(order), batch_size):
        chosen = order[start : start + batch_size]
        yield from zip(
            chosen, _predict_batch(model, [traces[piece] for piece in chosen], masks), strict=True
        )


@torch.inference_mode()
def _predict_batch(
    model: TrainableModel, traces: Sequence[TokenSequence], masks: GrammarMasks
) -> list[Predictions]:
    batch = make_batch(traces, next(model.parameters()).device)
    scored = batch.is_scored
    hidden = model(batch.events[:, :-1], batch.context, batch.ticks)[scored]  # (N, D)
    sounds, durations = batch.events[:, 1:][scored].unbind(-1)
    context, (sound_rule, duration_rule) = batch.context[scored], batch.rules[scored].unbind(-1)
    sound_log_p = masked_log_softmax(model.heads.sound_logits(hidden, context), masks.sounds[sound_rule])
    duration_log_p = masked_log_softmax(
        model.heads.duration_logits(hidden, context, sounds), masks.durations[duration_rule]
    )
    piece, row = scored.nonzero(as_tuple=True)
    bounds = np.searchsorted(piece.cpu().numpy(), np.arange(1, len(traces)))
    columns = [
        np.split(own.cpu().numpy(), bounds)
        for own in (row, sounds, durations, sound_log_p, duration_log_p)
    ]
    return [Predictions(*own) for own in zip(*columns, strict=True)]


def masked_log_softmax(logits: Tensor, allowed: Tensor) -> Tensor:
    return logits.float().masked_fill(~allowed, -torch.inf).log_softmax(-1)


def _evaluate_targets(
    log_p: NDArray[Any], targets: NDArray[np.int64]
) -> tuple[_Floats, NDArray[np.int64], NDArray[np.int64]]:
    """(N,) nats of what came, how many ids were held likelier, and how many are allowed."""
    own = np.take_along_axis(log_p, targets[:, None], axis=1)
    return -own[:, 0].astype(np.float64), (log_p > own).sum(axis=1), np.isfinite(log_p).sum(axis=1)


def bootstrap_interval(
    nats: Sequence[float], cells: Sequence[float], *, seed: int = 0
) -> tuple[float, float]:
    """Where 95 percent of the micro figures lie when whole pieces are drawn again, with replacement, 2000 times.

    >>> bootstrap_interval([2.0, 4.0, 6.0], [4, 8, 12])
    (0.5, 0.5)
    """
    drawn = np.random.default_rng(seed).integers(len(nats), size=(N_RESAMPLES, len(nats)))
    figures = np.asarray(nats, np.float64)[drawn].sum(axis=1) / np.asarray(cells, np.float64)[
        drawn
    ].sum(axis=1)
    low, high = np.quantile(figures, [(1 - _CONFIDENCE_LEVEL) / 2, (1 + _CONFIDENCE_LEVEL) / 2])
    return float(low), float(high)


def _accuracy(ranks_and_choices: Sequence[tuple[NDArray[np.int64], NDArray[np.int64]]]) -> float:
    hits = sum(int(((ranks == 0) & (choices > 1)).sum()) for ranks, choices in ranks_and_choices)
    chances = sum(int((choices > 1).sum()) for _, choices in ranks_and_choices)
    return hits / chances if chances else float("nan")
