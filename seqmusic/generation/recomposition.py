"""Composing anew what was selected on a score: any bars of any voices, or all that follows a tick.

`regeneration` composes some bars of some voices; here each voice has spans of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from seqmusic.errors import RequestError
from seqmusic.generation.completion import Candidate, OnNote
from seqmusic.generation.composing import compose_candidates, with_voice_names_of
from seqmusic.generation.prompts import Prompt, require_notes, voice_hole
from seqmusic.generation.request import Request
from seqmusic.generation.requested_voices import (
    default_voices,
    matching_voice_names,
    requested_voice_names,
    with_voices,
)
from seqmusic.model.decoding.decoder import DecodableModel
from seqmusic.runs.pretrained import learned_voice_names
from seqmusic.score import SATB, Note, Score, Voice
from seqmusic.tokens.tokenizer import Hole

Span = tuple[int, int]
"""From a tick, up to but not including another one."""
Cell = tuple[int, int]
"""The index of a voice, and that of a bar, both counted from 0."""


def recomposition(
    model: DecodableModel,
    score: Score,
    spans: Sequence[Sequence[Span]],
    request: Request | None = None,
    *,
    on_note: OnNote | None = None,
) -> list[Candidate]:
    """Candidates in which the spans are composed anew, likeliest first.

    Args:
        model: a trained model.
        score: in voices that the model knows.
        spans: those of each voice of the score.
        request: how candidates are drawn, and what they must obey.
        on_note: receives the notes of one candidate as they are composed.

    Raises:
        RequestError: nothing lies in the spans, or the constraints cannot be met.
    """
    prompt = spans_prompt(score, spans, learned_voice_names(model.vocabulary))
    found = compose_candidates(model, prompt, request or Request(), on_note=on_note)
    return [with_voice_names_of(candidate, score) for candidate in found]


def spans_prompt(
    score: Score, spans: Sequence[Sequence[Span]], model_voices: Sequence[str] = SATB
) -> Prompt:
    """The score with holes over spans of its voices.

    A note held into a span stays, and one held out of it is composed anew, as in
    `regeneration_prompt`.

    Raises:
        RequestError: nothing lies in the spans, or the model knows no such voices.
    """
    require_notes(score)
    requested = requested_voice_names(default_voices(score, model_voices), model_voices)
    names = matching_voice_names(score, requested)
    holes = tuple(
        tuple(_merged(hole for span in line for hole in voice_hole(voice, *span)))
        for voice, line in zip(score.voices, spans, strict=True)
    )
    if not any(holes):
        raise RequestError("nothing is selected to be composed; select bars that are not frozen")
    return Prompt(with_voices(score, names, names), holes)


def cell_spans(score: Score, cells: Iterable[Cell]) -> list[list[Span]]:
    """The spans of each voice that cover cells of a score; cells that it has not are ignored.

    >>> from seqmusic.score import Note, melody
    >>> line = melody([Note(96 * bar, 96, 60) for bar in range(4)])
    >>> cell_spans(line, [(0, 2), (0, 0), (0, 1), (0, 9)])
    [[(0, 288)]]
    """
    bars = score.bars()
    spans: list[list[Span]] = [[] for _ in score.voices]
    for voice, bar in sorted(set(cells)):
        if 0 <= voice < len(spans) and 0 <= bar < len(bars):
            start, end = bars[bar].onset_ticks, min(bars[bar].end_ticks, score.end_ticks)
            spans[voice].append((start, end))
    return [_merged(line) for line in spans]


def spans_after(score: Score, tick: int) -> list[list[Span]]:
    """The spans from a tick to the end of the score, one in each voice."""
    return [[(tick, score.end_ticks)] if tick < score.end_ticks else [] for _ in score.voices]


def with_note(score: Score, voice: int, note: Note) -> Score:
    """The score with a note put into a voice; what it overlaps there is cut or removed.

    A note that began earlier ends where it begins, and the score becomes no longer.

    Raises:
        RequestError: there is no such voice, or the note begins after the end of the score.

    >>> from seqmusic.score import melody
    >>> line = melody([Note(0, 48, 60), Note(48, 24, 62), Note(72, 24, 64)])
    >>> [(n.onset_ticks, n.duration_ticks, n.pitch) for n in
    ...  with_note(line, 0, Note(24, 36, 65)).voices[0].notes]
    [(0, 24, 60), (24, 36, 65), (72, 24, 64)]
    """
    if not 0 <= voice < len(score.voices):
        raise RequestError(f"there is no voice {voice + 1}; the score has {len(score.voices)}")
    if note.onset_ticks >= score.end_ticks:
        raise RequestError(f"there is nothing at tick {note.onset_ticks}; the music is over")
    note = replace(note, duration_ticks=min(note.end_ticks, score.end_ticks) - note.onset_ticks)
    line = score.voices[voice]
    before = [
        replace(one, duration_ticks=min(one.end_ticks, note.onset_ticks) - one.onset_ticks)
        for one in line.notes
        if one.onset_ticks < note.onset_ticks
    ]
    after = [one for one in line.notes if one.onset_ticks >= note.end_ticks]
    voices = list(score.voices)
    voices[voice] = Voice(line.name, (*before, note, *after))
    return replace(score, voices=tuple(voices))


def _merged(spans: Iterable[Hole]) -> list[Span]:
    """Spans in order, with those that touch or overlap joined."""
    joined: list[Span] = []
    for start, end in sorted((start, end) for start, end in spans if end is not None):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined
