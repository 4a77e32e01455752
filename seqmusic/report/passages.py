"""The sections of a report with the most and the least surprising passages, engraved."""

from __future__ import annotations

from collections.abc import Sequence

from seqmusic.evaluation.assessment import Assessment
from seqmusic.evaluation.surprising_passages import (
    N_PASSAGES,
    TwoBarPassage,
    explain_passage,
    extreme_passages,
)
from seqmusic.formats.measures import printed_bars
from seqmusic.progress import ProgressBar, progress_bar
from seqmusic.report.explanation import Explanation
from seqmusic.report.labels import (
    alternative_name,
    event_name,
    n_choices_text,
    percent_text,
    position_name,
)
from seqmusic.report.sections import Column, Excerpt, Section, Table
from seqmusic.score import Score
from seqmusic.spelling import spell_notes

_PROSE = (
    "Two bars each, from different works. The larger and redder the disc behind a note, the less "
    "the model expected it; what sounds on from the bar before is blue. The button plays the bars."
)
_COLUMNS = (
    Column("work", "work"),
    Column("first_bar", "first bar"),
    Column("last_bar", "last bar"),
    Column("notes", "notes"),
    Column("bits", "bits", ".1f"),
    Column("bits_per_note", "bits per note", ".2f"),
)


def passage_sections(assessment: Assessment, n: int = N_PASSAGES) -> tuple[Section, Section]:
    """The `n` most and the `n` least surprising passages, each from another work."""
    most, least = extreme_passages(assessment, n)
    with progress_bar(len(most) + len(least), "passages", "passage") as bar:
        return (
            _passage_section("most", assessment, most, bar),
            _passage_section("least", assessment, least, bar),
        )


def _passage_section(
    degree: str, assessment: Assessment, passages: Sequence[TwoBarPassage], bar: ProgressBar
) -> Section:
    name = f"{degree}_surprising"
    excerpts = []
    for rank, passage in enumerate(passages, start=1):
        excerpts.append(_passage_excerpt(assessment, rank, passage))
        bar.update()
    return Section(
        name,
        f"The {degree} surprising passages",
        (_PROSE,),
        excerpts=tuple(excerpts),
        tables=(_passages_table(name, assessment, passages),),
    )


def _passages_table(name: str, assessment: Assessment, passages: Sequence[TwoBarPassage]) -> Table:
    works = assessment.subject.works
    rows = tuple(
        (works[p.work].name, *p.bars, p.n_notes, p.bits, p.bits_per_note) for p in passages
    )
    return Table(name, "The same as numbers.", _COLUMNS, rows, is_collapsed=True)


def _passage_excerpt(assessment: Assessment, rank: int, passage: TwoBarPassage) -> Excerpt:
    work, (first, last) = assessment.subject.works[passage.work], passage.bars
    score, explanation = explain_passage(assessment.subject.model, work.score, passage)
    least_expected = _least_expected_text(work.score, passage, score, explanation)
    bits = passage.bits_per_note
    title = f"{rank}. {work.name}, bars {first}–{last}: {bits:.1f} bits per note"
    caption = (
        f"{passage.n_notes} notes, as if each had been chosen among {n_choices_text(bits)} equally "
        f"likely ones. {least_expected}"
    )
    return Excerpt(title, caption, score, explanation)


def _least_expected_text(
    score: Score, passage: TwoBarPassage, excerpt: Score, explanation: Explanation
) -> str:
    """The note with the largest surprise, and what was likeliest instead.

    Rests do not count: one of them may extend beyond the engraved bars.
    """
    pitched = (event for event in explanation.events if event.pitch is not None)
    least = max(pitched, key=lambda event: event.bits)
    note = event_name(least, spell_notes(excerpt))
    position = position_name(printed_bars(score), passage.onset_ticks + least.onset_ticks)
    voice = score.voices[least.voice].name.lower()
    text = f"Least expected: {note} in the {voice}, {position} ({least.bits:.1f} bits)"
    likeliest = least.alternatives[0] if least.alternatives else None
    if likeliest is None or likeliest.is_written:
        return f"{text}."
    name, percent = alternative_name(likeliest), percent_text(likeliest.probability)
    return f"{text}; likeliest there was {name} ({percent})."
