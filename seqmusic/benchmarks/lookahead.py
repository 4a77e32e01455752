"""The value of look-ahead: nats of voices when another is given as a whole, or only as it comes.

A voice that is given as a whole stands before the music, so the model sees all of it. Without
look-ahead all four voices are interleaved, and the model sees each note of the soprano only once
that is reached.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from seqmusic.evaluation.held_out import grammar_masks_for
from seqmusic.metrics.likelihood import EventScores, score_events
from seqmusic.model.transformer import Transformer
from seqmusic.pitch_grid import count_steps
from seqmusic.runs.pretrained import DEFAULT_MAX_VOICES
from seqmusic.score import SATB, Score
from seqmusic.tokens.context import VOICE_COLUMN
from seqmusic.tokens.tokenizer import Hole, Trace, encode, trace


@dataclass(frozen=True, slots=True)
class VoiceNats:
    """The negative log-likelihood of some voices of several pieces.

    Attributes:
        nats: of each piece, of the notes and rests of those voices.
        cells: of each piece, of those voices: sixteenth steps x voices.
    """

    nats: tuple[float, ...]
    cells: tuple[int, ...]

    @property
    def per_cell(self) -> float:
        """Over all cells alike."""
        return sum(self.nats) / sum(self.cells)


def voice_nats(
    model: Transformer, scores: Sequence[Score], voices: Sequence[str], given: Sequence[str] = ()
) -> VoiceNats:
    """The nats of some voices of four-part pieces; voices not given are seen only as they come.

    Args:
        model: a trained model.
        scores: in Soprano, Alto, Tenor and Bass.
        voices: those that are counted.
        given: those that are given as a whole before the music; with any, the end is known as well.
    """
    sequences = [
        trace(encode(score, _holes(score, given) if given else None), DEFAULT_MAX_VOICES)
        for score in scores
    ]
    counted = [1 + SATB.index(name) for name in voices]
    nats = []
    for sequence, scored in _scored(model, sequences):
        is_counted = np.isin(sequence.context[scored.rows, VOICE_COLUMN], counted)
        is_counted &= sequence.events[scored.rows + 1, 1] > 0  # notes and rests
        nats.append(float(scored.nats[is_counted].sum()))
    return VoiceNats(tuple(nats), _cells(scores, voices))


def nats_in_order(
    model: Transformer, scores: Sequence[Score], orders: Sequence[Sequence[str]]
) -> VoiceNats:
    """The nats of all four voices, composed one after the other, each with those before it given.

    By the chain rule every order has the same nats under a perfect model. The header is not
    counted, the end only with the first voice.

    Args:
        model: a trained model.
        scores: in Soprano, Alto, Tenor and Bass.
        orders: of each piece, the four names in the order of composing.
    """
    nats = np.zeros(len(scores))
    for n_given in range(len(SATB)):
        sequences = [
            _voice_sequence(score, order[: n_given + 1])
            for score, order in zip(scores, orders, strict=True)
        ]
        for index, (sequence, scored) in enumerate(_scored(model, sequences)):
            is_body = sequence.context[scored.rows, VOICE_COLUMN] > 0
            nats[index] += scored.nats[is_body].sum()
    return VoiceNats(tuple(nats.tolist()), _cells(scores, SATB))


def _voice_sequence(score: Score, names: Sequence[str]) -> Trace:
    """The last of some voices as music, with the others given before it."""
    part = replace(score, voices=tuple(v for v in score.voices if v.name in names))
    # The hole ends with the whole score, even if none of these voices reaches that far.
    holes = [[] if v.name in names[:-1] else [(0, score.end_ticks)] for v in part.voices]
    return trace(encode(part, holes if len(names) > 1 else None), DEFAULT_MAX_VOICES)


def _holes(score: Score, given: Sequence[str]) -> list[list[Hole]]:
    return [[] if voice.name in given else [(0, score.end_ticks)] for voice in score.voices]


def _scored(model: Transformer, sequences: Sequence[Trace]) -> list[tuple[Trace, EventScores]]:
    scores = score_events(model, sequences, grammar_masks_for(model))
    return list(zip(sequences, scores, strict=True))


def _cells(scores: Sequence[Score], voices: Sequence[str]) -> tuple[int, ...]:
    return tuple(len(voices) * count_steps(score) for score in scores)
