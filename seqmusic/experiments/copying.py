"""How much a model copies as it learns: the longest passages of its continuations, beside what it loses on held-out works.

Two trainings stand beside each other: one as configured, and one without all that keeps a model from learning works by heart.
Beginnings of validation works say how much comes of it where the model meets new music; those of training works, how much it
would tell of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import torch
from tqdm import tqdm

from seqmusic.evaluation.held_out import EncodedPieces, encode_pieces, score_held_out
from seqmusic.corpus.dataset import Dataset
from seqmusic.evaluation.estimates import Estimate, median_estimate
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
from seqmusic.report.copies import (
    COPYING_CSV,
    CopyingPoint,
    copying_charts,
    copying_table,
    write_copying,
)
from seqmusic.report.figures import new_figure, write_figure
from seqmusic.runs.configuration import Configuration
from seqmusic.runs.data import draw_batch, training_data
from seqmusic.runs.pretrained import make_grammar_masks, make_vocabulary
from seqmusic.training.loop import new_training_state, train

AS_CONFIGURED, UNREGULARIZED = "as configured", "unrestrained"
_REQUEST = Request(n=N_CANDIDATES, temperature=1.0, lenience=1.0, cadence=False)  # the model alone


@dataclass(frozen=True, slots=True)
class _EvaluationSet:
    """What is continued, and where passages are looked for.

    Attributes:
        pieces: held-out works, and as many training works.
        openings: beginnings of both.
        index: the training works.
        works: the median copy of held-out works as they are written.
    """

    pieces: tuple[EncodedPieces, EncodedPieces]
    openings: tuple[Sequence[Opening], Sequence[Opening]]
    index: CopyIndex
    works: float


def copying_study(
    configuration: Configuration,
    dataset: Dataset,
    folder: Path,
    *,
    n_samples: int = 24,
    show: Callable[[str], None] = print,
) -> list[CopyingPoint]:
    """Train a model as configured and one that nothing restrains, and measure at every evaluation what they know and copy.

    Unrestrained is without dropout, hidden input, weight decay and transposition. Both train to the last step, without a limit of
    time or patience.

    Args:
        configuration: of both; some of what is drawn for training must be given, or the model learns no continuing.
        dataset: its validation works are continued, and as many of its training works.
        folder: new, or that of a study to go on with.
        n_samples: continuations of either kind at each evaluation.
        show: takes lines for people.

    Raises:
        FormatError: the folder holds something else.
        CheckpointError: the folder holds another study.
        MissingExtraError: matplotlib is not installed.
        ValueError: nothing is given in training, no sample is asked for, or no work can be continued.
    """
    if not configuration.training.given_share:
        raise ValueError(
            "copying is measured on continuations, which are learned from given parts; given_share must not be 0"
        )
    if n_samples < 1:
        raise ValueError(f"n_samples must be 1 or more, got {n_samples}")
    new_figure(1, 1)
    configuration = replace(
        configuration, training=replace(configuration.training, minutes=0.0, patience=0)
    )
    open_study(folder, {**common_settings("copying", configuration, dataset), "samples": n_samples})
    free = replace(
        configuration,
        model=replace(configuration.model, dropout=0.0, input_dropout=0.0),
        training=replace(configuration.training, weight_decay=0.0, l1=0.0),
    )
    copied = _evaluation_set(dataset, n_samples)
    trials = {
        "as-configured": partial(_trial, AS_CONFIGURED, configuration, dataset, copied),
        "unrestrained": partial(_trial, UNREGULARIZED, free, dataset, copied),
    }
    found = run_trials(folder, trials, show).values()
    rows = [CopyingPoint(**row) for trial in found for row in trial["curve"]]
    write_copying(folder / COPYING_CSV, rows)
    for name, chart in zip(("loss", "copying"), copying_charts(rows), strict=True):
        for kind in ("svg", "png"):
            write_figure(chart.figure, folder / f"{name}.{kind}")
    show(aligned_table_text(copying_table(rows)))
    show(
        f"held-out works as they are written: {rows[0].works:g} notes in the median; table and pictures are in {folder}"
    )
    return rows


def _evaluation_set(dataset: Dataset, n_samples: int) -> _EvaluationSet:
    training, validation = (
        [work.score for work in dataset.works_in(split)] for split in ("train", "valid")
    )
    index = CopyIndex(training)
    found = [
        find_openings(works, max_voices=max(len(work.voices) for work in works))
        for works in (validation, training)
    ]
    if not all(found):
        raise ValueError(
            "copying needs validation and training works of more than two bars and at most sixteen, got none"
        )
    lengths = [
        copy.n_notes if (copy := index.longest(opening.continuation(opening.work))) else 0
        for opening in found[0]
    ]
    n_heads = -(-n_samples // N_CANDIDATES)
    chosen = tuple(draw_openings(own, n_heads) for own in found)
    few = training[:: max(1, len(training) // len(validation))][: len(validation)]
    return _EvaluationSet(
        (encode_pieces(validation), encode_pieces(few)),
        (chosen[0], chosen[1]),
        index,
        median_estimate(lengths).value,
    )


def _trial(
    name: str, configuration: Configuration, dataset: Dataset, copied: _EvaluationSet
) -> TrialRecord:
    """A training; at every evaluation a row of the table."""
    settings = configuration.training
    words = make_vocabulary(max(own.max_voices for own in copied.pieces))
    data = replace(training_data(dataset.works_in("train")), max_voices=words.max_voices)
    if name == UNREGULARIZED:
        data = replace(data, is_transposed=False)
    torch.manual_seed(settings.seed)
    state, masks = (
        new_training_state(Transformer(configuration.model, words), settings),
        make_grammar_masks(torch.device("cpu"), words.max_voices),
    )
    rows: list[Mapping[str, object]] = []

    def evaluate(model: Transformer) -> dict[str, float]:
        nats = [
            score_held_out(model, own, masks).nats_per_cell for own in copied.pieces
        ]
        fresh, known = (_median_copy_length(model, own, copied.index) for own in copied.openings)
        epochs = state.step * settings.batch_size / len(data.pieces)
        figures = (
            nats[1],
            nats[0],
            fresh.value,
            fresh.low,
            fresh.high,
            known.value,
            known.low,
            known.high,
            copied.works,
        )
        rows.append(CopyingPoint(name, state.step, epochs, *figures)._asdict())
        return {"nats_per_cell": nats[0]}

    with tqdm(total=settings.steps, unit="batch", desc=name, leave=False) as bar:
        for report in train(
            state, settings, lambda step: draw_batch(data, settings, step), evaluate, masks
        ):
            bar.update(report.step - bar.n)
    return {"training": name, "curve": rows}


def _median_copy_length(
    model: Transformer, chosen: Sequence[Opening], index: CopyIndex
) -> Estimate:
    found = sample_continuations(model, chosen, _REQUEST, index)
    return median_estimate([piece.copied_notes for pieces in found for piece in pieces])
