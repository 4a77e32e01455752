"""Which key a head is in, as the model hears it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from seqmusic.model.transformer import Transformer
from seqmusic.score import SATB, Key, Score
from seqmusic.tokens import rules
from seqmusic.tokens.tokenizer import encode, normalized, trace
from seqmusic.tonality import all_keys
from seqmusic.training.batches import Masks, make_batch, nll

_KEYS = [key for key in all_keys() if -5 <= key.sharps <= 6]  # one of each that sound alike


@torch.inference_mode()
def likeliest_key(model: Transformer, head: Score) -> Key:
    """The key under which the model finds the head likeliest, the key itself charged; one batch for all keys.

    Raises:
        UnencodableError: the tokens cannot say the head.
    """
    device = next(model.parameters()).device
    masks = Masks(*(torch.tensor(table, device=device) for table in (rules.sound_masks(len(SATB)), rules.duration_masks())))
    plain = normalized(head)
    sequences = [trace(encode(replace(plain, key=key))[:-1], len(SATB)) for key in _KEYS]
    sound, duration = nll(model.eval(), make_batch(sequences, device), masks)
    return _KEYS[int(np.argmin((sound + duration).sum(dim=1).cpu().numpy()))]
