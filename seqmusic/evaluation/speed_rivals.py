"""What our speed is measured against: GPT-2 of Hugging Face transformers, as one uses it without further thought."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from seqmusic.errors import MissingExtraError
from seqmusic.model.settings import ModelSettings

RIVALS = ("transformers",)


def gpt2(settings: ModelSettings, n_ids: int) -> Any:
    """A GPT-2 with the width, layers, heads and context of `settings`, over so many ids.

    Raises:
        MissingExtraError: transformers is not installed.
    """
    try:
        from transformers import GPT2Config, GPT2LMHeadModel, logging
    except ImportError as error:
        raise MissingExtraError(
            "transformers is not installed; install it with: pip install 'seqmusic[bench]' (in a clone: '.[bench]')"
        ) from error
    logging.set_verbosity_error()
    config = GPT2Config(
        vocab_size=n_ids,
        n_positions=settings.context_length,
        n_embd=settings.width,
        n_layer=settings.layers,
        n_head=settings.heads,
        n_inner=settings.feedforward * settings.width,
        bos_token_id=1,
        eos_token_id=None,
        pad_token_id=0,
    )
    return GPT2LMHeadModel(config)


def generated(model: Any, n_rows: int, n_prompt: int, n_new: int) -> int:
    """Tokens that `generate` makes: `n_new` in each of `n_rows`, after a prompt, drawn at temperature 1."""
    prompt = torch.randint(1, model.config.vocab_size, (n_rows, n_prompt))
    ids = model.eval().generate(prompt, attention_mask=torch.ones_like(prompt), max_new_tokens=n_new, do_sample=True, top_k=0)
    return int(ids[:, n_prompt:].numel())


def trainer(model: Any) -> Callable[[Sequence[NDArray[np.integer[Any]]]], int]:
    """A training step on sequences of ids, padded at their ends: what it returns is how many ids they have."""
    optimizer = torch.optim.AdamW(model.train().parameters(), lr=1e-3, fused=True)

    def step(sequences: Sequence[NDArray[np.integer[Any]]]) -> int:
        lengths = [len(own) for own in sequences]
        ids, present = torch.zeros((len(lengths), max(lengths)), dtype=torch.int64), torch.zeros((len(lengths), max(lengths)))
        for row, own in enumerate(sequences):
            ids[row, : len(own)], present[row, : len(own)] = torch.from_numpy(own.astype(np.int64)), 1
        loss = model(input_ids=ids, attention_mask=present, labels=ids.masked_fill(present == 0, -100)).loss
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        return sum(lengths)

    return step
