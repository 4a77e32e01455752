"""Scores to events and back; a prompt is a score with holes.

An event is a (sound, duration) pair of ids, and a sequence is
``BOS (VOICE)+ [STYLE] [PHRASES] TIMESIG PICKUP KEY [GIVEN note*] BODY note* EOS``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seqmusic.errors import UnencodableError
from seqmusic.score import SATB, Score, Voice
from seqmusic.tokens.context_rows import clipped_contexts
from seqmusic.tokens.fermatas import fermata_ticks, with_fermatas
from seqmusic.tokens.grammar import BODY_SECTION, HEADER_SECTION, GrammarState
from seqmusic.tokens.section_events import (
    Event,
    Hole,
    drop_final_holes,
    note_onsets,
    section_events,
    segment_rows,
)
from seqmusic.tokens.vocabulary import (
    BODY,
    BOS,
    EOS,
    FERMATA,
    GIVEN,
    HOLE,
    MAX_DURATION,
    MAX_VOICES,
    N_STYLES,
    PHRASES,
    PICKUP,
    STYLE,
    TIMESIG,
    VOICE_IDS,
    is_key,
    is_note_event,
    key_to_id,
    sound_name,
    timesig_to_id,
    voice_name,
)

__all__ = [
    "Event",
    "Hole",
    "Trace",
    "decode",
    "encode",
    "encode_prompt",
    "header_events",
    "is_scored_event",
    "normalized",
    "tokens_text",
    "trace",
]


@dataclass(frozen=True, slots=True)
class Trace:
    """A sequence with everything that a model needs; row t describes what follows event t.

    Attributes:
        events: (T, 2) sound and duration ids.
        context: (T, K) the state of the music, in the columns of `context.context_columns`.
        rules: (T, 2) rule of the next sound, and of its duration given that sound.
        is_scored: (T,) whether the next event is to be predicted: it is part of the music, and not
            BOS, a voice, a style, GIVEN or what that holds, or BODY.
        ticks: (T,) onset of the next event.
    """

    events: NDArray[np.int16]
    context: NDArray[np.int16]
    rules: NDArray[np.int16]
    is_scored: NDArray[np.bool_]
    ticks: NDArray[np.int32]


def normalized(score: Score) -> Score:
    """The score as tokens can express it.

    It has no tempo or title, no change of meter after its end, at most one fermata for each chord,
    over all notes that start there, and names its voices soprano, alto, tenor and bass in this
    order, or else by number.
    """
    names = [voice.name for voice in score.voices]
    has_satb_names = all(name in SATB for name in names)
    keeps_names = has_satb_names and names == sorted(set(names), key=SATB.index)
    fermatas, voices = frozenset(fermata_ticks(score)), []
    for number, voice in enumerate(score.voices, start=1):
        name = voice.name if keeps_names else f"Voice {number}"
        voices.append(Voice(name, with_fermatas(voice, fermatas).notes))
    end = score.end_ticks
    signatures = tuple(pair for pair in score.time_signatures if pair[0] == 0 or pair[0] < end)
    return Score(tuple(voices), signatures, score.pickup_ticks, score.key)


def encode(
    score: Score,
    holes: Sequence[Sequence[Hole]] | None = None,
    *,
    given_fermatas: Collection[int] | None = None,
    marks_phrases: bool | None = None,
) -> list[Event]:
    """The whole sequence of a score.

    Args:
        score: the music.
        holes: for each voice, the spans that BODY holds, while GIVEN holds the rest; None: BODY
            holds everything.
        given_fermatas: ticks of the fermatas that GIVEN holds, besides those under which BODY has
            no note; None: all under which GIVEN has one.
        marks_phrases: whether fermatas are marked; None: if the score has any.

    Raises:
        UnencodableError: tokens cannot express the score.
    """
    score = normalized(score)
    events, end_ticks = header_events(score, marks_phrases=marks_phrases), score.end_ticks
    if not end_ticks:
        problem = "a sequence has at least one note, got a score without notes"
        raise UnencodableError(f"{problem}; ask for music with encode_prompt")
    changes, line_ends = list(score.time_signatures[1:]), [end_ticks] * len(score.voices)
    fermatas = frozenset(fermata_ticks(score) if (PHRASES, 0) in events else ())
    if holes is None:
        body, _ = segment_rows(score, [()] * len(score.voices), line_ends)
    else:
        known, body = segment_rows(score, drop_final_holes(holes, end_ticks), line_ends)
        if given_fermatas is None:
            given_fermatas = fermatas
        in_given = fermatas & note_onsets(known) - (note_onsets(body) - {*given_fermatas})
        events += [(GIVEN, 0), *section_events(known, changes, in_given)]
        fermatas -= in_given
    events += [(BODY, 0), *section_events(body, changes, fermatas)]
    # The changes that are left come after the last onset.
    events += [(timesig_to_id(signature), end_ticks - tick) for tick, signature in changes]
    return [*events, (EOS, 0)]


def encode_prompt(
    score: Score,
    holes: Sequence[Sequence[Hole]] | None = None,
    style: int | None = None,
    *,
    marks_phrases: bool | None = None,
) -> list[Event]:
    """The sequence up to and with BODY: the request for music, and what is known of it.

    Args:
        score: the known music, with all voices that are wanted, empty ones too.
        holes: for each voice, the spans to be composed; None when nothing is given.
        style: number of the style that is wanted; None for any.
        marks_phrases: whether phrases are to end with fermatas; None: if the known music has any.

    Raises:
        UnencodableError: tokens cannot express the score.
    """
    # Changes after the last known note count too: holes may reach beyond it.
    changes = list(score.time_signatures[1:])
    score = normalized(score)
    events = header_events(score, style, marks_phrases=marks_phrases)
    if holes is None:
        return [*events, (BODY, 0)]
    end_ticks = max(
        [score.end_ticks, *(start if end is None else end for line in holes for start, end in line)]
    )
    if not end_ticks and not all(holes):
        raise UnencodableError(
            "a voice without a hole says how long the music lasts, but none is given; "
            "open a hole in every voice"
        )
    holes = drop_final_holes(holes, end_ticks)
    line_ends = [next((start for start, end in line if end is None), end_ticks) for line in holes]
    known, _ = segment_rows(score, holes, line_ends)
    fermatas = fermata_ticks(score) if (PHRASES, 0) in events else []
    return [*events, (GIVEN, 0), *section_events(known, changes, fermatas), (BODY, 0)]


def decode(events: Iterable[Event], max_voices: int = MAX_VOICES) -> Score:
    """The score of a sequence, finished or not.

    Raises:
        ValueError: the grammar does not allow the sequence.
    """
    state, others = GrammarState(max_voices), iter(events)
    first, _ = next(others, (BOS, 0))
    if first != BOS:
        raise ValueError(f"a sequence starts with BOS, got {sound_name(first)}")
    for sound, duration in others:
        state.push(sound, duration)
    return state.score()


def trace(events: Sequence[Event], max_voices: int = 4) -> Trace:
    """The trace of a sequence, computed event by event: the oracle of every faster encoder.

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
    """Whether the next event is music to be predicted, rather than part of the request."""
    if state.section == HEADER_SECTION:
        return sound >= TIMESIG or sound == PICKUP or is_key(sound)
    return state.section == BODY_SECTION


def tokens_text(events: Sequence[Event]) -> Iterator[str]:
    """One readable line for each event: its index, onset, voice, sound and duration."""
    state = GrammarState(MAX_VOICES)
    for index, (sound, duration) in enumerate(events):
        is_note = sound in (HOLE, FERMATA) or is_note_event(sound)
        number = None if sound == FERMATA or not is_note else state.voice
        voice = "" if number is None else voice_name(number)
        onset = f"{state.tick:>6}" if is_note else " " * 6
        yield f"{index:>5} {onset} {voice:<9} {sound_name(sound):<18} {duration or ''}".rstrip()
        if index:
            state.push(sound, duration)


def header_events(
    score: Score, style: int | None = None, *, marks_phrases: bool | None = None
) -> list[Event]:
    """The events from BOS to KEY of a normalized score.

    Args:
        score: the music.
        style: number of its style; None for none.
        marks_phrases: whether fermatas are marked; None: if the score has any.

    Raises:
        UnencodableError: there are too many voices, the pickup is too long, or the time signature
            has no token.
        ValueError: no style has this number.
    """
    if not 1 <= len(score.voices) <= MAX_VOICES:
        raise UnencodableError(f"a sequence has 1..{MAX_VOICES} voices, got {len(score.voices)}")
    if score.pickup_ticks > MAX_DURATION:
        raise UnencodableError(
            f"a pickup has at most {MAX_DURATION} ticks, got {score.pickup_ticks}"
        )
    if marks_phrases is None:
        marks_phrases = any(note.fermata for voice in score.voices for note in voice.notes)
    signature = score.time_signatures[0][1] if score.time_signatures else None
    voices = [(VOICE_IDS[voice.name], 0) for voice in score.voices]
    if style is not None and not 0 <= style < N_STYLES:
        raise ValueError(f"a style is a number in 0..{N_STYLES - 1}, got {style}")
    return [
        (BOS, 0),
        *voices,
        *([] if style is None else [(STYLE + style, 0)]),
        *([(PHRASES, 0)] if marks_phrases else []),
        (timesig_to_id(signature), 0),
        (PICKUP, score.pickup_ticks),
        (key_to_id(score.key), 0),
    ]
