"""Predictions in groups: by voice, by position in the bar, and by position in the piece."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seqmusic.array_types import Mask
from seqmusic.evaluation.accuracy import Accuracy, prediction_accuracy, prediction_mask
from seqmusic.evaluation.held_out import EncodedPieces
from seqmusic.metrics.likelihood import EventScores
from seqmusic.score import TICKS_PER_WHOLE
from seqmusic.tokens.context import METER_COLUMN, POSITION_COLUMN, VOICE_COLUMN
from seqmusic.tokens.vocabulary import TIMESIG, VOICE, id_to_timesig, voice_name

Groups = dict[str, list[Mask]]
"""By name of a group: (N,) of each work, which of its events are in the group."""
_N_TENTHS = 10


@dataclass(frozen=True, slots=True)
class Breakdown:
    """The predictions in G groups.

    Attributes:
        name: of the quantity they are grouped by.
        groups: G names.
        prediction_accuracy: of each group, by predictor.
    """

    name: str
    groups: tuple[str, ...]
    prediction_accuracy: Mapping[str, tuple[Accuracy, ...]]


@dataclass(frozen=True, slots=True)
class _Work:
    """The N scored events of a work.

    Attributes:
        context: (N, C) context of each event.
        is_prediction: (N,) whether it is a note, rest or tie.
        tenth: (N,) tenth of the piece in which it begins, 0..9.
    """

    context: NDArray[np.int16]
    is_prediction: Mask
    tenth: NDArray[np.int64]


def groupings(pieces: EncodedPieces, event_scores: Sequence[EventScores]) -> dict[str, Groups]:
    """The groups that hold predictions, by the name of the quantity they are grouped by."""
    works = [
        _Work(
            trace.context[scores.rows],
            prediction_mask(trace, scores),
            _tenths(trace.ticks[scores.rows], score.end_ticks),
        )
        for score, trace, scores in zip(pieces.scores, pieces.traces, event_scores, strict=True)
    ]
    found = {
        "voice": _by_voice(works),
        **_by_beat(works),
        "part of the piece": _by_tenth(works),
    }
    return {
        name: {group: masks for group, masks in groups.items() if any(m.any() for m in masks)}
        for name, groups in found.items()
    }


def breakdown(
    name: str, groups: Mapping[str, Sequence[Mask]], by_event: Mapping[str, Sequence[EventScores]]
) -> Breakdown:
    """The accuracy of each predictor in each group."""
    accuracies = {
        predictor: tuple(prediction_accuracy(scores, masks) for masks in groups.values())
        for predictor, scores in by_event.items()
    }
    return Breakdown(name, tuple(groups), accuracies)


def _tenths(ticks: NDArray[np.int32], end_ticks: int) -> NDArray[np.int64]:
    tenths = _N_TENTHS * ticks.astype(np.int64) // end_ticks
    return np.asarray(np.minimum(tenths, _N_TENTHS - 1))


def _by_voice(works: Sequence[_Work]) -> Groups:
    voices = {
        int(voice) for work in works for voice in work.context[work.is_prediction, VOICE_COLUMN]
    }
    return {
        voice_name(VOICE + voice - 1): [
            work.is_prediction & (work.context[:, VOICE_COLUMN] == voice) for work in works
        ]
        for voice in sorted(voices - {0})
    }


def _by_tenth(works: Sequence[_Work]) -> Groups:
    return {
        f"{10 * tenth}–{10 * tenth + 10} %": [
            work.is_prediction & (work.tenth == tenth) for work in works
        ]
        for tenth in range(_N_TENTHS)
    }


def _by_beat(works: Sequence[_Work]) -> dict[str, Groups]:
    """By position in the bar, in the time signature of most predictions; empty without a meter."""
    meters = np.concatenate([work.context[work.is_prediction, METER_COLUMN] for work in works])
    commonest = int(np.bincount(meters).argmax())
    signature = id_to_timesig(TIMESIG + commonest)
    if signature is None:
        return {}
    half = TICKS_PER_WHOLE // signature.denominator // 2  # of a beat
    positions = [work.context[:, POSITION_COLUMN] for work in works]
    in_meter = [work.is_prediction & (work.context[:, METER_COLUMN] == commonest) for work in works]
    groups = {
        f"{1 + number // 2}{'½' * (number % 2)}": [
            mask & (position == number * half)
            for mask, position in zip(in_meter, positions, strict=True)
        ]
        for number in range(2 * signature.numerator)
    }
    groups["between"] = [
        mask & (position % half > 0) for mask, position in zip(in_meter, positions, strict=True)
    ]
    return {f"beat in {signature}": groups}
