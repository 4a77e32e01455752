"""Many pieces traced at once, in array operations; `tokenizer.trace` is the oracle.

The columns of row r describe the state before event r: where the event goes, and what else might
follow. A trace has these on the row of the event before, r - 1.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqmusic.array_types import Ints, Mask
from seqmusic.tokens import rules
from seqmusic.tokens.batched.columns import NoteColumns
from seqmusic.tokens.batched.contexts import batch_contexts
from seqmusic.tokens.batched.events import BODY_NOTE, HEADER_ROW, EventColumns, event_columns
from seqmusic.tokens.batched.infilling import InfillingBatch, InfillingMask, infilling_batch
from seqmusic.tokens.batched.states import (
    GrammarStates,
    fermata_mask,
    follows_fermata,
    grammar_states,
    section_end_masks,
)
from seqmusic.tokens.grammar import BODY_SECTION, GIVEN_SECTION
from seqmusic.tokens.meters import BAR_TICKS_ARRAY
from seqmusic.tokens.tokenizer import Trace
from seqmusic.tokens.vocabulary import (
    HOLE,
    KEY,
    MAX_DURATION,
    N_SOUNDS,
    N_VOICE_NAMES,
    PHRASES,
    PICKUP,
    REST,
    STYLE,
    TIMESIG,
    VOICE,
    is_key,
)

__all__ = ["InfillingMask", "trace_batch"]

_HEADER_RULES = np.zeros(N_SOUNDS, np.int64)
"""The rule of what follows each sound in a header."""
_HEADER_RULES[VOICE:STYLE] = rules.AFTER_VOICE + np.arange(N_VOICE_NAMES)
_HEADER_RULES[STYLE:TIMESIG] = rules.AFTER_STYLE
_HEADER_RULES[TIMESIG:] = rules.AFTER_METER
_HEADER_RULES[PHRASES] = rules.AFTER_PHRASES
_HEADER_RULES[PICKUP] = rules.AFTER_PICKUP
_HEADER_RULES[KEY:VOICE] = rules.AFTER_KEY


def trace_batch(
    notes: NoteColumns, mask: InfillingMask | None = None, max_voices: int = 4
) -> list[Trace]:
    """The trace of each piece, equal to what the step-by-step grammar gives.

    Args:
        notes: the pieces.
        mask: what is given of them; None composes them as a whole.
        max_voices: number of voices in the context.

    Raises:
        ValueError: a voice has no column among `max_voices`.
    """
    batch = infilling_batch(notes, mask, max_voices)
    events = event_columns(batch)
    states = grammar_states(batch, events)
    bounds = np.searchsorted(events.piece, np.arange(len(notes.headers) + 1))
    last = bounds[1:] - 1
    ids = np.stack([events.sound, events.duration], axis=1).astype(np.int16)
    rule_columns = [_sound_rules(batch, events, states), _duration_rules(batch, events, states)]
    rule_pairs = np.stack(rule_columns, axis=1).astype(np.int16)
    context = _shifted_back(batch_contexts(batch, events, states).T, last, 0)
    rule = _shifted_back(rule_pairs, last, (rules.NOTHING, rules.ONLY_ZERO))
    is_scored = _shifted_back(_scored_mask(events), last, False)
    ticks = _shifted_back(states.tick, last, notes.end_ticks).astype(np.int32)
    spans = [slice(start, end) for start, end in pairwise(bounds.tolist())]
    return [
        Trace(ids[span], context[span], rule[span], is_scored[span], ticks[span]) for span in spans
    ]


def _shifted_back(column: NDArray[Any], last: Ints, final: object) -> NDArray[Any]:
    """The column moved one event back; after the last event of a piece comes `final`."""
    moved = np.empty(column.shape, column.dtype)
    moved[:-1] = column[1:]
    moved[last] = final
    return moved


def _scored_mask(events: EventColumns) -> Mask:
    """(R,) the events that `is_scored_event` names."""
    sound = events.sound
    in_header = (sound >= TIMESIG) | (sound == PICKUP) | is_key(sound)
    scored: Mask = (events.kind >= BODY_NOTE) | ((events.kind == HEADER_ROW) & in_header)
    return scored


def _sound_rules(batch: InfillingBatch, events: EventColumns, states: GrammarStates) -> Ints:
    """(R,) the rule of the sounds that might stand in each row."""
    in_header = np.zeros(len(events), np.int64)
    in_header[1:] = _HEADER_RULES[events.sound[:-1]]
    bits = _note_bits(states) | _control_bits(batch, events, states)
    return np.where(states.section > 0, rules.IN_SECTION + bits, in_header)


def _note_bits(states: GrammarStates) -> Ints:
    """(R,) the notes, rests and holes that the line may go on with, as bits of a rule."""
    last, was_cut = states.last_sound, states.last_duration == MAX_DURATION
    bits = np.full(len(last), rules.NOTE_BIT)
    bits += rules.REST_BIT * ((last != REST) | was_cut)
    bits += rules.HOLD_BIT * (was_cut & (last != REST) & (last != HOLE))
    bits += rules.HOLE_BIT * ((states.section == GIVEN_SECTION) & ((last != HOLE) | was_cut))
    return np.where(states.voice > 0, bits, 0)


def _control_bits(batch: InfillingBatch, events: EventColumns, states: GrammarStates) -> Ints:
    """(R,) a change of meter, a fermata, BODY and EOS, as bits of a rule."""
    is_given, is_body = states.section == GIVEN_SECTION, states.section == BODY_SECTION
    no_voice = states.voice == 0
    given_may_end, music_may_end = section_end_masks(batch, events, states)
    has_end = batch.has_end[events.piece]
    bits: Ints = rules.TIMESIG_BIT * ((states.max_meter_delay >= 0) & (is_body | ~no_voice))
    may_leave = ~follows_fermata(events)
    bits += rules.BODY_BIT * (is_given & (given_may_end | no_voice) & may_leave)
    bits += rules.EOS_BIT * (is_body & (no_voice | (music_may_end & ~has_end)) & may_leave)
    bits += rules.FERMATA_BIT * fermata_mask(batch, events, states)
    return bits


def _duration_rules(batch: InfillingBatch, events: EventColumns, states: GrammarStates) -> Ints:
    """(R,) the rule of the durations that the sound in each row might have."""
    rule = np.where(events.is_note, events.max_duration, rules.ONLY_ZERO)
    rule[(events.sound == HOLE) & (states.last_sound != HOLE)] = rules.ZERO_TO + MAX_DURATION
    change = np.flatnonzero(events.is_change)
    rule[change] = rules.ZERO_TO + np.minimum(states.max_meter_delay[change], MAX_DURATION)
    pickup = np.flatnonzero(events.sound == PICKUP)
    meter = batch.headers.meter[events.piece[pickup]] - TIMESIG
    longest_pickup = np.minimum(BAR_TICKS_ARRAY[meter] - 1, MAX_DURATION)
    rule[pickup] = rules.ZERO_TO + np.where(meter > 0, longest_pickup, 0)
    return rule
