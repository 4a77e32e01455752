"""Scores to events and back; a prompt is a score with holes.

A sequence is ``BOS (VOICE)+ [STYLE] TIMESIG PICKUP KEY [GIVEN note*] BODY note* EOS``; an event is a (sound, duration) pair of ids.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from seqmusic.errors import UnencodableError
from seqmusic.score import SATB, Score, TimeSignature, Voice
from seqmusic.tokens.grammar import BODY_SECTION, HEADER_SECTION, GrammarState, clipped_contexts
from seqmusic.tokens.vocabulary import (
    BODY,
    BOS,
    EOS,
    GIVEN,
    HOLD,
    HOLE,
    KEY,
    MAX_DURATION,
    MAX_VOICES,
    N_STYLES,
    N_VOICE_NAMES,
    PICKUP,
    PITCH,
    REST,
    STYLE,
    TIMESIG,
    VOICE,
    key_to_id,
    sound_name,
    timesig_to_id,
    voice_name,
)
from seqmusic.tokens.voice_line import in_turn_order

Event = tuple[int, int]
Hole = tuple[int, int | None]  # start and end in ticks; end None: open, the line goes on from there
_VOICE_IDS = {voice_name(VOICE + index): VOICE + index for index in range(N_VOICE_NAMES)}
_SegmentRow = tuple[int, int, int, bool, int]  # onset, turn, end, is missing, pitch
_MeterChange = tuple[int, TimeSignature]
_MISSING = -2
_REST = -1


@dataclass(frozen=True, slots=True)
class Trace:
    """A sequence with everything a model needs; row t is about what follows event t.

    Attributes:
        events: (T, 2) sound and duration ids.
        context: (T, K) where we are, columns as in `context.context_columns`.
        rules: (T, 2) rule of the next sound, and of its duration given that sound.
        is_scored: (T,) whether the next event is music to be predicted: not BOS, voices, GIVEN and what it holds, BODY.
        ticks: (T,) onset of the next event.
    """

    events: NDArray[np.int16]
    context: NDArray[np.int16]
    rules: NDArray[np.int16]
    is_scored: NDArray[np.bool_]
    ticks: NDArray[np.int32]


def normalized(score: Score) -> Score:
    """The score as tokens can say it: no tempo, fermatas or title, voices named by place, no change of meter after the end."""
    names = [voice.name for voice in score.voices]
    keeps_names = all(name in SATB for name in names) and names == sorted(
        set(names), key=SATB.index
    )
    voices = tuple(
        Voice(
            voice.name if keeps_names else f"Voice {i}",
            tuple(replace(note, fermata=False) for note in voice.notes),
        )
        for i, voice in enumerate(score.voices, start=1)
    )
    end = score.end_ticks
    signatures = tuple(pair for pair in score.time_signatures if pair[0] == 0 or pair[0] < end)
    return Score(voices, signatures, score.pickup_ticks, score.key)


def encode(score: Score, holes: Sequence[Sequence[Hole]] | None = None) -> list[Event]:
    """The whole sequence of a score; with `holes` (one list a voice), what lies outside them stands in GIVEN.

    Raises:
        UnencodableError: the tokens cannot say it.
    """
    score = normalized(score)
    events = header_events(score)
    if not score.end_ticks:
        raise UnencodableError(
            "a sequence has at least one note, got a score without notes; ask for music with encode_prompt"
        )
    holes = None if holes is None else _drop_final_holes(holes, score.end_ticks)
    segments = [
        _segments(voice, turn, score.end_ticks, line)
        for voice, turn, line in zip(
            score.voices, _turns(score), holes or [[] for _ in score.voices], strict=True
        )
    ]
    body = [t for line, own in enumerate(segments) for t in own if holes is None or t[3]]
    changes = list(score.time_signatures[1:])
    if holes is not None:
        events += [(GIVEN, 0), *_given_events(score, segments, holes, changes)]
    body.sort()
    return [
        *events,
        (BODY, 0),
        *_section_events(((t[0], t[1], t[2], t[4]) for t in body), changes),
        *_final_meter_changes(changes, score.end_ticks),
        (EOS, 0),
    ]


def encode_prompt(
    score: Score, holes: Sequence[Sequence[Hole]] | None = None, style: int | None = None
) -> list[Event]:
    """The sequence up to and with BODY: what is asked for, and what is known of it.

    Args:
        score: the known music; its voices are those wanted, empty ones too.
        holes: per voice, the spans to be composed; None when nothing is given.
        style: the number of a style that is asked for; None for none.

    Raises:
        UnencodableError: the tokens cannot say it.
    """
    changes = list(
        score.time_signatures[1:]
    )  # those after the last known note too: holes may reach beyond it
    score = normalized(score)
    events = header_events(score, style)
    if holes is None:
        return [*events, (BODY, 0)]
    end_ticks = max(
        [score.end_ticks, *(start if end is None else end for line in holes for start, end in line)]
    )
    if not end_ticks and not all(holes):
        raise UnencodableError(
            "a voice without a hole says how long the music lasts, but none is given; open a hole in every voice"
        )
    holes = _drop_final_holes(holes, end_ticks)
    segments = [
        _segments(voice, turn, _line_end(line, end_ticks), line)
        for voice, turn, line in zip(score.voices, _turns(score), holes, strict=True)
    ]
    return [*events, (GIVEN, 0), *_given_events(score, segments, holes, changes), (BODY, 0)]


def decode(events: Iterable[Event], max_voices: int = MAX_VOICES) -> Score:
    """The score of a sequence, finished or not.

    Raises:
        ValueError: the grammar does not allow the sequence.
    """
    state, rest = GrammarState(max_voices), iter(events)
    first, _ = next(rest, (BOS, 0))
    if first != BOS:
        raise ValueError(f"a sequence starts with BOS, got {sound_name(first)}")
    for sound, duration in rest:
        state.push(sound, duration)
    return state.score()


def trace(events: Sequence[Event], max_voices: int = 4) -> Trace:
    """A sequence step by step through the grammar: the oracle of every faster encoder.

    Raises:
        ValueError: the grammar does not allow the sequence.
    """
    state, context, rules, scored, ticks = GrammarState(max_voices), [], [], [], []
    for index, (sound, duration) in enumerate(events):
        if index:
            state.push(sound, duration)
        following = events[index + 1] if index + 1 < len(events) else (0, 0)
        context.append(state.context_row())
        rules.append((state.sound_rule, state.duration_rule(following[0])))
        scored.append(index + 1 < len(events) and is_scored_event(state, following[0]))
        ticks.append(state.tick)
    return Trace(
        np.array(events, dtype=np.int16),
        clipped_contexts(context, max_voices).astype(np.int16),
        np.array(rules, dtype=np.int16),
        np.array(scored),
        np.array(ticks, dtype=np.int32),
    )


def is_scored_event(state: GrammarState, sound: int) -> bool:
    """Whether the next event is music to be predicted rather than what was asked for."""
    if state.section == HEADER_SECTION:
        return sound >= TIMESIG or sound == PICKUP or KEY <= sound < VOICE
    return state.section == BODY_SECTION


def tokens_text(events: Sequence[Event]) -> Iterator[str]:
    """One line an event, readable: where, which voice, what, how long."""
    state = GrammarState(MAX_VOICES)
    for index, (sound, duration) in enumerate(events):
        is_note = sound in (REST, HOLD, HOLE) or PITCH <= sound < KEY
        voice = voice_name(state.voice) if is_note and state.voice is not None else ""
        place = f"{state.tick:>6}" if is_note else " " * 6
        yield f"{index:>5} {place} {voice:<9} {sound_name(sound):<18} {duration or ''}".rstrip()
        if index:
            state.push(sound, duration)


def _drop_final_holes(holes: Sequence[Sequence[Hole]], end_ticks: int) -> list[list[Hole]]:
    """The holes without those that open where the music ends: a closed line says where that is, and nothing is missing there."""
    has_end = any(all(end is not None for _, end in line) for line in holes)
    return [
        [
            (start, end)
            for start, end in line
            if not (has_end and end is None and start >= end_ticks)
        ]
        for line in holes
    ]


def _line_end(line: Sequence[Hole], end_ticks: int) -> int:
    return next((start for start, end in line if end is None), end_ticks)


def header_events(score: Score, style: int | None = None) -> list[Event]:
    """The events from BOS to KEY of a normalized score, with the number of its style where it has one.

    Raises:
        UnencodableError: too many voices, a pickup that is too long, or a time signature without a token.
    """
    if not 1 <= len(score.voices) <= MAX_VOICES:
        raise UnencodableError(f"a sequence has 1..{MAX_VOICES} voices, got {len(score.voices)}")
    if score.pickup_ticks > MAX_DURATION:
        raise UnencodableError(
            f"a pickup has at most {MAX_DURATION} ticks, got {score.pickup_ticks}"
        )
    signature = score.time_signatures[0][1] if score.time_signatures else None
    voices = [(_VOICE_IDS[voice.name], 0) for voice in score.voices]
    if style is not None and not 0 <= style < N_STYLES:
        raise ValueError(f"a style is a number in 0..{N_STYLES - 1}, got {style}")
    styles = [(STYLE + style, 0)] if style is not None else []
    return [
        (BOS, 0),
        *voices,
        *styles,
        (timesig_to_id(signature), 0),
        (PICKUP, score.pickup_ticks),
        (key_to_id(score.key), 0),
    ]


def _turns(score: Score) -> list[int]:
    """For each voice, its turn among those that speak at one tick."""
    order = in_turn_order(range(len(score.voices)))
    return [order.index(voice) for voice in range(len(score.voices))]


def _segments(
    voice: Voice, turn: int, end_ticks: int, holes: Sequence[Hole]
) -> list[_SegmentRow]:
    """The line as (onset, turn, end, is missing, pitch or rest); rests are cut where a hole begins or ends."""
    cuts = sorted(
        {tick for start, end in holes for tick in (start, end_ticks if end is None else end)}
    )
    line: list[tuple[int, int, int]] = []
    at = 0
    for note in voice.notes:
        line += _split_rests(at, note.onset_ticks, cuts)
        line.append((note.onset_ticks, note.end_ticks, note.pitch))
        at = note.end_ticks
    line += _split_rests(at, end_ticks, cuts)
    return [(onset, turn, end, _is_inside(onset, holes), pitch) for onset, end, pitch in line]


def _split_rests(start: int, end: int, cuts: Sequence[int]) -> list[tuple[int, int, int]]:
    places = [start, *(cut for cut in cuts if start < cut < end), end]
    return [(a, b, _REST) for a, b in itertools.pairwise(places) if a < b]


def _is_inside(tick: int, holes: Sequence[Hole]) -> bool:
    return any(start <= tick and (end is None or tick < end) for start, end in holes)


def _given_events(
    score: Score,
    segments: Sequence[list[_SegmentRow]],
    holes: Sequence[Sequence[Hole]],
    changes: list[_MeterChange],
) -> Iterator[Event]:
    rows = []
    for turn, own, line in zip(_turns(score), segments, holes, strict=True):
        rows += [(onset, turn, end, pitch) for onset, _, end, missing, pitch in own if not missing]
        rows += [(start, turn, start if end is None else end, _MISSING) for start, end in line]
    rows.sort()
    yield from _section_events(iter(rows), changes)


def _section_events(
    rows: Iterator[tuple[int, int, int, int]], changes: list[_MeterChange]
) -> Iterator[Event]:
    """Events of rows (onset, turn, end, pitch) that come in grammar order once long ones are cut."""
    pieces = [
        (
            onset + shift,
            turn,
            min(MAX_DURATION, end - onset - shift),
            (HOLD if shift and pitch >= 0 else _sound_id(pitch)),
        )
        for onset, turn, end, pitch in rows
        for shift in (range(0, end - onset, MAX_DURATION) if end > onset else (0,))
    ]
    for onset, _, duration, sound in sorted(pieces):
        while changes and changes[0][0] <= onset:
            tick, signature = changes.pop(0)
            yield timesig_to_id(signature), onset - tick
        yield sound, duration


def _final_meter_changes(changes: list[_MeterChange], end_ticks: int) -> Iterator[Event]:
    yield from ((timesig_to_id(signature), end_ticks - tick) for tick, signature in changes)


def _sound_id(pitch: int) -> int:
    return HOLE if pitch == _MISSING else REST if pitch == _REST else PITCH + pitch
