"""Where a model was surprised most, and least: stretches of two bars, one of a work, by bits a note."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

from seqmusic.evaluation.assessment import Assessment, prediction_mask
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
_MIN_NOTES = 3  # a voice, in the mean: one long chord is no passage


@dataclass(frozen=True, slots=True)
class TwoBarPassage:
    """Two bars of a work.

    Attributes:
        work: place of the work in the part.
        bars: first and last, as printed.
        onset_ticks, end_ticks: in the work.
        n_notes: that begin in it, all voices together.
        bits: surprise of what begins in it: notes, rests and ties.
    """

    work: int
    bars: tuple[int, int]
    onset_ticks: int
    end_ticks: int
    n_notes: int
    bits: float

    @property
    def bits_per_note(self) -> float:
        """All bits over the notes."""
        return self.bits / self.n_notes


def extreme_passages(
    assessment: Assessment, n: int = N_PASSAGES
) -> tuple[list[TwoBarPassage], list[TwoBarPassage]]:
    """The most surprising passages, the worst first, and the least surprising ones, the best first; each of another work.

    Works longer than the model's context are left out: it would not be shown all that came before.
    """
    pieces, longest = assessment.pieces, assessment.subject.model.settings.context_length + 1
    rows = enumerate(zip(pieces.scores, pieces.traces, assessment.event_scores, strict=True))
    by_work = [
        found
        for work, row in rows
        if len(row[1].events) <= longest and (found := list(two_bar_passages(work, *row)))
    ]
    most = sorted(
        (max(found, key=lambda own: own.bits_per_note) for found in by_work),
        key=lambda own: -own.bits_per_note,
    )
    least = sorted(
        (min(found, key=lambda own: own.bits_per_note) for found in by_work),
        key=lambda own: own.bits_per_note,
    )
    return most[:n], least[:n]


def two_bar_passages(
    work: int, score: Score, trace: Trace, scores: EventScores
) -> Iterator[TwoBarPassage]:
    """All stretches of two whole bars of a work; those with fewer than three notes a voice are left out."""
    is_prediction = prediction_mask(trace, scores)
    sounds, onsets = trace.events[scores.rows + 1, 0], trace.ticks[scores.rows]
    bars = [bar for bar in printed_bars(score) if bar.number]
    for first, last in zip(bars, bars[N_BARS - 1 :], strict=False):
        inside = is_prediction & (onsets >= first.onset_ticks) & (onsets < last.end_ticks)
        n_notes = int((is_pitch(sounds) & inside).sum())
        if n_notes >= _MIN_NOTES * len(score.voices):
            bits = float(scores.nats[inside].sum()) / math.log(2)
            yield TwoBarPassage(
                work, (first.number, last.number), first.onset_ticks, last.end_ticks, n_notes, bits
            )


def explain_passage(
    model: Transformer, score: Score, passage: TwoBarPassage
) -> tuple[Score, Explanation]:
    """The music of a passage, and what the model thought of each of its notes and rests, knowing all that came before them.

    A note that sounds on from before the passage begins with it, as one that was given.
    """
    start, end = passage.onset_ticks, passage.end_ticks
    events, held = [], {}
    for event in explain(model, score).events:
        onset, until = (
            max(event.onset_ticks, start),
            min(event.onset_ticks + event.duration_ticks, end),
        )
        if event.onset_ticks >= start and onset < end:
            events.append(replace(event, onset_ticks=onset - start, duration_ticks=until - onset))
        elif onset < until and event.pitch is not None:
            held[event.voice] = Note(0, until - start, event.pitch)
            events.append(ExplainedEvent(event.voice, 0, until - start, event.pitch, is_given=True))
    own = score.sliced(start, end)
    voices = (
        replace(v, notes=(held[line], *v.notes)) if line in held else v
        for line, v in enumerate(own.voices)
    )
    events.sort(key=lambda event: (event.onset_ticks, event.voice))
    return replace(own, voices=tuple(voices)), Explanation(tuple(events))
