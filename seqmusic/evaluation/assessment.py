"""How well a model predicts the works of a split, beside two baselines, and its calibration."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from seqmusic.baselines.ngram import NGram
from seqmusic.baselines.persistence import persistence_nats
from seqmusic.baselines.predictions import baseline_predictions
from seqmusic.evaluation.accuracy import Accuracy, prediction_accuracy, prediction_mask
from seqmusic.evaluation.breakdown import Breakdown, breakdown, groupings
from seqmusic.evaluation.held_out import EncodedPieces, encode_pieces, grammar_masks_for
from seqmusic.evaluation.subject import Subject
from seqmusic.metrics.bootstrap import bootstrap_interval
from seqmusic.metrics.calibration import (
    Bin,
    Choices,
    best_temperature,
    calibration_error,
    choices_from_predictions,
    predict_choices,
    reliability_bins,
)
from seqmusic.metrics.likelihood import EventScores, Predictions, predict_events
from seqmusic.progress import track
from seqmusic.score import Score

MODEL, NGRAM, PERSISTENCE = "model", "n-gram", "persistence"
KINDS = ("sound", "length")


@dataclass(frozen=True, slots=True)
class PredictorTotal:
    """What a predictor reaches on the whole split.

    Attributes:
        predictor: its name.
        work_nats: nats of each work, header and end included.
        nats_per_cell: over all cells alike.
        interval: 95 percent bootstrap interval of `nats_per_cell` over works.
        nats_per_note: all nats per note.
        prediction_accuracy: of all predictions; None for a predictor of cells.
    """

    predictor: str
    work_nats: tuple[float, ...]
    nats_per_cell: float
    interval: tuple[float, float]
    nats_per_note: float
    prediction_accuracy: Accuracy | None


@dataclass(frozen=True, slots=True)
class Confidence:
    """How the confidence of a model agrees with its accuracy.

    Attributes:
        nats: mean negative log-likelihood of a choice.
        error: expected calibration error, 0..1.
        bins: the choices by confidence.
    """

    nats: float
    error: float
    bins: tuple[Bin, ...]


@dataclass(frozen=True, slots=True)
class Calibration:
    """The choices of one kind, before and after temperature scaling.

    Attributes:
        kind: "sound" or "length".
        before: at temperature 1.
        temperature: with the smallest loss on validation works; None without validation works.
        after: at `temperature`; None without validation works.
    """

    kind: str
    before: Confidence
    temperature: float | None
    after: Confidence | None


@dataclass(frozen=True, slots=True)
class Assessment:
    """All figures of a model on a split.

    Attributes:
        subject: the model and the split.
        pieces: the works of the split.
        event_scores: of the model, work by work.
        totals: of each predictor.
        breakdowns: one for each quantity that predictions are grouped by.
        calibrations: of sounds and of lengths.
    """

    subject: Subject
    pieces: EncodedPieces
    event_scores: tuple[EventScores, ...]
    totals: tuple[PredictorTotal, ...]
    breakdowns: tuple[Breakdown, ...]
    calibrations: tuple[Calibration, ...]


def assess(subject: Subject) -> Assessment:
    """All figures of the model on its works, beside those of an n-gram and of persistence."""
    pieces = _encoded(subject, [work.score for work in subject.works])
    model_predictions = _predict_works(subject, pieces)
    by_event = {MODEL: [predicted.event_scores() for predicted in model_predictions]}
    training = _encoded(subject, [work.score for work in subject.dataset.works_in("train")])
    if training.scores:
        by_event[NGRAM] = _score_with_ngram(training, pieces)
    totals = [_event_total(name, scores, pieces) for name, scores in by_event.items()]
    if training.scores:
        nats = persistence_nats(training.scores, pieces.scores)
        totals.append(_total(PERSISTENCE, nats, pieces, None))
    return Assessment(
        subject,
        pieces,
        tuple(by_event[MODEL]),
        tuple(totals),
        tuple(
            breakdown(name, groups, by_event)
            for name, groups in groupings(pieces, by_event[MODEL]).items()
        ),
        _calibrations(subject, model_predictions),
    )


def _predict_works(subject: Subject, pieces: EncodedPieces) -> list[Predictions]:
    predicted = predict_events(subject.model, pieces.traces, grammar_masks_for(subject.model))
    by_number = dict(track(predicted, f"{subject.split} works", "work", len(pieces.traces)))
    return [by_number[number] for number in range(len(by_number))]


def _score_with_ngram(training: EncodedPieces, pieces: EncodedPieces) -> list[EventScores]:
    ngram = NGram(track(training.traces, "n-gram counts", "work"))
    return [
        baseline_predictions(ngram, trace).event_scores()
        for trace in track(pieces.traces, "n-gram predicts", "work")
    ]


def _event_total(
    predictor: str, event_scores: Sequence[EventScores], pieces: EncodedPieces
) -> PredictorTotal:
    masks = [
        prediction_mask(trace, scores)
        for trace, scores in zip(pieces.traces, event_scores, strict=True)
    ]
    nats = [float(scores.nats.sum()) for scores in event_scores]
    return _total(predictor, nats, pieces, prediction_accuracy(event_scores, masks))


def _total(
    predictor: str, work_nats: Sequence[float], pieces: EncodedPieces, accuracy: Accuracy | None
) -> PredictorTotal:
    cells = pieces.cells
    return PredictorTotal(
        predictor,
        tuple(work_nats),
        sum(work_nats) / sum(cells),
        bootstrap_interval(work_nats, cells),
        sum(work_nats) / sum(pieces.notes),
        accuracy,
    )


def _calibrations(
    subject: Subject, model_predictions: Sequence[Predictions]
) -> tuple[Calibration, ...]:
    """Of sounds and of lengths, with temperatures fitted to the validation works."""
    choices = choices_from_predictions(model_predictions)
    fitted = choices if subject.split == "valid" else _validation_choices(subject)
    if fitted is None:
        return tuple(
            Calibration(kind, _confidence(found), None, None)
            for kind, found in zip(KINDS, choices, strict=True)
        )
    return tuple(
        _calibration(kind, found, best_temperature(validation))
        for kind, found, validation in zip(KINDS, choices, fitted, strict=True)
    )


def _validation_choices(subject: Subject) -> tuple[Choices, Choices] | None:
    scores = [work.score for work in subject.dataset.works_in("valid")]
    if not scores:
        return None
    traces = _encoded(subject, scores).traces
    return predict_choices(subject.model, traces, grammar_masks_for(subject.model))


def _encoded(subject: Subject, scores: Sequence[Score]) -> EncodedPieces:
    """The scores as the model reads them."""
    vocabulary = subject.model.vocabulary
    return encode_pieces(scores, vocabulary.max_voices, marks_phrases=vocabulary.marks_phrases)


def _calibration(kind: str, choices: Choices, temperature: float) -> Calibration:
    after = _confidence(choices.at_temperature(temperature))
    return Calibration(kind, _confidence(choices), temperature, after)


def _confidence(choices: Choices) -> Confidence:
    return Confidence(choices.nll, calibration_error(choices), tuple(reliability_bins(choices)))
