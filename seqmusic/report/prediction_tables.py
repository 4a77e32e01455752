"""The tables of a report on prediction: all works together, in groups, and work by work."""

from __future__ import annotations

from collections.abc import Sequence

from seqmusic.evaluation.accuracy import Accuracy
from seqmusic.evaluation.assessment import Assessment, PredictorTotal
from seqmusic.evaluation.breakdown import Breakdown
from seqmusic.model.transformer import n_parameters
from seqmusic.report.sections import Column, Table, TableCell

_NATS_COLUMNS = (
    Column("predictions", "predictions", ","),
    Column("nats", "nats per prediction", ".3f"),
    Column("nats_low", "from", ".3f"),
    Column("nats_high", "to", ".3f"),
    Column("sound_nats", "sound", ".3f"),
    Column("length_nats", "length", ".3f"),
)
_TOP_K_COLUMNS = (
    *(Column(f"sound_top_{k}", f"sound, top {k}", ".1%") for k in (1, 3, 5)),
    *(Column(f"length_top_{k}", f"length, top {k}", ".1%") for k in (1, 3, 5)),
)
_PERPLEXITY_COLUMNS = (
    Column("sound_perplexity", "sound perplexity, of 130", ".2f"),
    Column("length_perplexity", "length perplexity, of 96", ".2f"),
)


def totals_table(totals: Sequence[PredictorTotal]) -> Table:
    """Each predictor on all works together."""
    columns = (
        Column("predictor", "predictor"),
        Column("nats_per_cell", "nats per cell", ".4f"),
        Column("nats_per_cell_low", "from", ".4f"),
        Column("nats_per_cell_high", "to", ".4f"),
        Column("nats_per_note", "nats per note", ".3f"),
        *_PERPLEXITY_COLUMNS,
        *_TOP_K_COLUMNS,
    )
    rows = tuple(
        (
            total.predictor,
            total.nats_per_cell,
            *total.interval,
            total.nats_per_note,
            *_perplexity_and_top_k(total.prediction_accuracy),
        )
        for total in totals
    )
    caption = (
        "All works together. Top 1, 3, 5: how often what is written is among the one, three or "
        "five likeliest, where there is a choice. Persistence predicts cell by cell, so it has no "
        "predictions of notes."
    )
    return Table("totals", caption, columns, rows)


def breakdown_kind(breakdown: Breakdown) -> str:
    """The first word of its name, such as "beat" of "beat in 4/4"."""
    return breakdown.name.split(" ")[0]


def breakdown_table(breakdown: Breakdown) -> Table:
    """Each predictor in each group."""
    rows = tuple(
        (group, predictor, *_nats_cells(accuracies[index]), *_top_k_cells(accuracies[index]))
        for index, group in enumerate(breakdown.groups)
        for predictor, accuracies in breakdown.prediction_accuracy.items()
    )
    kind = breakdown_kind(breakdown)
    columns = (
        Column(kind, breakdown.name),
        Column("predictor", "predictor"),
        *_NATS_COLUMNS,
        *_TOP_K_COLUMNS,
    )
    caption = f"By {breakdown.name}: all figures."
    return Table(f"by_{kind}", caption, columns, rows, is_collapsed=True)


def works_table(assessment: Assessment) -> Table:
    """Each work, with the nats per cell of each predictor."""
    subject, pieces = assessment.subject, assessment.pieces
    columns = (
        Column("work", "work"),
        Column("notes", "notes", ","),
        Column("cells", "cells", ","),
        *(_work_nats_column(total.predictor) for total in assessment.totals),
        Column("trained_on", "trained on"),
    )
    nats = zip(*(total.work_nats for total in assessment.totals), strict=True)
    rows = tuple(
        (
            work.name,
            n_notes,
            n_cells,
            *(work_nats / n_cells for work_nats in by_predictor),
            _trained_on_text(work.name, subject.trained_on),
        )
        for work, n_notes, n_cells, by_predictor in zip(
            subject.works, pieces.notes, pieces.cells, nats, strict=True
        )
    )
    return Table("works", "Work by work.", columns, rows, is_collapsed=True)


def subject_table(assessment: Assessment) -> Table:
    """The model, and the sizes of the split."""
    subject, pieces = assessment.subject, assessment.pieces
    n_trained_on = None if subject.trained_on is None else len(subject.trained_on)
    facts: dict[Column, TableCell] = {
        Column("model", "model"): subject.name,
        Column("parameters", "parameters", ","): n_parameters(subject.model),
        Column("finished", "training finished"): "yes" if subject.is_finished else "no",
        Column("split", "split"): subject.split,
        Column("works", "works", ","): len(subject.works),
        Column("works_trained_on", "of them trained on", ","): n_trained_on,
        Column("notes", "notes", ","): sum(pieces.notes),
        Column("cells", "cells", ","): sum(pieces.cells),
    }
    caption = "The model and the works."
    return Table("subject", caption, tuple(facts), (tuple(facts.values()),), is_collapsed=True)


def _perplexity_and_top_k(accuracy: Accuracy | None) -> tuple[TableCell, ...]:
    if accuracy is None:
        return (None,) * len(_PERPLEXITY_COLUMNS + _TOP_K_COLUMNS)
    return accuracy.sound_perplexity, accuracy.duration_perplexity, *_top_k_cells(accuracy)


def _nats_cells(accuracy: Accuracy) -> tuple[TableCell, ...]:
    nats = accuracy.sound_nats, accuracy.duration_nats
    return accuracy.n, accuracy.nats, *accuracy.interval, *nats


def _top_k_cells(accuracy: Accuracy) -> tuple[TableCell, ...]:
    return *accuracy.sound_top_k, *accuracy.duration_top_k


def _work_nats_column(predictor: str) -> Column:
    name = f"{predictor.replace('-', '_')}_nats_per_cell"
    return Column(name, f"{predictor}, nats per cell", ".3f")


def _trained_on_text(work: str, trained_on: frozenset[str] | None) -> str:
    if trained_on is None:
        return "not known"
    return "yes" if work in trained_on else "no"
