"""The most and the least surprising two bars of each work, by bits per note."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

from seqmusic.evaluation.accuracy import prediction_mask
from seqmusic.evaluation.assessment import Assessment
from seqmusic.formats.measures import printed_bars
from seqmusic.generation.note_surprise import explain
from seqmusic.metrics.likelihood import EventScores
from seqmusic.model.transformer import Transformer
from seqmusic.report.explanation import ExplainedEvent, Explanation
from seqmusic.score import Note, Score
from seqmusic.tokens.tokenizer import Trace
from seqmusic.tokens.vocabulary import is_pitch

N_PASSAGES = 5
N_BARS = 2
_MIN_NOTES_PER_VOICE = 3  # on average: one long chord is no passage


@dataclass(frozen=True, slots=True)
class TwoBarPassage:
    """Two bars of a work.

    Attributes:
        work: position of the work in the split.
        bars: numbers of the first and last bar, as printed.
        onset_ticks: where the passage begins in the work.
        end_ticks: where it ends.
        n_notes: notes that begin in it, all voices together.
        bits: surprise of the notes, rests and ties that begin in it.
    """

    work: int
    bars: tuple[int, int]
    onset_ticks: int
    end_ticks: int
    n_notes: int
    bits: float

    @property
    def bits_per_note(self) -> float:
        """All bits per note."""
        return self.bits / self.n_notes


def extreme_passages(
    assessment: Assessment, n: int = N_PASSAGES
) -> tuple[list[TwoBarPassage], list[TwoBarPassage]]:
    """The n most surprising and the n least surprising passages, each of another work.

    Works longer than the context of the model are left out, because it does not see all that came
    before.

    Returns:
        The most surprising ones in descending order, the least surprising ones in ascending order.
    """
    pieces = assessment.pieces
    max_events = assessment.subject.model.settings.context_length + 1
    rows = zip(pieces.scores, pieces.traces, assessment.event_scores, strict=True)
    by_work = [
        list(two_bar_passages(work, score, trace, event_scores))
        for work, (score, trace, event_scores) in enumerate(rows)
        if len(trace.events) <= max_events
    ]
    most = [max(passages, key=_bits_per_note) for passages in by_work if passages]
    least = [min(passages, key=_bits_per_note) for passages in by_work if passages]
    most.sort(key=lambda passage: -passage.bits_per_note)
    least.sort(key=_bits_per_note)
    return most[:n], least[:n]


def _bits_per_note(passage: TwoBarPassage) -> float:
    return passage.bits_per_note


def two_bar_passages(
    work: int, score: Score, trace: Trace, event_scores: EventScores
) -> Iterator[TwoBarPassage]:
    """All pairs of successive whole bars of a work with three notes per voice or more."""
    is_prediction = prediction_mask(trace, event_scores)
    sounds, onsets = trace.events[event_scores.rows + 1, 0], trace.ticks[event_scores.rows]
    bars = [bar for bar in printed_bars(score) if bar.number]
    for first, last in zip(bars, bars[N_BARS - 1 :], strict=False):
        inside = is_prediction & (onsets >= first.onset_ticks) & (onsets < last.end_ticks)
        n_notes = int((is_pitch(sounds) & inside).sum())
        if n_notes >= _MIN_NOTES_PER_VOICE * len(score.voices):
            bits = float(event_scores.nats[inside].sum()) / math.log(2)
            numbers = (first.number, last.number)
            yield TwoBarPassage(work, numbers, first.onset_ticks, last.end_ticks, n_notes, bits)


def explain_passage(
    model: Transformer, score: Score, passage: TwoBarPassage
) -> tuple[Score, Explanation]:
    """The music of a passage, and the surprise of its notes and rests after all that came before.

    A note that sounds on from before the passage begins with the passage, as a given one.
    """
    start, end = passage.onset_ticks, passage.end_ticks
    events, held = [], {}
    for event in explain(model, score).events:
        event_end = event.onset_ticks + event.duration_ticks
        onset, until = max(event.onset_ticks, start), min(event_end, end)
        if event.onset_ticks >= start and onset < end:
            events.append(replace(event, onset_ticks=onset - start, duration_ticks=until - onset))
        elif onset < until and event.pitch is not None:
            held[event.voice] = Note(0, until - start, event.pitch)
            events.append(ExplainedEvent(event.voice, 0, until - start, event.pitch, is_given=True))
    excerpt = score.sliced(start, end)
    voices = tuple(
        replace(voice, notes=(held[index], *voice.notes)) if index in held else voice
        for index, voice in enumerate(excerpt.voices)
    )
    events.sort(key=lambda event: (event.onset_ticks, event.voice))
    return replace(excerpt, voices=voices), Explanation(tuple(events))
