"""What a model expects to come next, and how likely whole pieces are under it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from seqmusic.generation.candidate_batch import too_long_error
from seqmusic.generation.completion import prefill_prompt
from seqmusic.generation.prompts import require_notes
from seqmusic.generation.sampling import log_softmax
from seqmusic.model.decoding.decoder import DecodableModel, make_array_decoder, to_array_model
from seqmusic.model.decoding.packed_model import ArrayModel
from seqmusic.runs.pretrained import readable_score
from seqmusic.score import Key, Score
from seqmusic.tokens import rules
from seqmusic.tokens.tokenizer import Event, encode, encode_prompt, normalized, trace
from seqmusic.tokens.vocabulary import PICKUP, PITCH, REST, is_pitch, sound_name
from seqmusic.tonality import spell


def next_sounds(model: DecodableModel, theme: Score) -> dict[str, float]:
    """Probabilities of what follows a theme, likeliest first.

    The keys are pitches such as "C4", "R" for a rest, and "EOS" for the end. In several voices they
    are about the voice that ends earliest; of those that end together, about the first of soprano,
    bass, alto, tenor.

    Raises:
        RequestError: the theme has no notes, or is longer than the model can follow.
        UnencodableError: the tokens cannot express it.
    """
    require_notes(theme)
    plain = normalized(theme)
    holes = [[(voice.end_ticks, None)] for voice in plain.voices]
    events = encode_prompt(plain, holes, marks_phrases=model.vocabulary.marks_phrases)
    state, decoder, context = prefill_prompt(model, events)
    mask = rules.sound_masks(state.max_voices)[state.sound_rule]
    probabilities = np.exp(log_softmax(decoder.sound_logits(context)[0], mask))
    order = np.argsort(-probabilities, kind="stable")
    return {
        sound_text(int(sound), theme.key, {REST: "R"}): float(probabilities[sound])
        for sound in order
        if probabilities[sound] > 0
    }


def sound_text(sound: int, key: Key | None, names: Mapping[int, str], semitones: int = 0) -> str:
    """A pitch, lower by `semitones`, as spelled in a key; another sound by `names` or its token."""
    if is_pitch(sound):
        return str(spell(sound - PITCH - semitones, key))
    return names.get(sound) or sound_name(sound)


def log_likelihoods(
    model: DecodableModel, scores: Sequence[Score], max_events: int | None = None
) -> list[tuple[float, int]]:
    """Log-probability of each score in nats, header included, and its number of notes and rests.

    The end of the piece is not predicted.

    Args:
        model: a trained model.
        scores: whole pieces, or beginnings.
        max_events: how many events of each are used; None for all.

    Raises:
        RequestError: a score is longer than the model can follow.
        UnencodableError: the tokens cannot express one.
    """
    readable = [readable_score(model.vocabulary, score) for score in scores]
    sequences = [encode(score)[:-1][:max_events] for score in readable]
    if (longest := max(map(len, sequences))) > model.settings.context_length:
        raise too_long_error("music", longest, model.settings.context_length)
    array_model = to_array_model(model)
    return [
        (
            _log_likelihood(array_model, events),
            sum(duration > 0 and sound != PICKUP for sound, duration in events),
        )
        for events in sequences
    ]


def _log_likelihood(model: ArrayModel, events: Sequence[Event]) -> float:
    """Log-probability in nats of the scored events of a sequence."""
    max_voices = model.vocabulary.max_voices
    steps = trace(events, max_voices)
    onsets = np.concatenate(([0], steps.ticks[:-1]))
    decoder = make_array_decoder(model, 1, len(events))
    hidden = decoder.forward(steps.events[None, :-1], steps.context[None, :-1], onsets[None])
    rows = np.flatnonzero(steps.is_scored[:-1])
    hidden, context = hidden[0, rows], steps.context[rows]
    sounds, durations = steps.events[rows + 1].T
    sound_rules, duration_rules = steps.rules[rows].T
    layer = decoder.output_layer
    sound_log_p = log_softmax(
        layer.sound_logits(hidden, context), rules.sound_masks(max_voices)[sound_rules]
    )
    duration_log_p = log_softmax(
        layer.duration_logits(hidden, context, sounds), rules.duration_masks()[duration_rules]
    )
    order = np.arange(len(rows))
    return float((sound_log_p[order, sounds] + duration_log_p[order, durations]).sum())
