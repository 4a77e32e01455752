"""What a model expects next, in words, and how likely it holds whole pieces to be."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from seqmusic.checkpoints import make_masks
from seqmusic.errors import RequestError
from seqmusic.generation.completion import fed
from seqmusic.generation.sampling import log_softmax
from seqmusic.model.transformer import Transformer
from seqmusic.score import Key, Score
from seqmusic.tokens import rules
from seqmusic.tokens.tokenizer import encode, encode_prompt, normalized, trace
from seqmusic.tokens.vocabulary import KEY, PICKUP, PITCH, REST, sound_name
from seqmusic.tonality import spell
from seqmusic.training.batches import make_batch, nll


def next_sounds(model: Transformer, head: Score) -> dict[str, float]:
    """Probabilities of what comes after the head, likeliest first: pitches such as "C4", "R" for a rest, "EOS" for the end.

    Of several voices it is about the one whose line ends earliest, the highest of those that end together.

    Raises:
        RequestError: the head has no notes, or is longer than the model can follow.
        UnencodableError: the tokens cannot say it.
    """
    if not head.n_notes:
        raise RequestError("the head has no notes; give at least one, for instance C4")
    plain = normalized(head)
    events = encode_prompt(plain, [[(voice.end_ticks, None)] for voice in plain.voices])
    walk, decoder, context = fed(model, events)
    logits = decoder.sound_logits(context)[0]
    probabilities = np.exp(log_softmax(logits, rules.sound_masks(walk.max_voices)[walk.sound_rule]))
    order = [int(sound) for sound in np.argsort(-probabilities, kind="stable") if probabilities[sound] > 0]
    return {_in_words(sound, head.key): float(probabilities[sound]) for sound in order}


@torch.inference_mode()
def log_likelihoods(model: Transformer, scores: Sequence[Score], most_events: int | None = None) -> list[tuple[float, int]]:
    """Nats of each score as a whole, its header charged, and how many notes and rests it is written with; both without the end.

    Args:
        model: a trained model.
        scores: whole pieces, or beginnings.
        most_events: of each only so many events.

    Raises:
        RequestError: a score is longer than the model can follow.
        UnencodableError: the tokens cannot say one.
    """
    device = next(model.parameters()).device
    sequences = [encode(score)[:-1][:most_events] for score in scores]
    if (longest := max(map(len, sequences))) > model.settings.context_length:
        raise RequestError(f"the music has {longest} events; this model follows {model.settings.context_length}")
    max_voices = model.vocabulary.max_voices
    batch = make_batch([trace(events, max_voices) for events in sequences], device)
    sound, duration = nll(model.eval(), batch, make_masks(device, max_voices))
    n_events = [sum(duration > 0 and sound != PICKUP for sound, duration in events) for events in sequences]
    return [(float(own), n) for own, n in zip(-(sound + duration).sum(dim=1), n_events, strict=True)]


def _in_words(sound: int, key: Key | None) -> str:
    if PITCH <= sound < KEY:
        return str(spell(sound - PITCH, key))
    return "R" if sound == REST else sound_name(sound)
