"""How well a model predicts the works of a part, as plain values: in nats, in guesses, where, and how sure of itself it is.

A prediction is a note, a rest or a tied part of a long note. The marks of the header and the end of the piece are charged in nats
a cell and nats a note, but are no predictions here.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from seqmusic.array_types import Mask
from seqmusic.baselines.ngram import NGram
from seqmusic.baselines.persistence import persistence_nats
from seqmusic.baselines.trees import Trees
from seqmusic.evaluation.held_out import EncodedPieces, encode_pieces
from seqmusic.evaluation.subject import Subject
from seqmusic.metrics.calibration import (
    Bin,
    Choices,
    best_temperature,
    calibration_error,
    choices_from_predictions,
    predict_choices,
    reliability_bins,
)
from seqmusic.metrics.likelihood import EventScores, Predictions, bootstrap_interval, predictions
from seqmusic.runs.pretrained import make_grammar_masks
from seqmusic.score import TICKS_PER_WHOLE
from seqmusic.tokens.context import GLOBAL_COLUMNS
from seqmusic.tokens.tokenizer import Trace
from seqmusic.tokens.vocabulary import (
    TIMESIG,
    VOICE,
    id_to_timesig,
    is_note_event,
    voice_name,
)
from seqmusic.training.batches import GrammarMasks

MODEL, NGRAM, PERSISTENCE = "model", "n-gram", "persistence"
TOP_KS = (1, 3, 5)
KINDS = ("sound", "length")
_VOICE, _POSITION, _METER = (GLOBAL_COLUMNS.index(name) for name in ("voice", "position", "meter"))
_N_TENTHS = 10


@dataclass(frozen=True, slots=True)
class Accuracy:
    """How well some predictions went.

    Attributes:
        n: how many they are.
        sound_nats: mean negative log-likelihood of the sound (a pitch, a rest or a tie).
        duration_nats: mean of its length, the sound being known.
        interval: where 95 percent of the means of both together lie when whole works are drawn again.
        sound_top_k: share of the sounds that were among the 1, 3, 5 held likeliest, where the grammar leaves a choice.
        duration_top_k: the same for lengths.
    """

    n: int
    sound_nats: float
    duration_nats: float
    interval: tuple[float, float]
    sound_top_k: tuple[float, ...]
    duration_top_k: tuple[float, ...]

    @property
    def nats(self) -> float:
        """Mean of sound and length together."""
        return self.sound_nats + self.duration_nats

    @property
    def sound_perplexity(self) -> float:
        """Among how many equally likely sounds one might as well have chosen, of 130: 128 pitches, a rest, a tie."""
        return math.exp(self.sound_nats)

    @property
    def duration_perplexity(self) -> float:
        """The same for lengths, of 96: 1 to 96 ticks."""
        return math.exp(self.duration_nats)


@dataclass(frozen=True, slots=True)
class PredictorTotal:
    """What a predictor reaches on the whole part.

    Attributes:
        predictor: its name.
        work_nats: of each work, everything charged.
        nats_per_cell: over all cells alike.
        interval: where 95 percent of it lie when whole works are drawn again.
        nats_per_note: all nats over the notes.
        prediction_accuracy: of all predictions; None for a predictor that makes them cell by cell.
    """

    predictor: str
    work_nats: tuple[float, ...]
    nats_per_cell: float
    interval: tuple[float, float]
    nats_per_note: float
    prediction_accuracy: Accuracy | None


@dataclass(frozen=True, slots=True)
class Breakdown:
    """The predictions in G groups: by voice, by place in the bar, or by place in the piece.

    Attributes:
        name: of what they are grouped by.
        groups: G names.
        prediction_accuracy: by predictor, G of them.
    """

    name: str
    groups: tuple[str, ...]
    prediction_accuracy: Mapping[str, tuple[Accuracy, ...]]


@dataclass(frozen=True, slots=True)
class Confidence:
    """How sure a model is of its first choices beside how often they come: mean nats of a choice, calibration error, and bins."""

    nats: float
    error: float
    bins: tuple[Bin, ...]


@dataclass(frozen=True, slots=True)
class Calibration:
    """The choices of one kind ("sound" or "length"), as the model is and at the temperature that fits validation best.

    `temperature` and `after` are None where there are no validation works.
    """

    kind: str
    before: Confidence
    temperature: float | None
    after: Confidence | None


@dataclass(frozen=True, slots=True)
class Assessment:
    """All figures of a model on a part; `pieces` and `event_scores` are of its works, in their order."""

    subject: Subject
    pieces: EncodedPieces
    event_scores: tuple[EventScores, ...]
    totals: tuple[PredictorTotal, ...]
    breakdowns: tuple[Breakdown, ...]
    calibrations: tuple[Calibration, ...]


def assess(subject: Subject) -> Assessment:
    """All figures of the model on its works, beside the n-gram and persistence; shows progress."""
    max_voices = subject.model.vocabulary.max_voices
    pieces = encode_pieces([work.score for work in subject.works], max_voices)
    model_predictions = _predict_works(subject, pieces)
    scores = [own.event_scores() for own in model_predictions]
    by_event = {MODEL: scores}
    totals = [total(MODEL, [float(own.nats.sum()) for own in scores], pieces, scores)]
    training = encode_pieces([work.score for work in subject.dataset.works_in("train")], max_voices)
    if training.scores:
        by_event[NGRAM] = [
            baseline_predictions(own, trace).event_scores()
            for own, trace in _ngram_with_traces(training.traces, pieces.traces)
        ]
        totals.append(
            total(
                NGRAM, [float(own.nats.sum()) for own in by_event[NGRAM]], pieces, by_event[NGRAM]
            )
        )
        totals.append(
            total(PERSISTENCE, persistence_nats(training.scores, pieces.scores), pieces, None)
        )
    found = tuple(
        breakdown(name, groups, by_event) for name, groups in groupings(pieces, scores).items()
    )
    return Assessment(
        subject,
        pieces,
        tuple(scores),
        tuple(totals),
        found,
        calibrations(subject, model_predictions),
    )


def _predict_works(subject: Subject, pieces: EncodedPieces) -> list[Predictions]:
    running = predictions(subject.model, pieces.traces, _masks(subject))
    found = dict(
        tqdm(running, total=len(pieces.traces), desc=f"{subject.split} works", unit="work")
    )
    return [found[number] for number in range(len(found))]


def _masks(subject: Subject) -> GrammarMasks:
    return make_grammar_masks(
        next(subject.model.parameters()).device, subject.model.vocabulary.max_voices
    )


def _ngram_with_traces(
    training: Sequence[Trace], asked: Sequence[Trace]
) -> Iterable[tuple[NGram, Trace]]:
    baseline = NGram(tqdm(training, desc="n-gram counts", unit="work"))
    return ((baseline, trace) for trace in tqdm(asked, desc="n-gram predicts", unit="work"))


def baseline_predictions(baseline: NGram | Trees, trace: Trace) -> Predictions:
    """What an n-gram, or trees, expected of the scored events of a piece."""
    rows = np.flatnonzero(trace.is_scored)
    events = trace.events[rows + 1].astype(np.int64)
    with np.errstate(divide="ignore"):  # what the grammar forbids
        sound, duration = (
            np.log(baseline.sound_probabilities(trace)),
            np.log(baseline.duration_probabilities(trace)),
        )
    return Predictions(rows, events[:, 0], events[:, 1], sound, duration)


def total(
    predictor: str,
    work_nats: Sequence[float],
    pieces: EncodedPieces,
    scores: Sequence[EventScores] | None,
) -> PredictorTotal:
    """What a predictor reaches, from the nats of each work and, where it has them, the scores of the events."""
    cells = pieces.cells
    everything = [
        prediction_mask(trace, own)
        for trace, own in zip(pieces.traces, scores or (), strict=bool(scores))
    ]
    return PredictorTotal(
        predictor,
        tuple(work_nats),
        sum(work_nats) / sum(cells),
        bootstrap_interval(work_nats, cells),
        sum(work_nats) / sum(pieces.notes),
        prediction_accuracy(scores, everything) if scores else None,
    )


def prediction_mask(trace: Trace, scores: EventScores) -> Mask:
    """(N,) which of the scored events are notes, rests or ties."""
    sounds = trace.events[scores.rows + 1, 0]
    mask: Mask = is_note_event(sounds)
    return mask


def prediction_accuracy(scores: Sequence[EventScores], masks: Sequence[Mask]) -> Accuracy:
    """How well the chosen events of some works were predicted; one or more must be chosen.

    Args:
        scores: of each work.
        masks: (N,) of each work, which of its events count.
    """
    counts = [int(own.sum()) for own in masks]
    sound = [float(own.sound_nats[mask].sum()) for own, mask in zip(scores, masks, strict=True)]
    duration = [
        float(own.duration_nats[mask].sum()) for own, mask in zip(scores, masks, strict=True)
    ]
    some = [(a + b, n) for a, b, n in zip(sound, duration, counts, strict=True) if n]
    pairs = list(zip(scores, masks, strict=True))
    return Accuracy(
        sum(counts),
        sum(sound) / sum(counts),
        sum(duration) / sum(counts),
        bootstrap_interval(*zip(*some, strict=True)),
        _top_k_accuracy([(own.sound_ranks[mask], own.sound_choices[mask]) for own, mask in pairs]),
        _top_k_accuracy(
            [(own.duration_ranks[mask], own.duration_choices[mask]) for own, mask in pairs]
        ),
    )


def _top_k_accuracy(
    ranks_and_choices: Sequence[tuple[NDArray[np.int64], NDArray[np.int64]]],
) -> tuple[float, ...]:
    """Share of the choices that were among the likeliest 1, 3, 5; nan where there was no choice."""
    ranks = np.concatenate(
        [ranks[predict_choices > 1] for ranks, predict_choices in ranks_and_choices]
    )
    return tuple(float((ranks < top).mean()) if len(ranks) else math.nan for top in TOP_KS)


def groupings(
    pieces: EncodedPieces, scores: Sequence[EventScores]
) -> dict[str, dict[str, list[Mask]]]:
    """By name of a grouping and name of a group: (N,) of each work, which of its events are in the group."""
    places = [trace.context[own.rows] for trace, own in zip(pieces.traces, scores, strict=True)]
    notes = [prediction_mask(trace, own) for trace, own in zip(pieces.traces, scores, strict=True)]
    parts = [
        np.minimum(
            _N_TENTHS * trace.ticks[own.rows].astype(np.int64) // score.end_ticks, _N_TENTHS - 1
        )
        for trace, own, score in zip(pieces.traces, scores, pieces.scores, strict=True)
    ]
    voices = sorted(
        {
            int(voice)
            for place, mask in zip(places, notes, strict=True)
            for voice in place[mask, _VOICE]
        }
        - {0}
    )
    found = {
        "voice": {
            voice_name(VOICE + v - 1): [
                m & (p[:, _VOICE] == v) for p, m in zip(places, notes, strict=True)
            ]
            for v in voices
        },
        **_by_beat(places, notes),
        "part of the piece": {
            f"{10 * tenth}–{10 * tenth + 10} %": [
                m & (part == tenth) for part, m in zip(parts, notes, strict=True)
            ]
            for tenth in range(_N_TENTHS)
        },
    }
    return {
        name: {g: masks for g, masks in groups.items() if any(m.any() for m in masks)}
        for name, groups in found.items()
    }


def _by_beat(
    places: Sequence[NDArray[np.int16]], notes: Sequence[Mask]
) -> dict[str, dict[str, list[Mask]]]:
    """By place in the bar, in the time signature that most predictions stand in."""
    meters = np.concatenate(
        [place[mask, _METER] for place, mask in zip(places, notes, strict=True)]
    )
    commonest = int(np.bincount(meters).argmax())
    signature = id_to_timesig(TIMESIG + commonest)
    if signature is None:
        return {}
    half = TICKS_PER_WHOLE // signature.denominator // 2  # of a beat
    groups: dict[str, list[Mask]] = {}
    for number in range(2 * signature.numerator):
        name = f"{1 + number // 2}{'½' * (number % 2)}"
        groups[name] = [
            m & (p[:, _METER] == commonest) & (p[:, _POSITION] == number * half)
            for p, m in zip(places, notes, strict=True)
        ]
    between = [
        m & (p[:, _METER] == commonest) & (p[:, _POSITION] % half > 0)
        for p, m in zip(places, notes, strict=True)
    ]
    return {f"beat in {signature}": groups | {"between": between}}


def breakdown(
    name: str, groups: Mapping[str, Sequence[Mask]], by_event: Mapping[str, Sequence[EventScores]]
) -> Breakdown:
    """The guesses of each predictor in each group."""
    own = {
        predictor: tuple(prediction_accuracy(scores, masks) for masks in groups.values())
        for predictor, scores in by_event.items()
    }
    return Breakdown(name, tuple(groups), own)


def calibrations(
    subject: Subject, model_predictions: Sequence[Predictions]
) -> tuple[Calibration, ...]:
    """Of sounds and of lengths; the temperatures are fitted to the validation works, whatever part is asked about."""
    valid = encode_pieces(
        [work.score for work in subject.dataset.works_in("valid")],
        subject.model.vocabulary.max_voices,
    )
    made = choices_from_predictions(model_predictions)
    if subject.split == "valid":
        fitted = made
    elif valid.scores:
        fitted = predict_choices(subject.model, valid.traces, _masks(subject))
    else:
        return tuple(
            Calibration(kind, _confidence(own), None, None)
            for kind, own in zip(KINDS, made, strict=True)
        )
    temperatures = [best_temperature(own) for own in fitted]
    rows = zip(KINDS, made, temperatures, strict=True)
    return tuple(
        Calibration(
            kind, _confidence(own), at_temperature, _confidence(own.at_temperature(at_temperature))
        )
        for kind, own, at_temperature in rows
    )


def _confidence(made: Choices) -> Confidence:
    return Confidence(made.nll, calibration_error(made), tuple(reliability_bins(made)))
