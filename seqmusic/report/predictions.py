"""The sections of a report that say how well a model predicts music, and where it is surprised."""

from __future__ import annotations

from collections.abc import Sequence

from tqdm import tqdm

from seqmusic.evaluation.accuracy import Accuracy
from seqmusic.evaluation.assessment import Assessment, PredictorTotal
from seqmusic.evaluation.breakdown import Breakdown
from seqmusic.evaluation.surprising_passages import (
    N_PASSAGES,
    TwoBarPassage,
    explain_passage,
    extreme_passages,
)
from seqmusic.formats.measures import printed_bars
from seqmusic.model.transformer import n_parameters
from seqmusic.report.charts import BarSeries, LineSeries, bar_chart, line_chart
from seqmusic.report.explanation import Explanation
from seqmusic.report.labels import (
    alternative_name,
    n_choices_text,
    note_name,
    percent_text,
    position_name,
)
from seqmusic.report.sections import Chart, Column, Excerpt, Section, Table, TableCell
from seqmusic.score import Score
from seqmusic.tonality import infer_key

_ACCURACY_COLUMNS = (
    Column("predictions", "predictions", ","),
    Column("nats", "nats a prediction", ".3f"),
    Column("nats_low", "from", ".3f"),
    Column("nats_high", "to", ".3f"),
    Column("sound_nats", "sound", ".3f"),
    Column("length_nats", "length", ".3f"),
    *(Column(f"sound_top_{top}", f"sound, top {top}", ".1%") for top in (1, 3, 5)),
    *(Column(f"length_top_{top}", f"length, top {top}", ".1%") for top in (1, 3, 5)),
)
_PROSE = (
    "The model reads a work note after note. Before each note it says how likely it holds every sound that may come next (a "
    "pitch, a rest, or that the note before is tied on), and then every length. The more it gave to what the composer wrote, "
    "the better it knows the style. Its surprise is told in nats: what was certain costs 0, what had a chance of 37 percent "
    "costs 1, of 14 percent 2, of 5 percent 3. A nat is 1.44 bits.",
    "A cell is one voice during one sixteenth step, so nats a cell compare between all ways of writing music down; everything "
    "is charged, also meter, key and the end. A prediction is one note, rest or tie. Perplexity says the same as a number of "
    "choices: a perplexity of 3 is the doubt of somebody who picks blindly among three. Sounds are chosen from 130 (128 "
    "pitches, a rest, a tie), lengths from 96.",
)


def prediction_section(assessment: Assessment) -> Section:
    """What the model reaches, beside its rivals; without pictures."""
    tables = (
        _totals_table(assessment.totals),
        *map(_breakdown_table, assessment.breakdowns),
        _works_table(assessment),
        _subject_table(assessment),
    )
    return Section("prediction", "Prediction", _PROSE, tables=tables)


def prediction_charts(assessment: Assessment) -> tuple[Chart, ...]:
    """The same drawn.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    totals = assessment.totals
    low, high = zip(*(own.interval for own in totals), strict=True)
    whole = bar_chart(
        [own.predictor for own in totals],
        [BarSeries("", [own.nats_per_cell for own in totals], low, high)],
        x_label="nats a cell (shorter is better)",
        title="Surprise of each predictor",
        format_value="{:.3f}",
    )
    caption = (
        "How surprised each predictor is on average. The n-gram looks up what followed the last few notes in the training "
        "works; persistence only bets that every voice holds its note. The thin lines are 95 percent intervals: so far would "
        "the figure move if other works of the kind had been asked about."
    )
    return (
        Chart(whole, caption),
        _accuracy_chart(totals),
        *(_breakdown_chart(own) for own in assessment.breakdowns),
    )


def passage_sections(assessment: Assessment, n: int = N_PASSAGES) -> tuple[Section, ...]:
    """The `n` most and the `n` least surprising passages, to be engraved; shows progress."""
    most, least = extreme_passages(assessment, n)
    bar = tqdm(total=len(most) + len(least), desc="passages", unit="passage")
    said = (
        "Two bars each, from different works. The larger and redder the disc behind a note, the less the model expected it; what "
        "sounds on from the bar before is blue. The button plays the bars."
    )
    return tuple(
        Section(
            name,
            title,
            (said,),
            excerpts=tuple(
                _passage_excerpt(assessment, place, passage, bar)
                for place, passage in enumerate(chosen, start=1)
            ),
            tables=(_passages_table(name, assessment, chosen),),
        )
        for name, title, chosen in (
            ("most_surprising", "The most surprising passages", most),
            ("least_surprising", "The least surprising passages", least),
        )
    )


def _accuracy_cells(own: Accuracy) -> tuple[TableCell, ...]:
    return (
        own.n,
        own.nats,
        *own.interval,
        own.sound_nats,
        own.duration_nats,
        *own.sound_top_k,
        *own.duration_top_k,
    )


def _totals_table(totals: Sequence[PredictorTotal]) -> Table:
    columns = (
        Column("predictor", "predictor"),
        Column("nats_per_cell", "nats a cell", ".4f"),
        Column("nats_per_cell_low", "from", ".4f"),
        Column("nats_per_cell_high", "to", ".4f"),
        Column("nats_per_note", "nats a note", ".3f"),
        Column("sound_perplexity", "sound perplexity, of 130", ".2f"),
        Column("length_perplexity", "length perplexity, of 96", ".2f"),
        *_ACCURACY_COLUMNS[6:],
    )
    rows = []
    for own in totals:
        known = own.prediction_accuracy
        guessed = (
            (known.sound_perplexity, known.duration_perplexity, *_accuracy_cells(known)[6:])
            if known
            else (None,) * 8
        )
        rows.append((own.predictor, own.nats_per_cell, *own.interval, own.nats_per_note, *guessed))
    caption = (
        "All works together. Top 1, 3, 5: how often what was written was among the one, three or five held likeliest, where "
        "there is a choice. Persistence predicts cell by cell, so it has no guesses at notes."
    )
    return Table("totals", caption, columns, tuple(rows))


def _breakdown_table(own: Breakdown) -> Table:
    rows = [
        (group, predictor, *_accuracy_cells(prediction_accuracy[place]))
        for place, group in enumerate(own.groups)
        for predictor, prediction_accuracy in own.prediction_accuracy.items()
    ]
    kind = own.name.split(" ")[0]
    columns = (Column(kind, own.name), Column("predictor", "predictor"), *_ACCURACY_COLUMNS)
    return Table(
        f"by_{kind}", f"By {own.name}: all figures.", columns, tuple(rows), is_collapsed=True
    )


def _works_table(assessment: Assessment) -> Table:
    subject, pieces = assessment.subject, assessment.pieces
    columns = (
        Column("work", "work"),
        Column("notes", "notes", ","),
        Column("cells", "cells", ","),
        *(
            Column(
                f"{own.predictor.replace('-', '_')}_nats_per_cell",
                f"{own.predictor}, nats a cell",
                ".3f",
            )
            for own in assessment.totals
        ),
        Column("trained_on", "trained on"),
    )
    known = subject.trained_on
    nats = zip(*(own.work_nats for own in assessment.totals), strict=True)
    rows = [
        (
            work.name,
            notes,
            cells,
            *(each / cells for each in own),
            "not known" if known is None else "yes" if work.name in known else "no",
        )
        for work, notes, cells, own in zip(
            subject.works, pieces.notes, pieces.cells, nats, strict=True
        )
    ]
    return Table("works", "Work by work.", columns, tuple(rows), is_collapsed=True)


def _subject_table(assessment: Assessment) -> Table:
    subject, pieces = assessment.subject, assessment.pieces
    facts: dict[Column, TableCell] = {
        Column("model", "model"): subject.name,
        Column("parameters", "parameters", ","): n_parameters(subject.model),
        Column("finished", "training finished"): "yes" if subject.is_finished else "no",
        Column("split", "part"): subject.split,
        Column("works", "works", ","): len(subject.works),
        Column("works_trained_on", "of them trained on", ","): None
        if subject.trained_on is None
        else len(subject.trained_on),
        Column("notes", "notes", ","): sum(pieces.notes),
        Column("cells", "cells", ","): sum(pieces.cells),
    }
    return Table(
        "subject",
        "What was asked about.",
        tuple(facts),
        (tuple(facts.values()),),
        is_collapsed=True,
    )


def _accuracy_chart(totals: Sequence[PredictorTotal]) -> Chart:
    able = [(own.predictor, own.prediction_accuracy) for own in totals if own.prediction_accuracy]
    names = [
        "sound, first guess",
        "among three",
        "among five",
        "length, first guess",
        "among three",
        "among five",
    ]
    bars = [
        BarSeries(name, [100 * share for share in (*own.sound_top_k, *own.duration_top_k)])
        for name, own in able
    ]
    drawn = bar_chart(
        names,
        bars,
        x_label="predictions that were right, %",
        title="Guesses that came true",
        format_value="{:.1f}",
    )
    return Chart(
        drawn,
        "How often what was written was the predictor's first guess, or among its first three or five.",
    )


def _breakdown_chart(own: Breakdown) -> Chart:
    title, caption, unit = (
        f"Surprise by {own.name}",
        _CAPTIONS[own.name.split(" ")[0]],
        "nats a prediction",
    )
    if own.name.startswith("part"):
        lines = []
        for predictor, prediction_accuracy in own.prediction_accuracy.items():
            low, high = zip(*(each.interval for each in prediction_accuracy), strict=True)
            middle = [float(group.split("–")[0]) + 5 for group in own.groups]
            lines.append(
                LineSeries(
                    predictor, middle, [each.nats for each in prediction_accuracy], low, high
                )
            )
        return Chart(
            line_chart(
                lines, x_label="place in the piece, % of its length", y_label=unit, title=title
            ),
            caption,
        )
    bars = []
    for predictor, prediction_accuracy in own.prediction_accuracy.items():
        low, high = zip(*(each.interval for each in prediction_accuracy), strict=True)
        bars.append(BarSeries(predictor, [each.nats for each in prediction_accuracy], low, high))
    return Chart(
        bar_chart(
            own.groups,
            bars,
            x_label=f"{unit} (shorter is better)",
            title=title,
            format_value="{:.2f}",
        ),
        caption,
    )


_CAPTIONS = {
    "voice": "Which voice is hardest to predict. Of notes that begin together the highest is predicted first, so for the lower "
    "voices more of the chord is known.",
    "beat": "Where in the bar the surprises are; ½ is halfway to the next beat, “between” is everything finer.",
    "part": "Whether a piece grows easier to predict as it goes on: the model has then heard more of it.",
}


def _passages_table(name: str, assessment: Assessment, chosen: Sequence[TwoBarPassage]) -> Table:
    columns = (
        Column("work", "work"),
        Column("first_bar", "first bar"),
        Column("last_bar", "last bar"),
        Column("notes", "notes"),
        Column("bits", "bits", ".1f"),
        Column("bits_per_note", "bits a note", ".2f"),
    )
    works = assessment.subject.works
    rows = tuple(
        (works[own.work].name, *own.bars, own.n_notes, own.bits, own.bits_per_note)
        for own in chosen
    )
    return Table(name, "The same as numbers.", columns, rows, is_collapsed=True)


def _passage_excerpt(
    assessment: Assessment, place: int, passage: TwoBarPassage, bar: tqdm[None]
) -> Excerpt:
    work = assessment.subject.works[passage.work]
    score, explanation = explain_passage(assessment.subject.model, work.score, passage)
    bar.update()
    title = f"{place}. {work.name}, bars {passage.bars[0]}–{passage.bars[1]}: {passage.bits_per_note:.1f} bits a note"
    caption = (
        f"{passage.n_notes} notes, as if each had been chosen among {n_choices_text(passage.bits_per_note)} equally likely ones."
        f"{_least_expected(work.score, passage, explanation)}"
    )
    return Excerpt(title, caption, score, explanation)


def _least_expected(score: Score, passage: TwoBarPassage, explanation: Explanation) -> str:
    """The note that surprised most (a rest may lie beyond what is drawn), and what was expected there."""
    worst = max(
        (event for event in explanation.events if event.pitch is not None),
        key=lambda event: event.bits,
    )
    likeliest = worst.alternatives[0] if worst.alternatives else None
    key, where = (
        score.key or infer_key(score),
        position_name(printed_bars(score), passage.onset_ticks + worst.onset_ticks),
    )
    said = f" Least expected: {note_name(worst, key)} in the {score.voices[worst.voice].name.lower()}, {where} ({worst.bits:.1f} bits)"
    if likeliest is None or likeliest.is_written:
        return f"{said}."
    return f"{said}; likeliest there was {alternative_name(likeliest)} ({percent_text(likeliest.probability)})."
