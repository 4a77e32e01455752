"""What a model expects next, in words, and how likely it holds whole pieces to be."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from seqmusic.errors import RequestError
from seqmusic.generation.completion import prefill_prompt
from seqmusic.generation.sampling import log_softmax
from seqmusic.model.decoding.array_decoder import forward
from seqmusic.model.decoding.array_model import ArrayModel
from seqmusic.model.decoding.array_output import ArrayOutputLayer
from seqmusic.model.decoding.decoder import DecodableModel, to_array_model
from seqmusic.score import Key, Score
from seqmusic.tokens import rules
from seqmusic.tokens.tokenizer import Event, encode, encode_prompt, normalized, trace
from seqmusic.tokens.vocabulary import PICKUP, PITCH, REST, is_pitch, sound_name
from seqmusic.tonality import spell


def next_sounds(model: DecodableModel, theme: Score) -> dict[str, float]:
    """Probabilities of what comes after the head, likeliest first: pitches such as "C4", "R" for a rest, "EOS" for the end.

    Of several voices it is about the one whose line ends earliest, and of those that end together the first in the order soprano, bass, alto, tenor.

    Raises:
        RequestError: the head has no notes, or is longer than the model can follow.
        UnencodableError: the tokens cannot say it.
    """
    if not theme.n_notes:
        raise RequestError("the head has no notes; give at least one, for instance C4")
    plain = normalized(theme)
    events = encode_prompt(plain, [[(voice.end_ticks, None)] for voice in plain.voices])
    state, decoder, context = prefill_prompt(model, events)
    logits = decoder.sound_logits(context)[0]
    probabilities = np.exp(
        log_softmax(logits, rules.sound_masks(state.max_voices)[state.sound_rule])
    )
    order = [
        int(sound)
        for sound in np.argsort(-probabilities, kind="stable")
        if probabilities[sound] > 0
    ]
    return {_sound_label(sound, theme.key): float(probabilities[sound]) for sound in order}


def log_likelihoods(
    model: DecodableModel, scores: Sequence[Score], max_events: int | None = None
) -> list[tuple[float, int]]:
    """Nats of each score as a whole, its header charged, and how many notes and rests it is written with; both without the end.

    Args:
        model: a trained model.
        scores: whole pieces, or beginnings.
        max_events: of each only so many events.

    Raises:
        RequestError: a score is longer than the model can follow.
        UnencodableError: the tokens cannot say one.
    """
    sequences = [encode(score)[:-1][:max_events] for score in scores]
    if (longest := max(map(len, sequences))) > model.settings.context_length:
        raise RequestError(
            f"the music has {longest} events; this model follows {model.settings.context_length}"
        )
    ready = to_array_model(model)
    n_events = [
        sum(duration > 0 and sound != PICKUP for sound, duration in events) for events in sequences
    ]
    return [
        (_log_likelihood(ready, events), n) for events, n in zip(sequences, n_events, strict=True)
    ]


def _log_likelihood(model: ArrayModel, events: Sequence[Event]) -> float:
    """Nats of what is music in a sequence."""
    max_voices = model.vocabulary.max_voices
    steps = trace(events, max_voices)
    before = np.concatenate(([0], steps.ticks[:-1]))
    _, heard = forward(model, steps.events[None, :-1], steps.context[None, :-1], before[None])
    rows = np.flatnonzero(steps.is_scored[:-1])
    (sounds, durations), context = steps.events[rows + 1].T, steps.context[rows]
    heads = ArrayOutputLayer(model, (len(rows),))
    heads.project_hidden(heard[0, rows])
    said = log_softmax(
        heads.sound_logits(context), rules.sound_masks(max_voices)[steps.rules[rows, 0]]
    )
    lasting = log_softmax(
        heads.duration_logits(context, sounds), rules.duration_masks()[steps.rules[rows, 1]]
    )
    order = np.arange(len(rows))
    return float((said[order, sounds] + lasting[order, durations]).sum())


def _sound_label(sound: int, key: Key | None) -> str:
    if is_pitch(sound):
        return str(spell(sound - PITCH, key))
    return "R" if sound == REST else sound_name(sound)
