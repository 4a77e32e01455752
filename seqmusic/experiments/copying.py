"""How much a model copies as it learns, beside its loss on held-out works.

Two trainings are compared: one as configured, and one without any regularization. Continuations of
validation works show how much a model copies into new music; continuations of training works, how
much it has memorized of them.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import torch

from seqmusic.corpus.dataset import Dataset
from seqmusic.evaluation.estimates import Estimate, median_estimate
from seqmusic.evaluation.held_out import (
    EncodedPieces,
    encode_pieces,
    grammar_masks_for,
    score_held_out,
)
from seqmusic.evaluation.samples import (
    N_CANDIDATES,
    Opening,
    draw_openings,
    find_openings,
    sample_continuations,
)
from seqmusic.experiments.study import (
    TrialRecord,
    aligned_table_text,
    common_settings,
    open_study,
    run_trials,
)
from seqmusic.generation.request import Request
from seqmusic.metrics.originality import CopyIndex
from seqmusic.model.transformer import Transformer
from seqmusic.progress import progress_bar
from seqmusic.report.copying_curve import (
    COPYING_CSV,
    CopyingPoint,
    copying_charts,
    copying_table,
    write_copying,
)
from seqmusic.report.figures import require_matplotlib, write_svg_and_png
from seqmusic.runs.configuration import Configuration
from seqmusic.runs.data import draw_batch, training_data
from seqmusic.runs.pretrained import make_vocabulary
from seqmusic.training.loop import TrainingState, new_training_state, train

logger = logging.getLogger(__name__)

AS_CONFIGURED, UNREGULARIZED = "as configured", "unrestrained"
# The model alone
_REQUEST = Request(n=N_CANDIDATES, temperature=1.0, lenience=1.0, cadence=False, effort=0)


@dataclass(frozen=True, slots=True)
class _EvaluationSet:
    """What is scored and continued at every evaluation.

    Attributes:
        validation, training: the validation works, and as many training works.
        validation_openings, training_openings: openings of works of each kind, to be continued.
        index: of the training works, for finding copies.
        works_median: notes of the longest copy, median over validation works as they are written.
    """

    validation: EncodedPieces
    training: EncodedPieces
    validation_openings: Sequence[Opening]
    training_openings: Sequence[Opening]
    index: CopyIndex
    works_median: float


def copying_study(
    configuration: Configuration, dataset: Dataset, folder: Path, *, n_samples: int = 24
) -> list[CopyingPoint]:
    """Train a model as configured and one unregularized, and measure their copying as they learn.

    The unregularized model has no dropout, hidden input, weight decay and transposition. Both train
    to the last step, without a limit of time or patience.

    Args:
        configuration: of both; its given_share must not be 0, or the model learns no continuations.
        dataset: its validation works are continued, and as many of its training works.
        folder: new, or that of a study to go on with.
        n_samples: continuations of either kind of works at each evaluation.

    Raises:
        FormatError: the folder holds something else.
        CheckpointError: the folder holds another study.
        MissingExtraError: matplotlib is not installed.
        ValueError: given_share is 0, n_samples is less than 1, or no work can be continued.
    """
    _require_measurable(configuration, n_samples)
    require_matplotlib()
    training = replace(configuration.training, minutes=0.0, patience=0)
    configuration = replace(configuration, training=training)
    open_study(folder, {**common_settings("copying", configuration, dataset), "samples": n_samples})
    evaluation_set = _evaluation_set(dataset, n_samples)
    unregularized = replace(
        configuration,
        model=replace(configuration.model, dropout=0.0, input_dropout=0.0),
        training=replace(training, weight_decay=0.0, l1=0.0),
    )
    trials = {
        "as-configured": partial(_trial, AS_CONFIGURED, configuration, dataset, evaluation_set),
        "unrestrained": partial(_trial, UNREGULARIZED, unregularized, dataset, evaluation_set),
    }
    records = run_trials(folder, trials).values()
    rows = [CopyingPoint(**row) for record in records for row in record["curve"]]
    _write_copying_study(folder, rows)
    return rows


def _require_measurable(configuration: Configuration, n_samples: int) -> None:
    if not configuration.training.given_share:
        raise ValueError(
            "copying is measured on continuations, which are learned from given parts; "
            "given_share must not be 0"
        )
    if n_samples < 1:
        raise ValueError(f"n_samples must be 1 or more, got {n_samples}")


def _write_copying_study(folder: Path, rows: Sequence[CopyingPoint]) -> None:
    write_copying(folder / COPYING_CSV, rows)
    for name, chart in zip(("loss", "copying"), copying_charts(rows), strict=True):
        write_svg_and_png(chart.figure, folder, name)
    logger.info(aligned_table_text(copying_table(rows)))
    logger.info(
        f"held-out works as they are written: {rows[0].works:g} notes in the median; "
        f"table and pictures are in {folder}"
    )


def _evaluation_set(dataset: Dataset, n_samples: int) -> _EvaluationSet:
    training, validation = (
        [work.score for work in dataset.works_in(split)] for split in ("train", "valid")
    )
    index = CopyIndex(training)
    openings = [
        find_openings(works, max_voices=max(len(work.voices) for work in works))
        for works in (validation, training)
    ]
    if not all(openings):
        raise ValueError(
            "copying needs validation and training works of more than two bars and at most "
            "sixteen, got none"
        )
    written = [index.longest(opening.continuation(opening.work)) for opening in openings[0]]
    n_openings = -(-n_samples // N_CANDIDATES)
    spacing = max(1, len(training) // len(validation))
    return _EvaluationSet(
        encode_pieces(validation),
        encode_pieces(training[::spacing][: len(validation)]),
        draw_openings(openings[0], n_openings),
        draw_openings(openings[1], n_openings),
        index,
        median_estimate([copy.n_notes if copy else 0 for copy in written]).value,
    )


@dataclass
class _CopyingEvaluation:
    """Evaluates a model in training, and adds a row to the table each time."""

    name: str
    evaluation_set: _EvaluationSet
    state: TrainingState
    batch_size: int
    n_works: int
    rows: list[Mapping[str, object]] = field(default_factory=list)

    def __call__(self, model: Transformer) -> dict[str, float]:
        pieces = self.evaluation_set
        masks = grammar_masks_for(model)
        validation, training = (
            score_held_out(model, split, masks).nats_per_cell
            for split in (pieces.validation, pieces.training)
        )
        held_out, known = (
            _median_copy(model, openings, pieces.index)
            for openings in (pieces.validation_openings, pieces.training_openings)
        )
        row = CopyingPoint(
            self.name,
            self.state.step,
            self.state.step * self.batch_size / self.n_works,
            training,
            validation,
            *(held_out.value, held_out.low, held_out.high),
            *(known.value, known.low, known.high),
            pieces.works_median,
        )
        self.rows.append(row._asdict())
        return {"nats_per_cell": validation}


def _trial(
    name: str, configuration: Configuration, dataset: Dataset, evaluation_set: _EvaluationSet
) -> TrialRecord:
    """A training; every evaluation is a row of the table."""
    settings = configuration.training
    max_voices = max(evaluation_set.validation.max_voices, evaluation_set.training.max_voices)
    data = replace(
        training_data(dataset.works_in("train")),
        max_voices=max_voices,
        is_transposed=name != UNREGULARIZED,
    )
    torch.manual_seed(settings.seed)
    model = Transformer(configuration.model, make_vocabulary(max_voices))
    state = new_training_state(model, settings)
    evaluate = _CopyingEvaluation(
        name, evaluation_set, state, settings.batch_size, len(data.pieces)
    )
    steps = train(
        state,
        settings,
        lambda step: draw_batch(data, settings, step),
        evaluate,
        grammar_masks_for(model),
    )
    with progress_bar(settings.steps, name, "batch") as bar:
        for _ in steps:
            bar.update()
    return {"training": name, "curve": evaluate.rows}


def _median_copy(model: Transformer, openings: Sequence[Opening], index: CopyIndex) -> Estimate:
    """Notes of the longest copy, median over continuations of the openings."""
    pieces = sample_continuations(model, openings, _REQUEST, index)
    return median_estimate([piece.copied_notes for group in pieces for piece in group])
