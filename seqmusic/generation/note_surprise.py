"""How surprising each note of a score is to a model, and what it expected instead."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from typing import NamedTuple

import torch
from torch import Tensor

from seqmusic.errors import RequestError
from seqmusic.generation.prompts import Prompt, fitting_shift, with_voices
from seqmusic.model.transformer import Transformer
from seqmusic.report.explanation import Alternative, ExplainedEvent, Explanation
from seqmusic.runs.pretrained import make_grammar_masks
from seqmusic.score import Key, Score
from seqmusic.tokens.rules import ONLY_ZERO
from seqmusic.tokens.tokenizer import Event, encode, trace
from seqmusic.tokens.vocabulary import (
    BODY,
    EOS,
    HOLD,
    KEY,
    PITCH,
    REST,
    VOICE,
    id_to_timesig,
    is_note_event,
    is_pitch,
    is_voice,
)
from seqmusic.tonality import infer_key, spell
from seqmusic.training.batches import GrammarMasks, make_batch

N_ALTERNATIVES = 5
_N_FIRST_SOUNDS = 8  # looked into at once; more where the likeliest pairs may lie beyond


class _EventPrediction(NamedTuple):
    """One event of BODY, with what the model gave it."""

    event: Event
    voice: int | None  # place in the score
    onset_ticks: int
    sound_bits: float
    duration_bits: float
    likeliest: list[tuple[int, int, float]]  # sound, duration in ticks, probability


def explain(model: Transformer, score: Score, prompt: Prompt | None = None) -> Explanation:
    """What the model makes of each note of a finished score, at temperature 1, all in one pass.

    Probabilities are over all that the grammar allows. Composing forbids more (notes outside the compass of a voice, changes of
    meter, rests at the end, and what its constraints ask for) and shares that out among what is left: so the surprise here is that
    of a candidate's `log_probability`, or more; mostly in the last bar, where a cadence is asked for.

    Args:
        model: a trained model.
        score: the piece, what was given and what was composed.
        prompt: what it was composed from, which says what was given; None when nothing was.

    Raises:
        UnencodableError: the tokens cannot say the score.
        RequestError: the score is longer than the model can follow.
    """
    asked = (prompt.score if prompt else score).voices
    own = with_voices(score, [voice.name for voice in asked], [voice.name for voice in asked])
    semitones = fitting_shift(prompt.score if prompt else score)
    events = encode(own.transposed(semitones), prompt.holes if prompt else None)
    if len(events) > model.settings.context_length + 1:
        raise RequestError(
            f"the score has {len(events)} events; this model follows {model.settings.context_length}"
        )
    said = _event_predictions(model, events)
    key = score.key or infer_key(score)
    composed = _merge_tied(
        _explained_event(one, one.voice, semitones, key) for one in said if one.voice is not None
    )
    other_bits = sum(one.sound_bits + one.duration_bits for one in said if one.voice is None)
    found = composed + _given_events(score, composed)
    return Explanation(
        tuple(sorted(found, key=lambda event: (event.onset_ticks, event.voice))), other_bits
    )


@torch.inference_mode()
def _event_predictions(model: Transformer, events: list[Event]) -> list[_EventPrediction]:
    """Each event after BODY."""
    device = next(model.parameters()).device
    max_voices = model.vocabulary.max_voices
    steps, body, masks = (
        trace(events, max_voices),
        events.index((BODY, 0)),
        make_grammar_masks(device, max_voices),
    )
    batch = make_batch([steps], device)
    hidden = model.eval()(batch.events[:, :-1], batch.context, batch.ticks)[0, body:]  # (N, D)
    context, rules = batch.context[0, body:], batch.rules[0, body:]
    sounds, durations = batch.events[0, body + 1 :].unbind(-1)
    sound_log_p = _log_softmax(model.heads.sound_logits(hidden, context), masks.sounds[rules[:, 0]])
    duration_log_p = _log_softmax(
        model.heads.duration_logits(hidden, context, sounds), masks.durations[rules[:, 1]]
    )
    columns = (_surprisal_bits(sound_log_p, sounds), _surprisal_bits(duration_log_p, durations))
    likeliest = _likeliest_pairs(model, hidden, context, sound_log_p, rules[:, 1], masks)
    names = [sound - VOICE for sound, _ in events if is_voice(sound)]
    lines = [
        names.index(name - 1) if name else None
        for name in context[:, model.vocabulary.voice_column].tolist()
    ]
    voices = [
        line if is_note_event(sound) else None
        for line, (sound, _) in zip(lines, events[body + 1 :], strict=True)
    ]
    return [
        _EventPrediction(*row)
        for row in zip(
            events[body + 1 :],
            voices,
            steps.ticks[body:-1].tolist(),
            *columns,
            likeliest,
            strict=True,
        )
    ]


def _likeliest_pairs(
    model: Transformer,
    hidden: Tensor,
    context: Tensor,
    sound_log_p: Tensor,
    duration_rules: Tensor,
    masks: GrammarMasks,
) -> list[list[tuple[int, int, float]]]:
    """Of each of N rows the five likeliest pairs of sound and duration; `duration_rules` are the rules of the notes' durations.

    The durations of a few likely sounds are looked into, and of more until no sound that is left out could be in a better pair.
    """
    n_rows, n_sounds = sound_log_p.shape
    n = _N_FIRST_SOUNDS
    while True:
        log_p, sounds = sound_log_p.topk(min(n, n_sounds))  # (N, n)
        every = torch.arange(n_rows, device=hidden.device).repeat_interleave(log_p.shape[1])
        is_note = (sounds < KEY) & (sounds != EOS)
        allowed = masks.durations[
            torch.where(is_note, duration_rules[:, None], ONLY_ZERO).flatten()
        ]
        lasting = _log_softmax(
            model.heads.duration_logits(hidden[every], context[every], sounds.flatten()), allowed
        )
        pairs = (log_p.flatten()[:, None] + lasting).view(n_rows, -1)
        best, places = pairs.topk(N_ALTERNATIVES)  # (N, 5)
        if n >= n_sounds or bool((best[:, -1] >= log_p[:, -1]).all()):
            break
        n *= 2
    which = sounds.gather(1, places // lasting.shape[1])
    columns = (which.tolist(), (places % lasting.shape[1]).tolist(), best.exp().tolist())
    return [
        [pair for pair in zip(*row, strict=True) if pair[2] > 0]
        for row in zip(*columns, strict=True)
    ]


def _explained_event(
    one: _EventPrediction, voice: int, semitones: int, key: Key
) -> tuple[ExplainedEvent, bool]:
    """The event in words, and whether it holds on the one before it in its voice."""
    sound, duration = one.event
    pitch = sound - PITCH - semitones if sound >= PITCH else None
    alternatives = tuple(
        Alternative(_sound_description(what, semitones, key), ticks, p, (what, ticks) == one.event)
        for what, ticks, p in one.likeliest
    )
    event = ExplainedEvent(
        voice,
        one.onset_ticks,
        duration,
        pitch,
        False,
        one.sound_bits,
        one.duration_bits,
        alternatives,
    )
    return event, sound == HOLD


def _merge_tied(events: Iterable[tuple[ExplainedEvent, bool]]) -> list[ExplainedEvent]:
    """The events with those that were cut because they are long in one again."""
    found: list[ExplainedEvent] = []
    latest: dict[int, int] = {}  # voice -> place in found
    for event, is_held in events:
        before = found[latest[event.voice]] if event.voice in latest else None
        goes_on = (
            before is not None and before.onset_ticks + before.duration_ticks == event.onset_ticks
        )
        if (
            before is not None
            and goes_on
            and (is_held or (before.pitch is None and event.pitch is None))
        ):
            found[latest[event.voice]] = replace(
                before,
                duration_ticks=before.duration_ticks + event.duration_ticks,
                sound_bits=before.sound_bits + event.sound_bits,
                duration_bits=before.duration_bits + event.duration_bits,
            )
        else:
            latest[event.voice] = len(found)
            found.append(event)
    return found


def _given_events(score: Score, composed: Iterable[ExplainedEvent]) -> list[ExplainedEvent]:
    """The notes of the score that are not among those composed."""
    own = {(event.voice, event.onset_ticks) for event in composed}
    return [
        ExplainedEvent(line, note.onset_ticks, note.duration_ticks, note.pitch, is_given=True)
        for line, voice in enumerate(score.voices)
        for note in voice.notes
        if (line, note.onset_ticks) not in own
    ]


def _sound_description(sound: int, semitones: int, key: Key) -> str:
    if is_pitch(sound):
        return str(spell(sound - PITCH - semitones, key))
    return {REST: "rest", HOLD: "tied on", EOS: "the end"}.get(
        sound
    ) or f"change to {id_to_timesig(sound)}"


def _log_softmax(logits: Tensor, allowed: Tensor) -> Tensor:
    return logits.float().masked_fill(~allowed, -torch.inf).log_softmax(-1)


def _surprisal_bits(log_p: Tensor, said: Tensor) -> list[float]:
    """Surprise of what was said, one number a row."""
    nats = -log_p.gather(-1, said[:, None])[:, 0].double()
    return [float(own) / math.log(2) for own in nats]
