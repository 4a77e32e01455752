"""What a model expects next, in words."""

from __future__ import annotations

import numpy as np
import torch

from seqmusic.errors import RequestError
from seqmusic.generation.continuation import fed
from seqmusic.generation.sampling import log_softmax
from seqmusic.model.transformer import Transformer
from seqmusic.score import Key, Score
from seqmusic.tokens import rules
from seqmusic.tokens.tokenizer import encode_prompt, normalized
from seqmusic.tokens.vocabulary import KEY, PITCH, REST, sound_name
from seqmusic.tonality import spell


@torch.inference_mode()
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
    walk, hidden, context = fed(model, events)
    logits = model.heads.sound_logits(hidden, context)[0].cpu().numpy()
    probabilities = np.exp(log_softmax(logits, rules.sound_masks(walk.max_voices)[walk.sound_rule]))
    order = [int(sound) for sound in np.argsort(-probabilities, kind="stable") if probabilities[sound] > 0]
    return {_in_words(sound, head.key): float(probabilities[sound]) for sound in order}


def _in_words(sound: int, key: Key | None) -> str:
    if PITCH <= sound < KEY:
        return str(spell(sound - PITCH, key))
    return "R" if sound == REST else sound_name(sound)
