"""How surprising each note of a score is to a model, and what it expected instead."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

import torch
from torch import Tensor

from seqmusic.generation.candidate_batch import too_long_error
from seqmusic.generation.prediction import sound_text
from seqmusic.generation.prompt_sequence import sequence_after_prompt
from seqmusic.generation.prompts import Prompt, fitting_shift
from seqmusic.generation.requested_voices import with_voices
from seqmusic.metrics.likelihood import masked_log_softmax
from seqmusic.model.transformer import Transformer
from seqmusic.report.explanation import Alternative, ExplainedEvent, Explanation
from seqmusic.runs.pretrained import make_grammar_masks
from seqmusic.score import Key, Score
from seqmusic.spelling import VoiceSpelling, spell_notes
from seqmusic.tokens.rules import ONLY_ZERO
from seqmusic.tokens.tokenizer import Event, trace
from seqmusic.tokens.vocabulary import (
    BODY,
    EOS,
    FERMATA,
    HOLD,
    KEY,
    PITCH,
    REST,
    TIMESIG,
    VOICE,
    id_to_timesig,
    is_note_event,
    is_pitch,
    is_voice,
)
from seqmusic.tonality import Spelling, infer_key
from seqmusic.training.batches import GrammarMasks, make_batch

N_ALTERNATIVES = 5
_N_FIRST_SOUNDS = 8  # examined first; more if the likeliest pairs may lie beyond
_SOUND_NAMES = {REST: "rest", HOLD: "tied on", EOS: "the end"}


class _Pair(NamedTuple):
    """A sound and its duration in ticks, with their joint probability."""

    sound: int
    duration: int
    probability: float


class _EventPrediction(NamedTuple):
    """One event of BODY, with what the model predicted."""

    event: Event
    voice: int | None  # index in the score; None for EOS and changes of meter
    onset_ticks: int
    sound_bits: float
    duration_bits: float
    likeliest: list[_Pair]


def explain(model: Transformer, score: Score, prompt: Prompt | None = None) -> Explanation:
    """The surprise of each note of a finished score at temperature 1, from a single pass.

    Probabilities are over all that the grammar allows. Composing excludes more (notes outside the
    compass of a voice, changes of meter, rests at the end, and what its constraints forbid) and
    distributes their probability over the rest. So the surprise here is that of a candidate's
    `log_probability`, or higher; the difference is mostly in the last bar, where a cadence is
    required.

    Args:
        model: a trained model.
        score: the piece, with given and composed notes.
        prompt: what it was composed from, which says what was given; None if nothing was.

    Raises:
        UnencodableError: the tokens cannot express the score.
        RequestError: the score is longer than the model can follow.
    """
    known = prompt.score if prompt else score
    names, semitones = [voice.name for voice in known.voices], fitting_shift(known)
    moved = with_voices(score, names, names).transposed(semitones)
    events = sequence_after_prompt(model.vocabulary, moved, prompt)
    if len(events) > model.settings.context_length + 1:  # the last one is only predicted
        raise too_long_error("score", len(events), model.settings.context_length)
    predictions = _event_predictions(model, events)
    key, spellings = score.key or infer_key(score), spell_notes(score)
    composed = _merge_tied(
        _explained_event(prediction, prediction.voice, semitones, key, spellings)
        for prediction in predictions
        if prediction.voice is not None
    )
    others = [prediction for prediction in predictions if prediction.voice is None]
    other_bits = sum(prediction.sound_bits + prediction.duration_bits for prediction in others)
    explained = composed + _given_events(score, composed)
    explained.sort(key=lambda event: (event.onset_ticks, event.voice))
    return Explanation(tuple(explained), other_bits)


@torch.inference_mode()
def _event_predictions(model: Transformer, events: list[Event]) -> list[_EventPrediction]:
    """The predictions of each event after BODY."""
    device = next(model.parameters()).device
    max_voices = model.vocabulary.max_voices
    steps, body = trace(events, max_voices), events.index((BODY, 0))
    masks = make_grammar_masks(device, max_voices)
    batch = make_batch([steps], device)
    hidden = model.eval()(batch.events[:, :-1], batch.context, batch.ticks)[0, body:]  # (N, D)
    context, rules = batch.context[0, body:], batch.rules[0, body:]
    sounds, durations = batch.events[0, body + 1 :].unbind(-1)
    sound_logits = model.heads.sound_logits(hidden, context)
    sound_log_p = masked_log_softmax(sound_logits, masks.sounds[rules[:, 0]])
    duration_logits = model.heads.duration_logits(hidden, context, sounds)
    duration_log_p = masked_log_softmax(duration_logits, masks.durations[rules[:, 1]])
    columns = zip(
        events[body + 1 :],
        _voice_indices(events, body, context[:, model.vocabulary.voice_column].tolist()),
        steps.ticks[body:-1].tolist(),
        _surprisal_bits(sound_log_p, sounds),
        _surprisal_bits(duration_log_p, durations),
        _likeliest_pairs(model, hidden, context, sound_log_p, rules[:, 1], masks),
        strict=True,
    )
    return [_EventPrediction(*row) for row in columns]


def _voice_indices(
    events: Sequence[Event], body: int, context_voices: Sequence[int]
) -> list[int | None]:
    """Index in the score of the voice of each note and rest after BODY, None for other events.

    Args:
        events: a sequence.
        body: position of BODY in it.
        context_voices: the voice column of the context, 1 + the number of the VOICE token; 0 for
            none.
    """
    numbers = [sound - VOICE for sound, _ in events if is_voice(sound)]
    return [
        numbers.index(voice - 1) if voice and is_note_event(sound) else None
        for (sound, _), voice in zip(events[body + 1 :], context_voices, strict=True)
    ]


def _likeliest_pairs(
    model: Transformer,
    hidden: Tensor,
    context: Tensor,
    sound_log_p: Tensor,
    duration_rules: Tensor,
    masks: GrammarMasks,
) -> list[list[_Pair]]:
    """The five likeliest pairs of sound and duration of each of N rows.

    `duration_rules` are (N,) rules of the durations of notes. Durations are computed for a few
    likely sounds, and for more until no sound that is left out could be in a better pair.
    """
    n_rows, n_sounds = sound_log_p.shape
    n = _N_FIRST_SOUNDS
    while True:
        log_p, sounds = sound_log_p.topk(min(n, n_sounds))  # (N, n)
        rows = torch.arange(n_rows, device=hidden.device).repeat_interleave(log_p.shape[1])
        has_duration = (sounds < KEY) & (sounds != EOS)
        sound_rules = torch.where(has_duration, duration_rules[:, None], ONLY_ZERO).flatten()
        logits = model.heads.duration_logits(hidden[rows], context[rows], sounds.flatten())
        duration_log_p = masked_log_softmax(logits, masks.durations[sound_rules])  # (N n, 97)
        pairs = (log_p.flatten()[:, None] + duration_log_p).view(n_rows, -1)
        best, positions = pairs.topk(N_ALTERNATIVES)  # (N, 5)
        if n >= n_sounds or bool((best[:, -1] >= log_p[:, -1]).all()):
            break
        n *= 2
    n_durations = duration_log_p.shape[1]
    best_sounds = torch.take_along_dim(sounds, positions // n_durations, dim=1)
    columns = (best_sounds.tolist(), (positions % n_durations).tolist(), best.exp().tolist())
    return [
        [pair for pair in map(_Pair, *row) if pair.probability > 0]
        for row in zip(*columns, strict=True)
    ]


def _explained_event(
    prediction: _EventPrediction,
    voice: int,
    semitones: int,
    key: Key,
    spellings: Sequence[VoiceSpelling],
) -> tuple[ExplainedEvent, bool]:
    """The event moved back by `semitones`, and whether it is tied to the one before it."""
    sound, duration = prediction.event
    written = spellings[voice].get(prediction.onset_ticks)
    alternatives = tuple(
        Alternative(
            _alternative_text(pair.sound, semitones, key, written),
            pair.duration,
            pair.probability,
            is_written=(pair.sound, pair.duration) == prediction.event,
        )
        for pair in prediction.likeliest
    )
    event = ExplainedEvent(
        voice=voice,
        onset_ticks=prediction.onset_ticks,
        duration_ticks=duration,
        pitch=sound - PITCH - semitones if is_pitch(sound) else None,
        sound_bits=prediction.sound_bits,
        duration_bits=prediction.duration_bits,
        alternatives=alternatives,
    )
    return event, sound == HOLD


def _merge_tied(events: Iterable[tuple[ExplainedEvent, bool]]) -> list[ExplainedEvent]:
    """The events, with the parts of notes and rests that are longer than one event joined again."""
    merged: list[ExplainedEvent] = []
    latest: dict[int, int] = {}  # voice -> position in `merged`
    for event, is_tied in events:
        before = merged[latest[event.voice]] if event.voice in latest else None
        if before is not None and _continues(before, event, is_tied):
            merged[latest[event.voice]] = replace(
                before,
                duration_ticks=before.duration_ticks + event.duration_ticks,
                sound_bits=before.sound_bits + event.sound_bits,
                duration_bits=before.duration_bits + event.duration_bits,
            )
        else:
            latest[event.voice] = len(merged)
            merged.append(event)
    return merged


def _continues(before: ExplainedEvent, event: ExplainedEvent, is_tied: bool) -> bool:
    """Whether an event prolongs the note or the rest before it in its voice."""
    is_next = before.onset_ticks + before.duration_ticks == event.onset_ticks
    are_rests = before.pitch is None and event.pitch is None
    return is_next and (is_tied or are_rests)


def _given_events(score: Score, composed: Iterable[ExplainedEvent]) -> list[ExplainedEvent]:
    """The notes of the score that are not among the composed ones."""
    onsets = {(event.voice, event.onset_ticks) for event in composed}
    return [
        ExplainedEvent(index, note.onset_ticks, note.duration_ticks, note.pitch, is_given=True)
        for index, voice in enumerate(score.voices)
        for note in voice.notes
        if (index, note.onset_ticks) not in onsets
    ]


def _alternative_text(sound: int, semitones: int, key: Key, written: Spelling | None) -> str:
    """A sound of the moved score as text; pitches are those of the score itself.

    A pitch is spelled in the key, the one that the score has there as it is written.
    """
    if sound == FERMATA:
        return "a fermata"
    if written is not None and sound - PITCH - semitones == written.pitch:
        return str(written)
    if sound >= TIMESIG:
        return f"change to {id_to_timesig(sound)}"
    return sound_text(sound, key, _SOUND_NAMES, semitones)


def _surprisal_bits(log_p: Tensor, ids: Tensor) -> list[float]:
    """Surprise of (N,) ids under (N, V) log-probabilities in nats, in bits."""
    nats = -torch.take_along_dim(log_p, ids[:, None], dim=1)[:, 0].double()
    return [float(value) / math.log(2) for value in nats]
